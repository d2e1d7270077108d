// What it costs to tell thousands the same: processor time per delivery beside graphql-ws as it comes and `ws.send` of the same bytes; how
// late they hear after a commit; and what one who watches and hears nothing takes in memory.
import { setTimeout as delay } from 'node:timers/promises';
import { toGlobalId } from '#schema/ids.ts';
import type { Closing, CrowdSetup } from '../contenders/crowd.ts';
import type { FanOutSetup, Memory, Way } from '../contenders/fan-out.ts';
import type { Part } from '../part.ts';
import { production, startContender } from '../process.ts';
import { freshName, threeSteps, type Stand } from '../stand.ts';
import { median, quantile } from '../statistics.ts';

const query = `subscription ($id: ID!, $after: String) { executionEvents(executionId: $id, after: $after) {
  cursor caughtUp events { sequence type occurredAt ... on StepEvent { stepId } } } }`;
const ways: readonly Way[] = ['signalbox', 'graphql-ws', 'ws.send'];
const openingAtOnce = 50;
const latencyTarget = 100;
const latencySize = 2_000;

export const fanOut: Part = {
  name: 'fan-out',
  summary: 'thousands who watch one execution: processor time per delivery, commit to client, memory of one who watches',
  async run(stand, { quick, rounds }, say) {
    const agentId = await stand.agent(freshName('watched'), threeSteps);
    const sizes = quick ? [50] : [1_000, 5_000];
    const times = quick ? 5 : 30;
    const short = quick ? { alone: 5 } : {};
    const perDelivery: Record<string, Record<Way, number>> = {};
    const each: Record<'same' | 'own', Memory> = { same: nothing, own: nothing };
    for (const size of sizes) {
      const crowds: Record<string, Crowd> = {};
      try {
        for (const way of ways) {
          say(`fan-out: ${size} watch by ${way}`);
          crowds[way] = await openCrowd(stand, agentId, way, size, short);
          await crowds[way].tell(times, 0); // of code that has not been compiled yet
        }
        each.same = crowds['signalbox']!.each;
        const seen: Record<Way, number[]> = { signalbox: [], 'graphql-ws': [], 'ws.send': [] };
        for (let round = 0; round < rounds; round++) {
          for (const way of ways) seen[way].push((await crowds[way]!.tell(times, 0)).microseconds);
        }
        perDelivery[size] = {
          signalbox: median(seen.signalbox),
          'graphql-ws': median(seen['graphql-ws']),
          'ws.send': median(seen['ws.send']),
        };
      } finally {
        for (const crowd of Object.values(crowds)) await crowd.close();
      }
    }
    const most = sizes.at(-1)!;
    say(`fan-out: ${most} watch an execution each`);
    const apart = await openCrowd(stand, agentId, 'signalbox', most, { executions: most });
    each.own = apart.each;
    await apart.close();
    const size = quick ? 50 : latencySize;
    say(`fan-out: commit to client, ${size} watch`);
    const crowd = await openCrowd(stand, agentId, 'signalbox', size, short);
    try {
      await crowd.tell(times, 0);
      const { lateness } = await crowd.tell(quick ? 5 : 100, 50);
      const columns = sizes.map((each) => `${each} watch`);
      return {
        tables: [
          {
            title: 'Processor time per delivery; lower is better',
            ...{ format: 'ratio', columns },
            rows: [
              {
                what: 'Signalbox : ws.send of the same bytes',
                values: sizes.map((each) => ratio(perDelivery[each]!, 'ws.send')),
                target: '≤1.1',
              },
              {
                what: 'Signalbox : graphql-ws as it comes',
                values: sizes.map((each) => ratio(perDelivery[each]!, 'graphql-ws')),
                target: '≤0.33',
              },
            ],
          },
          {
            title: `Commit to client, ${size} watch, as a share of its target (machine-specific); lower is better`,
            ...{ format: 'ratio', columns: ['p50', 'p99'] },
            rows: [
              {
                what: 'before the commit to received',
                values: [quantile(lateness, 0.5) / latencyTarget, quantile(lateness, 0.99) / latencyTarget],
                target: `≤1 (p99 ${latencyTarget} ms)`,
              },
            ],
          },
          {
            title: 'Memory of one who watches and hears nothing, with its socket; kilobytes in the gateway',
            ...{ format: 'count', columns: ['heap and buffers', 'resident (upper figure)'] },
            rows: [
              { what: `${most} watch the same execution`, values: kilobytes(each.same), target: null },
              { what: `${most} watch an execution each`, values: kilobytes(each.own), target: null },
            ],
          },
        ],
        machineSpecific: {
          microsecondsPerDelivery: perDelivery,
          latencyMs: { p50: quantile(lateness, 0.5), p99: quantile(lateness, 0.99) },
          bytesPerWatcher: each,
        },
      };
    } finally {
      await crowd.close();
    }
  },
};

const nothing: Memory = { held: 0, resident: 0 };
const kilobytes = ({ held, resident }: Memory) => [held, resident].map((bytes) => (bytes > 0 ? bytes / 1_024 : null));
/** Null where this machine's noise was more than what was measured. */
const ratio = (of: Record<Way, number>, to: Way): number | null => (of.signalbox > 0 && of[to] > 0 ? of.signalbox / of[to] : null);

export interface Crowd {
  /** Bytes for each who watches. */
  readonly each: Memory;
  /** Of Signalbox: what waits for those who are behind with reading. */
  queuedBytes(): Promise<readonly number[]>;
  /** Of the process that tells. */
  memory(): Promise<Memory>;
  /** One more, which reads a byte a second, watches the first execution so often on its socket that it is soon behind. */
  addSlow(subscriptions: number): Promise<void>;
  /** It reads on, to its end. */
  endSlow(): Promise<Closing>;
  /** Tells so many events, each when everybody has heard the one before, after a pause. Microseconds of processor time per delivery, milliseconds of lateness each. */
  tell(times: number, pauseMs: number): Promise<{ microseconds: number; lateness: readonly number[] }>;
  close(): Promise<void>;
}

/** So many, in a process of their own, who watch what another process tells: all of them one execution, or one each. */
export async function openCrowd(
  stand: Stand,
  agentId: string,
  way: Way,
  size: number,
  options: { readonly executions?: number; readonly alone?: number } = {},
): Promise<Crowd> {
  const { executions = 1, alone = executions > 1 ? 1 : 200 } = options;
  const { place, services, database } = stand;
  const { authority, environmentId } = place;
  const start = () =>
    database.write(authority.tenantId, (uow) =>
      services.executions.startExecution(uow, authority, { agentId, environmentId, inputs: { number: 0 } }),
    );
  const { id: first, lastSequence } = await start();
  const executionIds = [first];
  while (executionIds.length < executions) executionIds.push((await start()).id);
  const setup: FanOutSetup = { way, place, executionIds, lastSequence };
  const teller = await startContender(new URL('../contenders/fan-out.ts', import.meta.url), setup, [production, '--expose-gc']);
  const ask = async (question: string) => (await teller.ask(question)) as number;
  // What telling costs by itself, such as the commit, which another process does as a rule: with nobody there who hears it. As often until its
  // code is compiled as then counts.
  for (let count = 0; count < alone; count++) await ask('tell');
  const idleFrom = await ask('processorMs');
  for (let count = 0; count < alone; count++) await ask('tell');
  const tellingMs = ((await ask('processorMs')) - idleFrom) / alone;
  const memory = async () => (await teller.ask('memory')) as Memory;
  const before = await memory();
  const port = await ask('port');
  const watched = executionIds.map((id) => toGlobalId('Execution', id));
  const asking: CrowdSetup = { url: `ws://127.0.0.1:${port}/graphql`, key: 'any', query, watched };
  const watchers = await startContender(new URL('../contenders/crowd.ts', import.meta.url), asking);
  for (let opened = 0; opened < size; opened += openingAtOnce) {
    await watchers.ask('open', { count: Math.min(openingAtOnce, size - opened) });
  }
  const after = await memory();
  return {
    each: { held: (after.held - before.held) / size, resident: (after.resident - before.resident) / size },
    queuedBytes: async () => (await teller.ask('queuedBytes')) as number[],
    memory,
    addSlow: async (subscriptions) => void (await watchers.ask('slow', { count: subscriptions })),
    endSlow: async () => (await watchers.ask('readOn')) as Closing,
    async tell(times, pauseMs) {
      await watchers.ask('forget');
      const from = await ask('processorMs');
      for (let count = 1; count <= times; count++) {
        await teller.ask('tell');
        await watchers.ask('arrived', { count: count * size });
        await delay(pauseMs);
      }
      const spentMs = (await ask('processorMs')) - from - tellingMs * times;
      const microseconds = (spentMs * 1_000) / (times * size);
      return { microseconds, lateness: (await watchers.ask('lateness')) as number[] };
    },
    async close() {
      await watchers.close();
      await teller.close();
    },
  };
}
