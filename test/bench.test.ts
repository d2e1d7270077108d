// The benchmark as people run it, in its smallest size: it measures, prints ratios, and leaves nothing behind. No figure is judged here.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const program = fileURLToPath(new URL('../bench/index.ts', import.meta.url));
const run = promisify(execFile);
const bench = (...args: string[]) => run(process.execPath, [program, ...args]);
const failing = (...args: string[]) =>
  bench(...args).then(
    () => assert.fail('it ended well'),
    (error: { code: number; stdout: string; stderr: string }) => error,
  );

interface Printed {
  tables: {
    title: string;
    format: string;
    columns: string[];
    rows: { what: string; values: (number | null)[]; target: string | null }[];
  }[];
  machineSpecific: unknown;
}

describe('the benchmark', () => {
  it('prints how many executions there are for each written by hand, says on stderr what it does, and cleans up', async () => {
    const running = bench('executions', '--quick');
    const { pid } = running.child;
    const { stdout, stderr } = await running;
    assert.match(stdout, /^Executions of three steps per second, 1 runner process/);
    assert.match(stdout, /Signalbox : by hand +\d[\d.]* × +(\d[\d.]*|–) ×? *≥0\.8/);
    assert.match(stderr, /^executions: Signalbox warms up$/m);
    assert.deepEqual(
      readdirSync(tmpdir()).filter((name) => name.startsWith(`signalbox-bench-${pid}-`)),
      [],
    );
  });

  it('gives the same as JSON, with the figures of the machine beside the ratios', async () => {
    const names = ['cost', 'policies', 'governance', 'fan-out', 'nested', 'reads'];
    const { stdout } = await bench(...names, '--quick', '--json');
    const parts = JSON.parse(stdout) as Record<string, Printed>;
    assert.deepEqual(Object.keys(parts), names);
    for (const { tables, machineSpecific } of Object.values(parts)) {
      assert.ok(machineSpecific);
      for (const { columns, rows } of tables) {
        for (const { what, values } of rows) {
          assert.equal(values.length, columns.length, what);
          assert.ok(
            // What was over before it was acknowledged took no time.
            values.every((value) => value === null || value > 0 || (value === 0 && what.includes('acknowledged to'))),
            `${what}: ${values.join(' ')}`,
          );
        }
      }
    }
  });

  it('says which parts there are when one is unknown, and what a number must be', async () => {
    const unknown = await failing('everything');
    assert.equal(unknown.code, 1);
    assert.match(unknown.stderr, /unknown part "everything"; parts are executions, latency, items, cost, memory, policies, governance/);
    const rounds = await failing('policies', '--rounds', '0');
    assert.match(rounds.stderr, /'--rounds <number>' argument '0' is invalid. expected a whole number of at least 1/);
  });
});
