// The Postgres of a cluster in a process of its own, which outlives every gateway and runner: it ends with the process that started it,
// however that ends. Run as a program it is that process.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
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
  const log = openSync(join(folder, 'postgres.log'), 'a', 0o600);
  const args = [join(folder, 'postgres')];
  const child = fork(fileURLToPath(import.meta.url), args, { detached: true, stdio: ['ignore', log, log, 'ipc'] });
  closeSync(log);
  const exited = once(child, 'exit');
  const ended = exited.then(([code]) => ({ error: `the process of Postgres ended with ${String(code)}: see ${folder}/postgres.log` }));
  const answered = once(child, 'message').then(([message]) => message as FromKeeper);
  const told = await Promise.race([answered, ended]);
  if ('error' in told) throw new Error(told.error);
  return {
    ...told,
    async stop() {
      if (child.connected) child.disconnect();
      await exited;
    },
  };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const print = (line: string) => void process.stdout.write(`${line}\n`);
  const parent = Promise.withResolvers<void>();
  process.once('disconnect', () => parent.resolve());
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
