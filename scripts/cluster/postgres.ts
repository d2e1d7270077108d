// The Postgres of a cluster in a process of its own, which outlives every gateway and runner: it ends with the process that started it,
// however that ends. Run as a program it is that process.
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { startEmbeddedPostgres } from '#src/platform/embedded-postgres.ts';

export interface ClusterPostgres {
  readonly ownerUrl: string;
  readonly appUrl: string;
  readonly appRole: string;
  readonly appPassword: string;
  readonly port: number;
  stop(): Promise<void>;
}

type FromKeeper = Omit<ClusterPostgres, 'stop'> | { readonly error: string };

export async function startClusterPostgres(folder: string): Promise<ClusterPostgres> {
  let child: ChildProcess;
  let exited: Promise<unknown>;
  let isStopping = false;
  let returning: Promise<void> = Promise.resolve();
  async function keep(): Promise<Omit<ClusterPostgres, 'stop'>> {
    const log = openSync(join(folder, 'postgres.log'), 'a', 0o600);
    const args = [join(folder, 'postgres')];
    child = fork(fileURLToPath(import.meta.url), args, { detached: true, stdio: ['ignore', log, log, 'ipc'] });
    closeSync(log);
    const gone = (exited = once(child, 'exit'));
    const ended = gone.then(([code]) => ({ error: `the process of Postgres ended with ${String(code)}: see ${folder}/postgres.log` }));
    const answered = once(child, 'message').then(([message]) => message as FromKeeper);
    const told = await Promise.race([answered, ended]);
    if ('error' in told) throw new Error(told.error);
    void gone.then(() => {
      if (!isStopping) returning = keepAgain();
    });
    return told;
  }
  /** Postgres runs on without its keeper, and nobody would end it: another one attaches to it. */
  async function keepAgain(): Promise<void> {
    try {
      await keep();
    } catch {
      // Why stands in the log.
      if (isStopping) return;
      await delay(againMs);
      return keepAgain();
    }
  }
  const told = await keep();
  return {
    ...told,
    async stop() {
      isStopping = true;
      await returning;
      if (child.connected) child.disconnect();
      await exited;
    },
  };
}

const againMs = 1_000;

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const print = (line: string) => void process.stdout.write(`${line}\n`);
  const parent = Promise.withResolvers<void>();
  process.once('disconnect', () => parent.resolve());
  if (!process.connected) parent.resolve();
  try {
    const postgres = await startEmbeddedPostgres({ folder: process.argv[2]!, log: { info: print, warn: print, error: print } });
    const { ownerUrl, appUrl, appRole, appPassword, port } = postgres;
    if (process.connected) process.send!({ ownerUrl, appUrl, appRole, appPassword, port } satisfies FromKeeper);
    await parent.promise;
    await postgres.stop();
  } catch (error) {
    if (process.connected) process.send!({ error: (error as Error).message } satisfies FromKeeper);
    process.exitCode = 1;
    process.disconnect?.();
  }
}
