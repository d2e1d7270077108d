// Random executions on the real engine and database while runners die between and inside transactions, are taken for dead while they
// live, shut down, lose connections, get jobs twice or late, while clocks jump and people decide, let expire and cancel.
// A failure prints its seed and everything that happened; `npm run simulate -- --seeds 1 --from …` runs it again, a larger number more.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { someSeed } from './harness/random.ts';
import { openSimulator, type Simulator } from './harness/simulation.ts';

let simulator: Simulator;
before(async () => {
  simulator = await openSimulator();
});
after(() => simulator?.close());

/** `npm run simulate` lives as many as one likes. */
const seeds = 15;

test('whatever crashes, every execution ends, and its events explain its rows', async (t) => {
  const first = someSeed();
  const ends = new Map<string, number>();
  let faults = 0;
  for (let run = 0; run < seeds; run += 1) {
    const result = await simulator.run(first + run);
    for (const status of result.statuses) ends.set(status, (ends.get(status) ?? 0) + 1);
    for (const count of Object.values(result.faults)) faults += count;
  }
  t.diagnostic(`${seeds} lives from seed ${first}: ${faults} faults, ${JSON.stringify(Object.fromEntries(ends))}`);
  assert.ok(faults > 0);
});

// Work prepared for a loop's beginning was carried out after another runner had brought the loop to its next iteration.
test('a life that once failed', async () => {
  await simulator.run(2_162_937_810);
});
