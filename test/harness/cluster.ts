// A cluster for tests (scripts/cluster/topology.ts): gateways and runners as processes behind HAProxy with a Redis, on a database of the
// test server, and a small tenant in it.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { parseApiKey } from '#src/authority/api-key.ts';
import type { Member } from '../../scripts/cluster/member.ts';
import { startCluster, type Cluster } from '../../scripts/cluster/topology.ts';
import { testDatabase, type TestDatabase } from './database.ts';
import { startReceiver, type EffectReceiver } from './effect-receiver.ts';
import { effectServer } from './product.ts';
import { setUpTenant, type ProductTenant } from './product-tenant.ts';

export interface TestCluster extends Cluster {
  readonly db: TestDatabase;
  readonly tenantId: string;
  readonly tenant: ProductTenant;
  /** Counts what the tool `effects.post` of the runners does. */
  readonly receiver: EffectReceiver;
  /** Members that ended without being told to, with what they said: must stay empty. */
  readonly lost: readonly string[];
  rows<Row extends object>(sql: string): Promise<Row[]>;
  close(): Promise<void>;
}

export async function testCluster(): Promise<TestCluster> {
  const opened = new AsyncDisposableStack();
  try {
    return await open(opened);
  } catch (error) {
    await opened.disposeAsync();
    throw error;
  }
}

async function open(opened: AsyncDisposableStack): Promise<TestCluster> {
  const folder = mkdtempSync(join(tmpdir(), 'signalbox-cluster-'));
  opened.defer(() => rmSync(folder, { recursive: true, force: true }));
  const db = await testDatabase();
  opened.defer(() => db.close());
  const receiver = await startReceiver();
  opened.defer(() => receiver.close());
  const config = join(folder, 'signalbox.yaml');
  writeFileSync(config, stringify({ runner: { takeoverCheckMs: 250, graceMs: 60_000 }, toolServers: effectServer(receiver.url) }));

  const lost: string[] = [];
  const onLost = (member: Member) => void lost.push(`${member.name}:\n${readFileSync(member.logFile, 'utf8').slice(-2_000)}`);
  const env = { SIGNALBOX_CONFIG: config, SIGNALBOX_LOG_LEVEL: 'info', NODE_COMPILE_CACHE: compileCache, ...oneAddress };
  const cluster = await startCluster({
    folder,
    gateways: 2,
    workers: 2,
    port: 0,
    databaseUrl: db.ownerUrl,
    env,
    say: () => undefined,
    onLost,
  });
  const members = [...cluster.gateways, ...cluster.workers, cluster.redis, cluster.balancer];
  opened.defer(async () => {
    for (const member of members) member.thaw();
    await cluster.stop();
  });
  const adminKey = cluster.firstKey!.token;
  const tenant = await setUpTenant(cluster.url, adminKey);
  opened.defer(() => tenant.close());
  const { tenantId } = parseApiKey(adminKey)!;
  const disposing = opened.move();
  return {
    ...{ ...cluster, db, tenantId, tenant, receiver, lost },
    rows: (sql) => db.database.read(tenantId, (uow) => uow.rows(sql)),
    close: () => disposing.disposeAsync(),
  };
}

/** All clients of a test have the address that only a whole crowd has elsewhere. */
const oneAddress = {
  HAPROXY_SOURCE_CONNECTIONS_1S: '1000000',
  HAPROXY_SOURCE_CONNECTIONS_10S: '1000000',
  HAPROXY_SOURCE_CONNECTIONS: '1000000',
  HAPROXY_SOURCE_BYTES_10S: '1000000000',
};

/** Half of a start is reading modules; processes are started often here. */
const compileCache = join(import.meta.dirname, '../../node_modules/.cache/signalbox-process-tests');
