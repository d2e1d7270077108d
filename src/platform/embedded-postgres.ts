// A real Postgres from npm in a folder of this machine, for when no DATABASE_URL is given. Several Signalbox processes may use
// one folder: the first starts the server, the others attach, the last one to stop takes it down. It survives a kill -9 of any.
// Which process may stop it is decided by Postgres itself: each user of the server holds a shared advisory lock ("presence").
import { spawn } from 'node:child_process';
import { open, readFile, rename, rm, stat, statfs, type FileHandle } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { failureOf, freePort, keepOwner, openCluster, readPostmaster, writeCredentials, type Cluster } from './embedded-postgres-folder.ts';
import { EmbeddedPostgresError, findBinaries, processKind, type Binaries } from './embedded-postgres-process.ts';

export interface EmbeddedPostgresSettings {
  /** Holds nothing else; made when absent. */
  readonly folder: string;
  /** Where to listen on 127.0.0.1; without it a free port, kept in the folder. */
  readonly port?: number | undefined;
  readonly log: { info(message: string): void; warn(message: string): void; error(message: string): void };
  /** Server settings besides the usual ones; when another process has started the server already, they have no effect. */
  readonly serverSettings?: Readonly<Record<string, string>> | undefined;
}

export interface EmbeddedPostgres {
  /** The role that owns the database and its tables; no superuser. */
  readonly ownerUrl: string;
  /** The role the application logs in as. `migrate()` creates it and its rights. */
  readonly appRole: string;
  readonly appPassword: string;
  readonly appUrl: string;
  /** The superuser, database `postgres`. For tests and repairs. */
  readonly adminUrl: string;
  readonly port: number;
  /** Leaves the server; takes it down unless another Signalbox process uses it. */
  stop(): Promise<void>;
}

const databaseName = 'signalbox';
const ownerRole = 'signalbox_owner';
const appRole = 'signalbox_app';
const presenceLock = 7_120_311;
const setupLock = 7_120_312;

const usualSettings = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '', // their paths would have to be short, and open to the user
  cluster_name: 'signalbox',
  max_connections: '200',
  jit: 'off', // short statements only
  // What the application does wrong is in the application's log; rows and statements belong into none.
  log_min_messages: 'log',
  log_min_error_statement: 'panic',
  log_error_verbosity: 'terse',
  log_checkpoints: 'off',
};

/** One process's use of one server. */
interface Server {
  readonly cluster: Cluster;
  readonly binaries: Binaries;
  readonly settings: EmbeddedPostgresSettings;
  port: number;
}

export async function startEmbeddedPostgres(settings: EmbeddedPostgresSettings): Promise<EmbeddedPostgres> {
  const folder = resolve(settings.folder);
  const binaries = await findBinaries();
  const onFirstStart = () => settings.log.info(`first start: preparing Postgres ${binaries.major} in ${folder}, which takes a few seconds`);
  const cluster = await openCluster({ folder, port: settings.port, binaries, onFirstStart });
  const server: Server = { cluster, binaries, settings, port: settings.port ?? cluster.credentials.port };
  const stopping = new AbortController();
  let presence = await attachOrLaunch(server, true, stopping.signal);
  try {
    await createOwnerAndDatabase(presence, cluster.credentials.ownerPassword);
  } catch (error) {
    await leave(server, presence);
    throw error;
  }

  // Postgres may die or be restarted under us (out of memory, kill -9): bring it back where the pools expect it.
  let returning: Promise<void> = Promise.resolve();
  const watch = (client: pg.Client) => client.once('end', () => void (returning = comeBack()));
  async function comeBack(): Promise<void> {
    for (let waitMs = 100; !stopping.signal.aborted; waitMs = Math.min(waitMs * 2, 30_000)) {
      settings.log.warn(`the connection to Postgres in ${folder} was lost: starting it again if it is gone`);
      try {
        presence = await attachOrLaunch(server, false, stopping.signal);
        watch(presence);
        return;
      } catch (error) {
        if (stopping.signal.aborted) return;
        settings.log.error(error instanceof Error ? error.message : String(error));
        await delay(waitMs, undefined, { signal: stopping.signal }).catch(() => undefined);
      }
    }
  }
  watch(presence);

  const url = (user: string, password: string, database: string) => `postgres://${user}:${password}@127.0.0.1:${server.port}/${database}`;
  const { superuserPassword, ownerPassword, appPassword } = cluster.credentials;
  return {
    ownerUrl: url(ownerRole, ownerPassword, databaseName),
    appRole,
    appPassword,
    appUrl: url(appRole, appPassword, databaseName),
    adminUrl: url('postgres', superuserPassword, 'postgres'),
    port: server.port,
    async stop() {
      if (stopping.signal.aborted) return;
      stopping.abort();
      await returning;
      await leave(server, presence);
    },
  };
}

/** Resolves with a connection that holds the presence lock. `mayMove`: the port is not known to anyone yet. */
async function attachOrLaunch(server: Server, mayMove: boolean, signal: AbortSignal): Promise<pg.Client> {
  const { data, folder } = server.cluster;
  const { log, port: configured } = server.settings;
  const waiting = reporter(server);
  for (;;) {
    const postmaster = await readPostmaster(data);
    if (postmaster && (await processKind(postmaster.pid)) === 'postgres') {
      const presence = postmaster.port === undefined ? null : await enter(server, postmaster.pid, postmaster.port);
      if (presence) {
        const port = postmaster.port!;
        if (!mayMove && port !== server.port) log.error(`Postgres in ${folder} now listens on port ${port}: restart this process`);
        else if (configured !== undefined && port !== configured) log.warn(`Postgres in ${folder} runs already, on port ${port}`);
        server.port = port;
        return presence;
      }
    } else {
      // Postgres replaces the file of a dead server, unless that process id is a zombie's or another program's by now.
      if (postmaster && exists(postmaster.pid)) await rm(join(data, 'postmaster.pid'), { force: true });
      await launch(server, mayMove, waiting);
    }
    waiting();
    await delay(25, undefined, { signal });
  }
}

function exists(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Says every ten seconds that there is still something to wait for. */
function reporter({ cluster, settings }: Pick<Server, 'cluster' | 'settings'>): () => void {
  const startedAt = Date.now();
  let reports = 0;
  return () => {
    const seconds = Math.floor((Date.now() - startedAt) / 1_000);
    if (seconds < (reports + 1) * 10) return;
    reports++;
    settings.log.warn(`waiting for Postgres in ${cluster.folder} for ${seconds} s (it recovers or stops); see ${cluster.logFile}`);
  };
}

/** Null while the server starts or stops. */
async function enter({ cluster }: Server, pid: number, port: number): Promise<pg.Client | null> {
  const client = new pg.Client({
    connectionString: `postgres://postgres:${cluster.credentials.superuserPassword}@127.0.0.1:${port}/postgres`,
    application_name: 'signalbox-presence',
    keepAlive: true,
  });
  client.on('error', () => undefined); // `end` follows
  try {
    await client.connect();
    // Waits while another process is stopping the server, and fails when it has.
    await client.query('select pg_advisory_lock_shared($1)', [presenceLock]);
    const { rows } = await client.query<{ folder: string }>(`select current_setting('data_directory') as folder`);
    const [served, own] = await Promise.all([stat(rows[0]!.folder).catch(() => null), stat(cluster.data)]);
    if (served?.ino === own.ino && served.dev === own.dev) return client;
  } catch (error) {
    await client.end().catch(() => undefined);
    if ((error as { code?: string }).code !== '28P01') return null; // anything but "wrong password" passes with time
  }
  await client.end().catch(() => undefined);
  throw new EmbeddedPostgresError(
    `${join(cluster.data, 'postmaster.pid')} names process ${pid}, which is a Postgres of another folder: ` +
      'if no Postgres uses this folder, delete that file and start again',
  );
}

/** Returns when a server is ready, or when this attempt lost against another process's. */
async function launch(server: Server, mayMove: boolean, waiting: () => void): Promise<void> {
  const { cluster, binaries, settings } = server;
  const serverSettings = Object.entries({ ...usualSettings, ...settings.serverSettings });
  const { command, args, options } = cluster.identity.command(binaries.postgres, [
    ...['-D', cluster.data, '-p', String(server.port)],
    ...serverSettings.flatMap(([name, value]) => ['-c', `${name}=${value}`]),
  ]);
  const log = await openLog(cluster);
  const from = (await log.stat()).size;
  // A session of its own: Ctrl-C in the terminal must not reach Postgres before Signalbox has stopped gracefully.
  const child = spawn(command, args, { ...options, detached: true, stdio: ['ignore', log.fd, log.fd] });
  let exited = false;
  child.on('error', () => (exited = true)).on('exit', () => (exited = true));
  child.unref();
  await log.close();
  while (!exited) {
    const postmaster = await readPostmaster(cluster.data);
    if (postmaster?.pid === child.pid && postmaster?.isReady) return;
    waiting(); // crash recovery can take long
    await delay(20);
  }
  const output = await ownOutput(cluster.logFile, from, child.pid);
  if (/lock file "postmaster.pid" (already exists|is empty)/.test(output)) return;
  if (/pre-existing shared memory block/.test(output)) return; // backends of a killed server are still about to end
  if (!/Address already in use/.test(output)) {
    // A full disk often has no room for the line that says so.
    const reason = (await hasRoom(cluster.data)) ? output : `${output}\nNo space left on device`;
    throw failureOf(reason, cluster.folder, 'does not start');
  }
  if (settings.port !== undefined || !mayMove) {
    throw new EmbeddedPostgresError(
      `port ${server.port} of 127.0.0.1 is taken by another program: stop it, or set SIGNALBOX_DATABASE_EMBEDDED_PORT to a free port`,
    );
  }
  const port = await freePort();
  settings.log.warn(`port ${server.port} is taken by another program: Postgres in ${cluster.folder} moves to port ${port}`);
  server.port = port;
  await writeCredentials(cluster.folder, { ...cluster.credentials, port });
}

const maxLogBytes = 5_000_000;

async function openLog({ logFile, folder }: Cluster): Promise<FileHandle> {
  const size = await stat(logFile).then(
    (found) => found.size,
    () => 0,
  );
  if (size > maxLogBytes) await rename(logFile, `${logFile}.1`);
  const log = await open(logFile, 'a', 0o600);
  await keepOwner(logFile, folder);
  return log;
}

/** Postgres needs room for a piece of its log to start at all. */
async function hasRoom(folder: string): Promise<boolean> {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize >= logPieceBytes;
}
const logPieceBytes = 16 * 1024 * 1024;

/** What one server process and the one that recovers its data wrote, or something that started before it could (the loader): servers that lost a race write there too. */
async function ownOutput(logFile: string, from: number, pid: number | undefined): Promise<string> {
  const text = (await readFile(logFile)).subarray(from).toString();
  const recoverers = [...text.matchAll(/\[(\d+)\] .*startup process \(PID (\d+)\)/g)];
  const writers = new Set([pid, ...recoverers.filter(([, writer]) => Number(writer) === pid).map(([, , recoverer]) => Number(recoverer))]);
  return text
    .split('\n')
    .map((line) => /^\S+ \S+ \S+ \[(\d+)\] (.*)$/.exec(line) ?? [line, String(pid), line])
    .filter(([, writer]) => writers.has(Number(writer)))
    .map(([, , message]) => message)
    .join('\n');
}

async function createOwnerAndDatabase(client: pg.Client, password: string): Promise<void> {
  await client.query('select pg_advisory_lock($1)', [setupLock]);
  const { rows } = await client.query<{ hasRole: boolean; hasDatabase: boolean }>(
    `select to_regrole($1) is not null as "hasRole", exists (select from pg_database where datname = $2) as "hasDatabase"`,
    [ownerRole, databaseName],
  );
  if (!rows[0]!.hasRole) await client.query(`create role ${ownerRole} login createrole password ${pg.escapeLiteral(password)}`);
  if (!rows[0]!.hasDatabase) await client.query(`create database ${databaseName} owner ${ownerRole}`);
  await client.query('select pg_advisory_unlock($1)', [setupLock]);
}

/** The last one to leave takes the server down; whoever comes meanwhile waits in `enter`, then starts it afresh. */
async function leave({ cluster, settings }: Server, presence: pg.Client): Promise<void> {
  try {
    await presence.query('select pg_advisory_unlock_shared($1)', [presenceLock]);
    const { rows } = await presence.query<{ isAlone: boolean }>('select pg_try_advisory_lock($1) as "isAlone"', [presenceLock]);
    const postmaster = await readPostmaster(cluster.data);
    if (!rows[0]!.isAlone || !postmaster) return;
    process.kill(postmaster.pid, 'SIGINT'); // "fast": ends sessions, writes everything down
    const waiting = reporter({ cluster, settings });
    while ((await processKind(postmaster.pid)) === 'postgres') {
      waiting();
      await delay(20);
    }
  } catch (error) {
    settings.log.warn(`Postgres in ${cluster.folder} was not stopped: ${error instanceof Error ? error.message : String(error)}`);
  } finally {
    await presence.end().catch(() => undefined);
  }
}
