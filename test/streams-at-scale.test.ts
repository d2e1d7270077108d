// Streams at scale, each end in a process of its own: one who reads a byte a second changes nothing for the others, and what one who watches
// and hears nothing takes. Small here; `npm run test:streams` runs 2,000 and 5,000, prints figures, and judges delays, too.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { loadConfig } from '#src/config.ts';
import { openCrowd } from '../bench/parts/fan-out.ts';
import { killAll } from '../bench/process.ts';
import { freshName, openStand, threeSteps, type Stand } from '../bench/stand.ts';
import { median, quantile } from '../bench/statistics.ts';

const isAll = process.env['SIGNALBOX_TEST_STREAMS'] === 'all';
const size = isAll ? 2_000 : 40;
const idle = isAll ? 5_000 : 80;
/** Of events alone and events beside a slow one, in turns. */
const blocks = isAll ? 5 : 1;
const times = isAll ? 100 : 10;
/** What a process holds says nothing below this: code is compiled, and let go, all the while. */
const noise = 48 * 1024 * 1024;
const { limits } = loadConfig({ env: {} });

let stand: Stand;
let agentId: string;
before(async () => {
  stand = await openStand();
  agentId = await stand.agent(freshName('watched'), threeSteps);
});
after(async () => {
  await stand.close();
  killAll();
});

test(`everybody else among ${size} hears everything when one reads a byte a second, and what waits for it is bounded`, async (context) => {
  const crowd = await openCrowd(stand, agentId, 'signalbox', size);
  let most = 0;
  const waits = async () => {
    const bytes = await crowd.queuedBytes();
    assert.ok(bytes.length <= 1, 'somebody else is behind');
    assert.ok((bytes[0] ?? 0) <= limits.streamQueueBytes, `${bytes[0]} bytes wait`);
    most = Math.max(most, bytes[0] ?? 0);
    return bytes[0] ?? 0;
  };
  const tellUntil = async (holds: (bytes: number) => boolean) => {
    for (let told = 0; !holds(await waits()); told += 5) {
      assert.ok(told < 10_000, 'that never came');
      await crowd.tell(5, 0);
    }
  };
  const held = async () => {
    const looks: number[] = [];
    while (looks.length < 5) looks.push((await crowd.memory()).held);
    return Math.min(...looks);
  };
  const looked: { readonly without: readonly number[]; readonly beside: readonly number[]; readonly growth: number }[] = [];
  try {
    await crowd.tell(times, 0);
    for (let block = 0; block < blocks; block += 1) {
      const before = await held();
      const { lateness: without } = await crowd.tell(times, 20);
      await crowd.addSlow(50);
      await tellUntil((bytes) => bytes > 0); // what kernels keep for it is full
      const atFirst = await waits();
      const { lateness: beside } = await crowd.tell(times, 20);
      assert.ok((await waits()) > atFirst, 'it reads, or was closed already');
      await tellUntil((bytes) => bytes > 0.9 * limits.streamQueueBytes);
      looked.push({ without, beside, growth: (await held()) - before });
      await tellUntil((bytes) => bytes === 0);
      const { code, reason } = await crowd.endSlow();
      assert.deepEqual([code, reason], [1013, `SLOW_CONSUMER: more than ${limits.streamQueueBytes} bytes wait for this connection`]);
    }
    const [without, beside] = [looked.flatMap((each) => each.without), looked.flatMap((each) => each.beside)];
    const growth = looked.map((each) => each.growth);
    assert.deepEqual([without.length, beside.length], [size * times * blocks, size * times * blocks]);
    assert.ok(
      growth.every((bytes) => bytes <= limits.streamQueueBytes + noise),
      `a full queue takes ${growth.join(', ')} bytes`,
    );
    // Of each event among those who hear it; that of all deliveries is the one moment at which the machine did something else.
    const p99 = (lateness: readonly number[]) =>
      median(
        Array.from({ length: lateness.length / size }, (_, event) => quantile(lateness.slice(event * size, (event + 1) * size), 0.99)),
      );
    context.diagnostic(
      `p99 from before the commit to received, median of ${times * blocks} events: ${p99(without)} ms without, ${p99(beside)} ms beside one ` +
        `that does not read; of all deliveries ${quantile(without, 0.99)} and ${quantile(beside, 0.99)} ms`,
    );
    const mebibytes = growth.map((bytes) => (bytes / 1_024 ** 2).toFixed(1)).join(', ');
    context.diagnostic(`${most} bytes waited for it of at most ${limits.streamQueueBytes}: the gateway held ${mebibytes} MiB more; then it was closed`); // prettier-ignore
    if (isAll) assert.ok(p99(beside) <= 1.2 * p99(without), 'one who does not read makes the others wait');
  } finally {
    await crowd.close();
  }
});

for (const [what, executions] of [
  ['the same execution', 1],
  ['an execution each', idle],
] as const) {
  test(`${idle} who watch ${what} and hear nothing, and then one event each`, async (context) => {
    const crowd = await openCrowd(stand, agentId, 'signalbox', idle, { executions });
    try {
      const [held, resident] = [crowd.each.held, crowd.each.resident].map((bytes) => (bytes / 1_024).toFixed(1));
      context.diagnostic(`${held} KiB of heap and buffers for each, with its socket; resident at most ${resident} KiB`);
      const { lateness } = await crowd.tell(1, 0);
      assert.equal(lateness.length, idle);
    } finally {
      await crowd.close();
    }
  });
}
