// Runs the demo as real processes, on a terminal or without, and kills them. Only processes that were started here.
import assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { afterEach } from 'node:test';
import { eventually } from './eventually.ts';
import type { KillPoint } from './demo-kill.ts';

export interface DemoRun {
  readonly pid: number;
  /** Everything printed to stdout so far. */
  output(): string;
  /** Resolves when stdout has said it. */
  says(pattern: RegExp): Promise<RegExpExecArray>;
  /** kill -9 in the moment that stdout says it; resolves when the process and all it had started, except Postgres, is gone. */
  killWhen(pattern: RegExp): Promise<Ended>;
  /** The same, now. */
  kill(): Promise<Ended>;
  /** For a run on a terminal: what a person types. */
  type(text: string): void;
  stop(signal?: NodeJS.Signals): Promise<Ended>;
  readonly ended: Promise<Ended>;
}

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface DemoOptions {
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Where the process kills itself. */
  readonly killAt?: KillPoint;
  /** On a terminal of its own. */
  readonly terminal?: boolean;
}

const root = join(import.meta.dirname, '../..');
const killer = join(import.meta.dirname, 'demo-kill.ts');
/** A demo spends half of its start on reading its modules; it is started often here. */
const compileCache = join(root, 'node_modules/.cache/signalbox-demo-tests');
const patienceMs = 60_000;

/** Linux and macOS bring it along. */
export const hasTerminal = spawnSync('script', ['-q', '/dev/null', 'true'], { stdio: 'ignore' }).error === undefined;

export function demo(dataDir: string, { args = ['--yes'], env = {}, killAt, terminal = false }: DemoOptions = {}): DemoRun {
  const command = [process.execPath, ...(killAt ? ['--import', killer] : []), 'cli/signalbox.ts', 'demo', ...args];
  const [program, ...rest] = terminal ? onTerminal(command) : command;
  const child = spawn(program!, rest, {
    cwd: root,
    env: {
      ...{
        PATH: process.env['PATH'],
        NO_COLOR: '1',
        SIGNALBOX_DATA_DIR: dataDir,
        SIGNALBOX_HTTP_PORT: '0',
        NODE_COMPILE_CACHE: compileCache,
      },
      ...(killAt && { SIGNALBOX_TEST_KILL: JSON.stringify(killAt) }),
      ...env,
    },
    stdio: [terminal ? 'pipe' : 'ignore', 'pipe', 'pipe'],
  });
  return watch(child);
}

/** What a failed test has left running would disturb the next one, and keep its file from ending. */
const running = new Set<ChildProcess>();
afterEach(async () => {
  await Promise.all(
    [...running].map(async (child) => {
      child.kill();
      await once(child, 'close');
    }),
  );
});

function watch(child: ChildProcess): DemoRun {
  running.add(child);
  let stdout = '';
  let stderr = '';
  const listeners = new Set<() => void>();
  child.stdout!.on('data', (chunk) => {
    stdout += String(chunk).replaceAll('\r\n', '\n');
    for (const listener of listeners) listener();
  });
  child.stderr!.on('data', (chunk) => (stderr += String(chunk)));
  let closed = false;
  const ended = once(child, 'close').then(([code, signal]): Ended => {
    closed = true;
    running.delete(child);
    for (const listener of listeners) listener();
    return { code: code as number | null, signal: signal as NodeJS.Signals | null, stdout, stderr };
  });
  const pid = child.pid!;

  /** `react` runs in the very callback that brought the text. */
  function when(pattern: RegExp, react: (match: RegExpExecArray) => void): Promise<RegExpExecArray> {
    return new Promise((resolve, reject) => {
      const lost = (why: string) => new Error(`${why} without saying ${String(pattern)}:\n${stdout}${stderr}`);
      const timer = setTimeout(() => settle(() => reject(lost(`${patienceMs} ms passed`))), patienceMs);
      function settle(how: () => void): void {
        clearTimeout(timer);
        listeners.delete(look);
        how();
      }
      function look(): void {
        const match = pattern.exec(stdout);
        if (match) {
          react(match);
          settle(() => resolve(match));
        } else if (closed) settle(() => reject(lost('it ended')));
      }
      listeners.add(look);
      look();
    });
  }

  async function afterKill(family: readonly ProcessInfo[]): Promise<Ended> {
    const end = await ended;
    assert.equal(end.signal, 'SIGKILL', end.stderr);
    const others = family.filter(({ command }) => !isPostgres(command));
    await eventually(
      () => others.filter(isAlive).length === 0,
      () => others.filter(isAlive),
      patienceMs,
    );
    return end;
  }
  function killNow(): readonly ProcessInfo[] {
    const family = descendants(pid);
    process.kill(pid, 'SIGKILL');
    return family;
  }

  return {
    pid,
    output: () => stdout,
    says: (pattern) => when(pattern, () => undefined),
    async killWhen(pattern) {
      let family: readonly ProcessInfo[] = [];
      await when(pattern, () => (family = killNow()));
      return afterKill(family);
    },
    kill: () => afterKill(killNow()),
    type: (text) => child.stdin!.write(text),
    stop(signal = 'SIGTERM') {
      child.kill(signal);
      return ended;
    },
    ended,
  };
}

function onTerminal(command: readonly string[]): string[] {
  if (process.platform === 'darwin') return ['script', '-q', '/dev/null', ...command];
  return ['script', '-q', '-e', '-c', `exec ${command.map((word) => `'${word}'`).join(' ')}`, '/dev/null'];
}

interface ProcessInfo {
  readonly pid: number;
  readonly parent: number;
  readonly command: string;
}

function processes(): ProcessInfo[] {
  if (process.platform === 'linux')
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .flatMap(fromProc);
  const table = execFileSync('ps', ['-axo', 'pid=,ppid=,command='], { encoding: 'utf8' });
  return [...table.matchAll(/^\s*(\d+)\s+(\d+)\s+(.*)$/gm)].map(([, pid, parent, command]) => ({
    ...{ pid: Number(pid), parent: Number(parent), command: command! },
  }));
}

function fromProc(name: string): ProcessInfo[] {
  try {
    const command = readFileSync(`/proc/${name}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
    const [state, parent] = readFileSync(`/proc/${name}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ');
    return state === 'Z' ? [] : [{ pid: Number(name), parent: Number(parent), command }];
  } catch {
    return []; // ended meanwhile
  }
}

function descendants(pid: number): ProcessInfo[] {
  const all = processes();
  const of = (parent: number): ProcessInfo[] => all.flatMap((one) => (one.parent === parent ? [one, ...of(one.pid)] : []));
  return of(pid);
}

const isPostgres = (command: string): boolean => ['postgres', 'postgres:', 'initdb'].includes(basename(command.split(' ')[0]!));
const isAlive = ({ pid, command }: ProcessInfo): boolean => processes().some((one) => one.pid === pid && one.command === command);

/** Waits until nothing runs any more that was started for this data folder. */
export async function nothingLeft(dataDir: string): Promise<void> {
  const left = () => processes().filter(({ command }) => command.includes(dataDir));
  await eventually(
    () => left().length === 0,
    () => left(),
    patienceMs,
  );
}

/** The tool servers of demos that are gone must be gone; Postgres may stay, and is attached to. */
export async function onlyPostgresLeft(dataDir: string): Promise<void> {
  const left = () => processes().filter(({ command }) => command.includes(dataDir) && !isPostgres(command));
  await eventually(
    () => left().length === 0,
    () => left(),
    patienceMs,
  );
}
