// Random executions on the real engine and database while runners die between and inside transactions, are taken for dead while they
// live, shut down, lose connections, get jobs twice or late, while clocks jump and people decide, let expire and cancel.
// A failure prints its seed and everything that happened; `SIM_SEED=… npm test -- test/engine-crash.test.ts` runs it again,
// `SIM_RUNS=5000` runs more of them.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { someSeed } from './harness/random.ts';
import { openSimulator, type Simulator } from './harness/simulation.ts';

let simulator: Simulator;
before(async () => {
  simulator = await openSimulator();
});
after(() => simulator?.close());

test(
  'whatever crashes, every execution ends, and its events explain its rows',
  { timeout: process.env['SIM_RUNS'] === undefined ? 120_000 : Infinity },
  async (t) => {
    const { SIM_SEED, SIM_RUNS } = process.env;
    const first = SIM_SEED === undefined ? someSeed() : Number(SIM_SEED);
    const runs = SIM_RUNS === undefined ? (SIM_SEED === undefined ? 150 : 1) : Number(SIM_RUNS);
    const ends = new Map<string, number>();
    let faults = 0;
    for (let run = 0; run < runs; run += 1) {
      const result = await simulator.run(first + run);
      ends.set(result.status, (ends.get(result.status) ?? 0) + 1);
      faults += result.faults;
    }
    t.diagnostic(`${runs} executions from seed ${first}: ${faults} faults, ${JSON.stringify(Object.fromEntries(ends))}`);
    assert.ok(runs === 1 || faults > 0);
  },
);
