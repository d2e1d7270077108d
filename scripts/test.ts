// `npm test [-- files or node:test flags]`: one throw-away Postgres with a migrated template, then node:test on top of it.
import { spawn } from 'node:child_process';
import { globSync, mkdtempSync, rmSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { withTestServer } from './test-server.ts';

const watchdog = new URL('../test/harness/watchdog.ts', import.meta.url).href;
// A Node that ends while a thread of V8 compiles may wait for it for ever (nodejs/node#54918): test processes have no such threads.
const nodeFlags = ['--single-threaded'];

if (process.env['TMPDIR'] === undefined && hasRoom('/dev/shm')) process.env['TMPDIR'] = '/dev/shm';
process.exit(await withTestServer(() => runTests(process.argv.slice(2))));

/** Databases of a thousand files each are made for every test file: on a disk that takes as long as many of the tests. */
function hasRoom(memory: string): boolean {
  try {
    const { bavail, bsize } = statfsSync(memory);
    return bavail * bsize > 4 * 1024 ** 3;
  } catch {
    return false;
  }
}

function runTests(args: readonly string[]): Promise<number> {
  // Every file, and every process that one starts, loads much of the same code: compiled once for all of them.
  const compiled = mkdtempSync(join(tmpdir(), 'signalbox-compiled-'));
  const files = args.filter((arg) => !arg.startsWith('-'));
  const flags = args.filter((arg) => arg.startsWith('-'));
  const testMs = Number(flags.findLast((flag) => flag.startsWith('--test-timeout='))?.split('=')[1] ?? 240_000);
  const run = spawn(
    process.execPath,
    [
      ...nodeFlags,
      ...['--import', watchdog, '--test', `--test-timeout=${testMs}`, '--test-concurrency=2', '--test-reporter=spec', ...flags],
      ...(files.length > 0 ? files : globSync('test/**/*.test.ts').sort()),
    ],
    { stdio: 'inherit', env: { ...process.env, NODE_COMPILE_CACHE: compiled, SIGNALBOX_TEST_FILE_MS: String(testMs + 60_000) } },
  );
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => run.kill(signal));
  return new Promise((resolve) => {
    run.on('exit', (status) => {
      rmSync(compiled, { recursive: true, force: true });
      resolve(status ?? 1);
    });
  });
}
