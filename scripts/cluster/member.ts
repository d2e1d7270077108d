// One process of the cluster: started under its name, again after it has ended, and ended by its process id. What it prints goes to a
// file. It has a process group of its own, so that a Ctrl-C in the terminal reaches only the cluster, and it ends when the cluster dies.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

export interface MemberSettings {
  readonly name: string;
  /** Where it listens on loopback; null when it does not. */
  readonly port: number | null;
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  /** For the file of what it prints, `<name>.log`. */
  readonly folder: string;
  /** What it is sent when the cluster has died. */
  readonly deathSignal: 'TERM' | 'KILL';
  /** Asked until it is true: it does its work. `printed` is what it has said since it was started. */
  isReady(printed: () => string): Promise<boolean>;
  /** It has ended without being told to. */
  onLost(member: Member): void;
}

export interface Member {
  readonly name: string;
  readonly port: number | null;
  /** Of the process of now, or of the last one. */
  readonly pid: number;
  readonly isAlive: boolean;
  readonly logFile: string;
  /** Resolves when it does its work; rejects with the end of what it printed when it ends before. */
  start(): Promise<void>;
  /** SIGTERM; resolves with the exit code (null: a signal ended it). */
  stop(): Promise<number | null>;
  /** kill -9; resolves when it is gone. */
  kill(): Promise<void>;
  /** SIGSTOP and SIGCONT: alive, but answers nothing. */
  freeze(): void;
  thaw(): void;
}

const readyPatienceMs = 180_000;

export function createMember(settings: MemberSettings): Member {
  const { name, port, folder } = settings;
  const logFile = join(folder, `${name}.log`);
  let child: ChildProcess | undefined;
  let gone: Promise<number | null> = Promise.resolve(null);
  let isTold = true;

  const isAlive = () => child !== undefined && child.exitCode === null && child.signalCode === null;
  async function end(signal: NodeJS.Signals): Promise<number | null> {
    isTold = true;
    child?.kill(signal);
    return gone;
  }

  const member: Member = {
    name,
    port,
    logFile,
    get pid() {
      return child?.pid ?? 0;
    },
    get isAlive() {
      return isAlive();
    },
    async start() {
      const log = openSync(logFile, 'a', 0o600);
      const from = fstatSync(log).size;
      const printed = () => readFileSync(logFile).subarray(from).toString();
      const [command, ...args] = mortal(settings);
      const started = spawn(command!, args, { cwd: settings.cwd, env: settings.env, detached: true, stdio: ['ignore', log, log] });
      closeSync(log);
      child = started;
      isTold = false;
      gone = once(started, 'exit').then(
        ([code]) => {
          if (!isTold) settings.onLost(member);
          return code as number | null;
        },
        (error: Error) => Promise.reject(new Error(`${name} could not be started: ${error.message}`)),
      );
      gone.catch(() => undefined); // told by `failed`
      let isOver = false;
      const failed = gone.then((code) => Promise.reject(new Error(`${name} ended with ${code} before it was ready:\n${tail(printed())}`)));
      const becameReady = async () => {
        for (const deadline = Date.now() + readyPatienceMs; !isOver; await delay(50)) {
          if (await settings.isReady(printed)) return;
          if (Date.now() > deadline) throw new Error(`${name} is not ready after ${readyPatienceMs} ms:\n${tail(printed())}`);
        }
      };
      try {
        await Promise.race([becameReady(), failed]);
      } finally {
        isOver = true;
        failed.catch(() => undefined);
      }
    },
    stop: () => end('SIGTERM'),
    async kill() {
      await end('SIGKILL');
    },
    freeze: () => void child?.kill('SIGSTOP'),
    thaw: () => void child?.kill('SIGCONT'),
  };
  return member;
}

/** Linux tells a process when the one that started it has died, however that came about. */
function mortal({ command, args, deathSignal }: MemberSettings): string[] {
  return [...(process.platform === 'linux' ? ['setpriv', '--pdeathsig', deathSignal, '--'] : []), command, ...args];
}

const tail = (text: string): string => text.trim().split('\n').slice(-15).join('\n');

/** Somebody listens on this port of loopback. */
export function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

/** A gateway there, or behind there, says that it is ready. */
export async function isReadyAt(url: string): Promise<boolean> {
  try {
    const answer = await fetch(new URL('/readyz', url), { signal: AbortSignal.timeout(5_000) });
    await answer.arrayBuffer();
    return answer.ok;
  } catch {
    return false;
  }
}
