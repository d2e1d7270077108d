// Streams at scale, each end in a process of its own: one who reads a byte a second changes nothing for the others, and what one who watches
// and hears nothing takes. Small here; `npm run test:streams` runs 2,000 and 5,000, and prints figures.
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
const times = isAll ? 100 : 10;
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
  const waits = async () => {
    const bytes = await crowd.queuedBytes();
    assert.ok(bytes.length <= 1, 'somebody else is behind');
    assert.ok((bytes[0] ?? 0) <= limits.streamQueueBytes, `${bytes[0]} bytes wait`);
    return bytes[0] ?? 0;
  };
  const tellUntil = async (holds: (bytes: number) => boolean) => {
    for (let told = 0; !holds(await waits()); told += 10) {
      assert.ok(told < 10_000, 'that never came');
      await crowd.tell(10, 0);
    }
  };
  try {
    await crowd.tell(times, 0);
    const without = await crowd.tell(times, 20);
    await crowd.watchers.ask('slow', { count: 50 });
    await tellUntil((bytes) => bytes > 0); // what kernels keep for it is full
    const atFirst = await waits();
    const beside = await crowd.tell(times, 20);
    const behind = await waits();
    assert.ok(behind > atFirst, 'it reads, or was closed already');
    assert.deepEqual([without.lateness.length, beside.lateness.length], [size * times, size * times]);
    await tellUntil((bytes) => bytes === 0); // it reads on as slowly: this is its end
    // Of each event among those who hear it; that of all deliveries is the one moment at which the machine did something else.
    const p99 = ({ lateness }: { lateness: readonly number[] }) =>
      median(Array.from({ length: times }, (_, event) => quantile(lateness.slice(event * size, (event + 1) * size), 0.99)));
    context.diagnostic(
      `p99 from before the commit to received, median of ${times} events: ${p99(without)} ms without, ${p99(beside)} ms beside one that does not read`,
    );
    context.diagnostic(`${behind} bytes waited for it of at most ${limits.streamQueueBytes}, then it was closed`);
  } finally {
    await crowd.close();
  }
});

test(`${idle} who watch and hear nothing, and then one event each`, async (context) => {
  const crowd = await openCrowd(stand, agentId, 'signalbox', idle);
  try {
    context.diagnostic(`${(crowd.memory / 1_024).toFixed(1)} KiB for each, with its socket`);
    const { lateness } = await crowd.tell(1, 0);
    assert.equal(lateness.length, idle);
  } finally {
    await crowd.close();
  }
});
