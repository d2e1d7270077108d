// The topology of deploy/ from processes of this machine: Postgres, Redis, gateways, runners, and HAProxy in front with deploy/haproxy.cfg.
// Everything listens on free ports of loopback and keeps its files in one folder.
import { readFileSync, writeFileSync } from 'node:fs';
import { chmod, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { ensureFirstKey, type FirstKey } from '../../cli/first-key.ts';
import { ensureSecretKey } from '../../cli/secret-key.ts';
import { migrate } from '#src/migrate.ts';
import { ormOptions } from '#src/orm.ts';
import { openDatabase } from '#src/platform/database.ts';
import { freePort } from '#test/harness/daemon.ts';
import { root } from '../generated.ts';
import { accepts, createMember, isReadyAt, type Member } from './member.ts';
import { startClusterPostgres } from './postgres.ts';
import { requirePrograms } from './programs.ts';

export interface ClusterSettings {
  readonly folder: string;
  readonly gateways: number;
  readonly workers: number;
  /** Of HAProxy; 0 takes a free one. */
  readonly port: number;
  /** postgres:// URL of the role that owns the tables; without it the cluster runs a Postgres in its folder. */
  readonly databaseUrl?: string | undefined;
  /** Environment of gateways, runners and HAProxy; what makes them a cluster is added. */
  readonly env: NodeJS.ProcessEnv;
  say(line: string): void;
  /** A member has ended without being told to. */
  onLost(member: Member): void;
}

export interface Cluster {
  /** Where clients connect: HAProxy. */
  readonly url: string;
  /** The administrator's first key, until it has been shown. */
  readonly firstKey: FirstKey | null;
  readonly databaseUrl: string;
  readonly gateways: readonly Member[];
  readonly workers: readonly Member[];
  readonly redis: Member;
  readonly balancer: Member;
  /** Ends everything in order, nearest to the clients first. */
  stop(): Promise<void>;
}

/** Debian keeps servers where only root looks. */
const path = `${process.env['PATH'] ?? ''}:/usr/local/sbin:/usr/sbin`;
/** Longer than it takes HAProxy to notice: its check is asked every 500 ms. */
const drainMs = 1_500;
const appRole = 'signalbox_app';

export async function startCluster(settings: ClusterSettings): Promise<Cluster> {
  requirePrograms(path);
  const starting = new AsyncDisposableStack();
  try {
    return await openMembers(settings, starting);
  } catch (error) {
    await starting.disposeAsync();
    throw error;
  }
}

async function openMembers(settings: ClusterSettings, starting: AsyncDisposableStack): Promise<Cluster> {
  const { folder, say, onLost } = settings;
  await mkdir(folder, { recursive: true });
  await chmod(folder, 0o711); // Postgres runs as another user when root starts it
  const common = { folder, cwd: root, onLost };

  const database = await openStore(settings, starting);
  const redis = await redisMember(common);
  starting.defer(() => redis.stop().then(() => undefined));
  await redis.start();
  say(`Redis on 127.0.0.1:${redis.port}`);

  const port = settings.port || (await freePort());
  const statsPort = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const shared: NodeJS.ProcessEnv = {
    SIGNALBOX_HTTP_DRAIN_MS: String(drainMs),
    ...settings.env,
    ...database.env,
    PATH: path,
    REDIS_URL: `redis://127.0.0.1:${redis.port}`,
    SIGNALBOX_SECRET_KEY: Buffer.from(await ensureSecretKey({ dataDir: folder, secretKey: settings.env['SIGNALBOX_SECRET_KEY'] })).toString(
      'base64',
    ),
    SIGNALBOX_HTTP_HOST: '127.0.0.1',
    SIGNALBOX_HTTP_PUBLIC_URL: url,
    SIGNALBOX_HTTP_TRUSTED_PROXIES: '127.0.0.1',
  };
  const part = (name: string, command: 'gateway' | 'worker', listens: number | null): Member => {
    const env = { ...shared, SIGNALBOX_DATA_DIR: join(folder, name), ...(listens !== null && { SIGNALBOX_HTTP_PORT: String(listens) }) };
    const isReady = async (printed: () => string) => {
      if (listens === null) return /^runner: /m.test(printed());
      return (await isReadyAt(`http://127.0.0.1:${listens}`)) && (!balancer.isAlive || sendsTo(name, statsPort));
    };
    const member = createMember({
      ...{ ...common, name, port: listens, env, isReady, deathSignal: 'TERM' },
      ...{ command: process.execPath, args: ['cli/signalbox.ts', command] },
    });
    starting.defer(() => member.stop().then(() => undefined));
    return member;
  };
  const workers = Array.from({ length: settings.workers }, (_, index) => part(`worker-${index + 1}`, 'worker', null));
  const ports = await Promise.all(Array.from({ length: settings.gateways }, () => freePort()));
  const gateways = ports.map((listens, index) => part(`gateway-${index + 1}`, 'gateway', listens));
  const balancer = balancerMember(common, { port, statsPort, url, gateways, env: settings.env });
  starting.defer(() => balancer.stop().then(() => undefined));

  await Promise.all(
    [...gateways, ...workers].map(async (member) => {
      await member.start();
      say(`${member.name} is ready (process ${member.pid}${member.port === null ? '' : `, 127.0.0.1:${member.port}`})`);
    }),
  );
  await balancer.start();
  const { firstKey, databaseUrl } = database;
  const opened = starting.move();
  return {
    ...{ url, firstKey, databaseUrl, gateways, workers, redis, balancer },
    async stop() {
      await stopAll(gateways, say);
      await stopAll(workers, say);
      await stopAll([balancer, redis], say);
      await opened.disposeAsync();
    },
  };
}

async function stopAll(members: readonly Member[], say: (line: string) => void): Promise<void> {
  await Promise.all(
    members.map(async (member) => {
      if (!member.isAlive) return;
      member.thaw();
      const code = await member.stop();
      say(`${member.name} has stopped${code === 0 || code === null ? '' : ` with code ${code}: see ${member.logFile}`}`);
    }),
  );
}

interface Store {
  readonly databaseUrl: string;
  readonly env: NodeJS.ProcessEnv;
  readonly firstKey: FirstKey | null;
}

/** The database, brought to this version before anybody uses it, so that the first key can be shown once by whoever started the cluster. */
async function openStore({ folder, databaseUrl, say }: ClusterSettings, starting: AsyncDisposableStack): Promise<Store> {
  if (databaseUrl !== undefined) {
    await migrate({ ownerUrl: databaseUrl, appRole, ownerActsAsApp: true });
    const firstKey = await firstKeyOf(folder, { url: databaseUrl, actAs: appRole });
    return { databaseUrl, env: { DATABASE_URL: databaseUrl }, firstKey };
  }
  const postgres = await startClusterPostgres(folder);
  starting.defer(() => postgres.stop());
  say(`Postgres on 127.0.0.1:${postgres.port}`);
  await migrate({ ownerUrl: postgres.ownerUrl, appRole: postgres.appRole, appPassword: postgres.appPassword });
  const firstKey = await firstKeyOf(folder, { url: postgres.appUrl });
  return { databaseUrl: postgres.ownerUrl, env: { DATABASE_URL: postgres.ownerUrl, DATABASE_APP_URL: postgres.appUrl }, firstKey };
}

async function firstKeyOf(folder: string, app: { url: string; actAs?: string }): Promise<FirstKey | null> {
  const database = await openDatabase(ormOptions({ ...app, poolMax: 2 }));
  try {
    return await ensureFirstKey(folder, database);
  } finally {
    await database.close();
  }
}

type Common = Pick<Parameters<typeof createMember>[0], 'folder' | 'cwd' | 'onLost'>;

/** Keeps nothing: what Signalbox has in Redis, it can do without. */
async function redisMember(common: Common): Promise<Member> {
  const port = await freePort();
  const args = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', common.folder];
  const isReady = () => accepts(port);
  return createMember({ ...common, name: 'redis', port, command: 'redis-server', args, env: { PATH: path }, isReady, deathSignal: 'KILL' });
}

interface Front {
  readonly port: number;
  readonly statsPort: number;
  readonly url: string;
  readonly gateways: readonly Member[];
  readonly env: NodeJS.ProcessEnv;
}

function balancerMember(common: Common, { port, statsPort, url, gateways, env: given }: Front): Member {
  const config = join(common.folder, 'haproxy.cfg');
  writeFileSync(config, balancerConfig(gateways));
  const env = { ...given, PATH: path, SIGNALBOX_BIND: `127.0.0.1:${port}`, SIGNALBOX_STATS_BIND: `127.0.0.1:${statsPort}` };
  const args = ['-db', '-f', config];
  return createMember({
    ...common,
    name: 'haproxy',
    port,
    command: 'haproxy',
    args,
    env,
    isReady: () => isReadyAt(url),
    deathSignal: 'KILL',
  });
}

/** deploy/haproxy.cfg with these servers of loopback. */
export function balancerConfig(servers: readonly Pick<Member, 'name' | 'port'>[]): string {
  const shipped = readFileSync(join(root, 'deploy', 'haproxy.cfg'), 'utf8');
  return shipped.replace(/^( +server gateway-.*\n)+/m, servers.map(({ name, port }) => `  server ${name} 127.0.0.1:${port}\n`).join(''));
}

/** HAProxy has seen that this gateway is ready: until then, restarting another one would leave nobody. */
async function sendsTo(gateway: string, statsPort: number): Promise<boolean> {
  const answer = await fetch(`http://127.0.0.1:${statsPort}/;csv`).catch(() => null);
  return new RegExp(`^gateways,${gateway},.*,UP,`, 'm').test((await answer?.text()) ?? '');
}
