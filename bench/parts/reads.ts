// Whether lists cost more where there is more: every list and filter of the API in a world of 1,000,000 executions and in one of 10,000,
// in turns. What one may not list at all is left out. Of a thousand medians some are off by chance: those above the target are asked again
// before they count.
import { loadAuthority } from '#src/principals/authority-reads.ts';
import type { Authority } from '#src/authority/permission.ts';
import type { Part } from '../part.ts';
import { casesOf, type ReadCase } from '../reads/cases.ts';
import { openWorlds, seed, type KeptWorld } from '../reads/kept-worlds.ts';
import { runCase } from '../reads/operations.ts';
import { homeOf, people, type Person, type WorldSize } from '../reads/world.ts';
import { median } from '../statistics.ts';

const target = 1.5;
/** Of each case and world in one round. */
const timesARound = 4;

const sizes: readonly WorldSize[] = [10_000, 1_000_000].map((executions) => ({ executions, tenants: 200, largestShare: 0.2 }));
const quickSizes: readonly WorldSize[] = [1_250, 2_500].map((executions) => ({ executions, tenants: 2, largestShare: 0.9 }));

/** One case for one person of one tenant, in both worlds. */
interface Asked {
  readonly field: string;
  readonly name: string;
  readonly who: string;
  readonly tenant: string;
  /** Smaller world first: how to run it there, and milliseconds it took. */
  readonly sides: readonly { readonly run: () => Promise<unknown>; readonly ms: number[] }[];
}

export const reads: Part = {
  name: 'reads',
  summary: 'every list and filter with 1,000,000 executions against 10,000 (the worlds take some 10 minutes and 6 GB; --data keeps them)',
  async run(stand, { quick, rounds, data }, say) {
    const compared = quick ? quickSizes : sizes;
    const kept = await openWorlds(data ?? stand.newFolder('worlds'), compared, say);
    try {
      const asked: Asked[] = [];
      for (const [tenant, no] of [
        ['largest', 1],
        ['small', compared[0]!.tenants],
      ] as const) {
        if (quick && no > 1) continue;
        for (const who of quick ? (['admin'] as const) : people) asked.push(...(await allowed(kept.worlds, tenant, no, who)));
      }
      for (let round = 1; round <= rounds; round += 1) {
        say(`reads: round ${round} of ${rounds}, ${asked.length} cases`);
        await inTurns(asked, quick ? 1 : timesARound);
      }
      const suspects = quick ? [] : asked.filter((each) => ratioOf(each) > target);
      say(`reads: ${suspects.length} cases once more, three times as often`);
      await inTurns(suspects, 3 * rounds * timesARound);

      const figures = asked
        .map(({ sides, ...about }) => {
          const [smallMs, largeMs] = mediansOf({ sides });
          return { ...about, ratio: largeMs / smallMs, smallMs, largeMs };
        })
        .sort((a, b) => b.ratio - a.ratio);
      const lists = [...Map.groupBy(figures, ({ field }) => field)];
      const slow = figures.filter(({ ratio }) => ratio > target);
      const of = compared.map(({ executions }) => executions.toLocaleString('en')).toReversed();
      return {
        tables: [
          {
            title: `Time of a page of 20 (or of figures), ${of.join(' : ')} executions; shared_buffers ${kept.sharedBuffers}`,
            format: 'ratio',
            columns: ['worst case', 'median'],
            rows: [['all', figures] as const, ...lists].map(([what, own]) => ({
              what: `${what} (${own.length})`,
              values: [own[0]!.ratio, median(own.map(({ ratio }) => ratio))],
              target: `≤${target}`,
            })),
          },
          {
            title: `Cases above ${target}: ${slow.length} of ${figures.length}`,
            format: 'ratio',
            columns: ['median of times'],
            rows: slow.map(({ field, name, who, tenant, ratio }) => ({
              what: `${field} (${name}), ${who} of the ${tenant} tenant`,
              values: [ratio],
              target: `≤${target}`,
            })),
          },
        ],
        machineSpecific: { sharedBuffers: kept.sharedBuffers, cases: figures },
      };
    } finally {
      await kept.close();
    }
  },
};

type Sides = Pick<Asked, 'sides'>;
const mediansOf = ({ sides }: Sides) => sides.map(({ ms }) => median(ms)) as [small: number, large: number];

function ratioOf(asked: Sides): number {
  const [small, large] = mediansOf(asked);
  return large / small;
}

/** One after the other, so that what else the machine does at a time hits no case more than once. */
async function inTurns(asked: readonly Asked[], times: number): Promise<void> {
  for (let time = 0; time < times; time += 1) {
    for (const [at, { sides }] of asked.entries()) {
      // The second of a pair finds the processor's caches warm: each world is it as often.
      for (const side of (time + at) % 2 === 0 ? sides : sides.toReversed()) {
        const before = performance.now();
        await side.run();
        side.ms.push(performance.now() - before);
      }
    }
  }
}

/** Each is run once in each world, which also warms up. */
async function allowed(worlds: readonly KeptWorld[], tenant: string, no: number, who: Person): Promise<readonly Asked[]> {
  const sides = [];
  for (const { services, database, admin } of worlds) {
    const home = await homeOf(admin, seed, no);
    const authority = (await database.read(home.tenantId, (uow) => loadAuthority(uow, home.principals[who]))) as Authority;
    sides.push({ reader: { services, database, authority }, cases: casesOf(home) });
  }
  const asked: Asked[] = [];
  for (const [at, { field, name }] of sides[0]!.cases.entries()) {
    const each = sides.map(({ reader, cases }) => ({ run: () => runCase(reader, cases[at] as ReadCase), ms: [] }));
    try {
      for (const { run } of each) await run();
    } catch (error) {
      if (who === 'admin' || !(error instanceof AggregateError && /you do not hold|there is no/.test(error.message))) throw error;
      continue;
    }
    asked.push({ field, name, who, tenant, sides: each });
  }
  return asked;
}
