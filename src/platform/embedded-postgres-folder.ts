// The folder of an embedded Postgres: `credentials.json` (mode 0600), `server.log`, and `data/` (Postgres's own).
// It appears whole or not at all: it is prepared under another name and renamed.
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmod, chown, lchown, mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { basename, dirname, join } from 'node:path';
import { EmbeddedPostgresError, findIdentity, processKind, type Binaries, type Identity } from './embedded-postgres-process.ts';

export interface Credentials {
  readonly superuserPassword: string;
  readonly ownerPassword: string;
  readonly appPassword: string;
  /** Where the server listens, unless configured. */
  readonly port: number;
}

export interface Cluster {
  /** Absolute. */
  readonly folder: string;
  readonly data: string;
  readonly logFile: string;
  readonly identity: Identity;
  readonly credentials: Credentials;
}

export interface ClusterSettings {
  /** Absolute path. */
  readonly folder: string;
  readonly port: number | undefined;
  readonly binaries: Binaries;
  /** Is called before the slow part of a first start. */
  readonly onFirstStart: () => void;
}

/** Opens the folder, preparing it when it is new. Several processes may do so at once. */
export async function openCluster(settings: ClusterSettings): Promise<Cluster> {
  const { folder, binaries } = settings;
  try {
    await mkdir(dirname(folder), { recursive: true });
    await removeAbandoned(folder);
    if ((await versionOf(folder)) === null) await prepare(settings);
    await checkVersion(folder, binaries);
    const identity = await ownedIdentity(join(folder, 'data'), binaries);
    const credentials = JSON.parse(await readFile(join(folder, 'credentials.json'), 'utf8')) as Credentials;
    return { folder, data: join(folder, 'data'), logFile: join(folder, 'server.log'), identity, credentials };
  } catch (error) {
    throw explained(error, folder);
  }
}

async function versionOf(folder: string): Promise<string | null> {
  try {
    return (await readFile(join(folder, 'data', 'PG_VERSION'), 'utf8')).trim();
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return null;
    throw error;
  }
}

async function checkVersion(folder: string, { major }: Binaries): Promise<void> {
  const found = await versionOf(folder);
  if (found === major) return;
  throw new EmbeddedPostgresError(
    `${folder} was written by Postgres ${found}, but this Signalbox brings Postgres ${major}: choose another SIGNALBOX_DATA_DIR, ` +
      `or dump the old data with Postgres ${found} and set DATABASE_URL to a server that you load it into`,
  );
}

/** A folder that was copied or restored may be open to others (Postgres refuses that) or belong to root. */
async function ownedIdentity(data: string, binaries: Binaries): Promise<Identity> {
  if (((await stat(data)).mode & 0o777) !== 0o700) await chmod(data, 0o700);
  const identity = await findIdentity(data, binaries);
  const { owner } = identity;
  if (owner && (await stat(data)).uid !== owner.uid) {
    await chown(data, owner.uid, owner.gid);
    for (const entry of await readdir(data, { recursive: true })) await lchown(join(data, entry), owner.uid, owner.gid);
  }
  return identity;
}

async function prepare({ folder, port, binaries, onFirstStart }: ClusterSettings): Promise<void> {
  const present = await readdir(folder).catch(() => []);
  if (present.length > 0) {
    throw new EmbeddedPostgresError(
      `${folder} holds something else than a Postgres of Signalbox (${present.slice(0, 3).join(', ')}): move it away`,
    );
  }
  onFirstStart();
  const draft = `${folder}.new-${process.pid}-${randomBytes(4).toString('hex')}`;
  const data = join(draft, 'data');
  const passwordFile = join(draft, 'password');
  try {
    await mkdir(draft);
    await chmod(draft, 0o711); // whatever the umask: the user that Postgres runs as passes through, and sees no list
    await mkdir(data, { mode: 0o700 });
    const identity = await findIdentity(data, binaries);
    const { owner } = identity;
    const credentials: Credentials = {
      superuserPassword: secret(),
      ownerPassword: secret(),
      appPassword: secret(),
      port: port ?? (await freePort()),
    };
    await writeFile(passwordFile, credentials.superuserPassword, { mode: 0o600 });
    if (owner) await Promise.all([data, passwordFile].map((path) => chown(path, owner.uid, owner.gid)));
    await runInitdb(identity, binaries, data, passwordFile);
    await rm(passwordFile);
    await writeCredentials(draft, credentials);
    await rename(draft, folder);
  } catch (error) {
    await rm(draft, { recursive: true, force: true });
    // Another process was faster: its folder is as good as ours.
    if (!['ENOTEMPTY', 'EEXIST'].includes(codeOf(error) ?? '')) throw error;
  }
}

async function runInitdb(identity: Identity, { initdb }: Binaries, data: string, passwordFile: string): Promise<void> {
  // Postgres's own collation: the indexes stay valid when the folder moves to a machine with another C library.
  const locale = ['--encoding=UTF8', '--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8'];
  const options = ['-D', data, '-U', 'postgres', '--auth=scram-sha-256', `--pwfile=${passwordFile}`, '--no-instructions', ...locale];
  const { command, args, options: spawnOptions } = identity.command(initdb, options);
  const child = spawn(command, args, { ...spawnOptions, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  child.stdout.on('data', (chunk) => (output += String(chunk)));
  child.stderr.on('data', (chunk) => (output += String(chunk)));
  const code = await new Promise((resolve, reject) => child.on('error', reject).on('close', resolve));
  if (code !== 0) throw failureOf(output, dirname(dirname(data)), 'cannot be initialised');
}

const secret = (): string => randomBytes(24).toString('base64url');

/** Replaces the file in one step; readable by its owner only. */
export async function writeCredentials(folder: string, credentials: Credentials): Promise<void> {
  const file = join(folder, 'credentials.json');
  const draft = `${file}.new-${process.pid}`;
  await writeFile(draft, `${JSON.stringify(credentials, null, 2)}\n`, { mode: 0o600, flush: true });
  await keepOwner(draft, folder);
  await rename(draft, file);
}

/** Root may start Signalbox on a folder of another user: what it writes there stays that user's. */
export async function keepOwner(file: string, folder: string): Promise<void> {
  if (process.getuid?.() !== 0) return;
  const { uid, gid } = await stat(folder);
  await chown(file, uid, gid);
}

/** What a process that was killed while preparing has left behind. */
async function removeAbandoned(folder: string): Promise<void> {
  const draftName = `${basename(folder)}.new-`;
  for (const name of await readdir(dirname(folder))) {
    if (!name.startsWith(draftName)) continue;
    const pid = Number(name.slice(draftName.length).split('-')[0]);
    if ((await processKind(pid)) !== 'none') continue;
    // Its initdb goes on writing until it notices, for a second at most.
    await rm(join(dirname(folder), name), { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
  }
}

/** A port of the loopback address that nobody listens on now, below the range that systems hand out by themselves. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = 20_000 + (randomBytes(2).readUInt16BE() % 12_000);
    const isFree = await new Promise<boolean>((resolve) => {
      const server = createServer()
        .once('error', () => resolve(false))
        .listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
    });
    if (isFree) return port;
  }
}

/** What Postgres writes into postmaster.pid, as far as it has come; null without the file. */
export interface Postmaster {
  readonly pid: number;
  readonly port: number | undefined;
  readonly isReady: boolean;
}

export async function readPostmaster(data: string): Promise<Postmaster | null> {
  const text = await readFile(join(data, 'postmaster.pid'), 'utf8').catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT') return null;
    throw error;
  });
  if (text === null) return null;
  const lines = text.split('\n').map((line) => line.trim());
  return { pid: Number(lines[0]), port: lines[3] ? Number(lines[3]) : undefined, isReady: lines[7] === 'ready' };
}

/** Turns what initdb or the server printed into one sentence. */
export function failureOf(output: string, folder: string, what: string): EmbeddedPostgresError {
  if (/No space left on device|Disk quota exceeded/i.test(output)) {
    return new EmbeddedPostgresError(`the disk of ${folder} is full: free space, or choose another SIGNALBOX_DATA_DIR`);
  }
  const lines = output.trim().split('\n').filter(Boolean).slice(-5);
  return new EmbeddedPostgresError(`Postgres in ${folder} ${what}: ${lines.join(' | ') || 'it printed nothing'}`);
}

function explained(error: unknown, folder: string): unknown {
  const code = codeOf(error);
  const wayOut = 'choose another SIGNALBOX_DATA_DIR';
  if (code === 'EACCES' || code === 'EPERM') {
    return new EmbeddedPostgresError(
      `the data folder ${folder} belongs to another user or may not be written: start Signalbox as that user, or ${wayOut}`,
    );
  }
  if (code === 'EROFS' || code === 'ENOTDIR' || code === 'EEXIST') {
    return new EmbeddedPostgresError(
      `the data folder ${folder} cannot be made (${code === 'EROFS' ? 'read-only disk' : 'a file is in its way'}): ${wayOut}`,
    );
  }
  if (code === 'ENOSPC' || code === 'EDQUOT') return failureOf('No space left on device', folder, '');
  return error;
}

const codeOf = (error: unknown): string | undefined => (error as NodeJS.ErrnoException | undefined)?.code;
