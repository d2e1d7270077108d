// `signalbox <command>` as a real process: started, watched, killed, frozen and stopped by the test. Only processes that were started here.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

export interface SignalboxProcess {
  readonly pid: number;
  /** Everything printed so far, to both streams. */
  output(): string;
  /** Resolves when stdout or stderr has said it; fails when the process ends first or three minutes pass. */
  says(pattern: RegExp): Promise<RegExpExecArray>;
  readonly isAlive: boolean;
  /** kill -9; resolves when it is gone. */
  kill(): Promise<void>;
  freeze(): void;
  thaw(): void;
  /** SIGTERM; resolves with the exit code. */
  stop(): Promise<number | null>;
}

const root = join(import.meta.dirname, '../..');
/** Half of a start is reading modules; processes are started often here. */
const compileCache = join(root, 'node_modules/.cache/signalbox-process-tests');
/** A start takes two seconds, and a minute on a machine that does much else. */
const patienceMs = 180_000;
const running = new Set<ChildProcess>();

export function signalbox(command: string, env: Readonly<Record<string, string>>): SignalboxProcess {
  const child = spawn(process.execPath, ['cli/signalbox.ts', command], {
    cwd: root,
    env: { PATH: process.env['PATH'], NO_COLOR: '1', NODE_COMPILE_CACHE: compileCache, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  running.add(child);
  let output = '';
  const listeners = new Set<() => void>();
  const notify = () => {
    for (const listener of listeners) listener();
  };
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk) => {
      output += String(chunk);
      notify();
    });
  let hasEnded = false;
  const ended = once(child, 'close').then(([code]) => {
    hasEnded = true;
    running.delete(child);
    notify();
    return code as number | null;
  });
  return {
    pid: child.pid!,
    output: () => output,
    says: (pattern) =>
      new Promise((resolve, reject) => {
        const timer = setTimeout(() => fail(`${patienceMs} ms passed`), patienceMs);
        const end = () => {
          clearTimeout(timer);
          listeners.delete(look);
        };
        function fail(why: string): void {
          end();
          reject(new Error(`${why} without ${command} saying ${String(pattern)}:\n${output}`));
        }
        function look(): void {
          const match = pattern.exec(output);
          if (match) {
            end();
            resolve(match);
          } else if (hasEnded) fail('it ended');
        }
        listeners.add(look);
        look();
      }),
    get isAlive() {
      return child.exitCode === null && child.signalCode === null;
    },
    async kill() {
      child.kill('SIGKILL');
      await ended;
    },
    freeze: () => void child.kill('SIGSTOP'),
    thaw: () => void child.kill('SIGCONT'),
    stop() {
      child.kill('SIGTERM');
      return ended;
    },
  };
}

/** Stops what a failed test has left running in order, with the Postgres that it started; by force what does not stop. */
export async function stopLeftProcesses(): Promise<void> {
  const closed = [...running].map((child) => once(child, 'close'));
  for (const child of running) child.kill('SIGTERM');
  const timer = setTimeout(() => void killLeftProcesses(), 30_000);
  await Promise.all(closed);
  clearTimeout(timer);
}

/** Kills what a test has left running: its own processes, frozen ones included. */
export async function killLeftProcesses(): Promise<void> {
  await Promise.all(
    [...running].map(async (child) => {
      const closed = once(child, 'close');
      child.kill('SIGKILL');
      await closed;
    }),
  );
}
