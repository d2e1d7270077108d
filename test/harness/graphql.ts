// A real gateway on a free port with a database of its own, real HTTP and real WebSockets.
import { pino } from 'pino';
import { createClient, type Client, type ClientOptions } from 'graphql-ws';
import { WebSocket } from 'ws';
import { createGateway, type Gateway, type GatewaySettings } from '#gateway/server.ts';
import type { GatewayLimits } from '#gateway/limits.ts';
import { createServices, type Services, type ServiceSettings } from '#src/app.ts';
import type { Clock } from '#src/platform/clock.ts';
import type { Database, UnitOfWork } from '#src/platform/database.ts';
import { UnauthenticatedError } from '#src/platform/errors.ts';
import { systemClock } from '#src/platform/clock.ts';
import { loadAuthority } from '#src/principals/authority-reads.ts';
import type { Authenticator } from '#src/principals/authenticate.ts';
import type { Authority } from '#src/authority/permission.ts';
import { testDatabase } from './database.ts';
import { createPeople, type People } from './people.ts';

/** An API key, or somebody without one; null for no credential at all. */
export type Caller = string | Authority | null;

export interface Answer<Data = Record<string, any>> {
  readonly status: number;
  readonly data: Data | null;
  readonly errors: readonly { message: string; path?: (string | number)[]; extensions: { code: string; [key: string]: any } }[] | undefined;
}

export interface TestServer {
  readonly url: string;
  readonly database: Database;
  /** URL of the role that owns the tables, for runners. */
  readonly ownerUrl: string;
  readonly services: Services;
  readonly people: People;
  readonly gateway: Gateway;
  /** Log lines so far, parsed. */
  readonly logs: readonly Record<string, unknown>[];
  gql<Data = Record<string, any>>(query: string, variables?: Record<string, unknown>, options?: { as?: Caller }): Promise<Answer<Data>>;
  /** Results as they come; leaving the loop unsubscribes. */
  subscribe<Data = Record<string, any>>(
    query: string,
    variables?: Record<string, unknown>,
    options?: { as?: Caller },
  ): AsyncIterableIterator<Omit<Answer<Data>, 'status'>>;
  /** A graphql-ws client; closed with the server. */
  client(as: Caller, options?: Partial<ClientOptions>): Client;
  /** The SQL that operations ran meanwhile (not signing in, not transaction control). */
  countStatements<T>(work: () => Promise<T>): Promise<{ readonly result: T; readonly statements: readonly string[] }>;
  close(): Promise<void>;
}

export interface TestServerSettings {
  readonly clock?: Clock;
  readonly limits?: Partial<GatewayLimits>;
  readonly recheckMs?: number;
  readonly pingMs?: number;
  readonly allowedOrigins?: readonly string[];
  readonly publicUrl?: string;
  readonly isProduction?: boolean;
  /** Default: off in production. */
  readonly introspection?: boolean;
  readonly operations?: GatewaySettings['operations'];
  readonly dependencies?: Record<string, () => Promise<void>>;
  readonly optionalDependencies?: Record<string, () => Promise<void>>;
  /** Absent: each request reads all its rows, so that statements can be counted. */
  readonly keepsRows?: boolean;
  /** The way to other processes. */
  readonly pubSub?: ServiceSettings['pubSub'];
  /** Tenants may register tool servers. */
  readonly remote?: ServiceSettings['remote'];
  readonly toolCalls?: ServiceSettings['toolCalls'];
  /** Changes how credentials are looked up. */
  readonly authenticator?: (real: Authenticator, database: Database) => Pick<Authenticator, 'authenticate' | 'refresh'>;
}

export const testLimits: GatewayLimits = {
  requestsPerSecond: 1_000_000,
  requestBurst: 1_000_000,
  failedSignInsPerMinute: 1_000_000,
  httpHeaderBytes: 16 * 1024,
  httpHeadersTimeoutMs: 10_000,
  httpRequestTimeoutMs: 60_000,
  bodyBytes: 10 * 1024 * 1024,
  queryLength: 262_144,
  queryDepth: 15,
  queryAliases: 50,
  queryDirectives: 50,
  queryDefinitions: 100,
  queryFields: 10_000,
  queryTokens: 5_000,
  queryCost: 50_000,
  documentCacheBytes: 64 * 1024 * 1024,
  wsMaxUninitialized: 10_000,
  wsMaxUninitializedPerAddress: 10_000,
  wsMaxIdlePerPrincipal: 10_000,
  wsMessagesPerSecond: 10_000,
  wsMessageBurst: 10_000,
  wsInitTimeoutMs: 10_000,
  wsMaxSubscriptions: 100,
  wsMaxMessageBytes: 1024 * 1024,
  sseMaxStreamsPerPrincipal: 10_000,
  streamQueueBytes: 4 * 1024 * 1024,
  streamStallMs: 30_000,
};

const withoutKey = 'test-principal-';

export async function testServer(settings: TestServerSettings = {}): Promise<TestServer> {
  const { clock = systemClock, limits, recheckMs, allowedOrigins = [], isProduction = false, dependencies = {} } = settings;
  const test = await testDatabase();
  const people = await createPeople(test.database, clock);
  const { database, countStatements } = counted(test.database);
  const logs: Record<string, unknown>[] = [];
  const authenticator = withPrincipals(people.authenticator, test.database);
  const logger = pino({}, { write: (line: string) => void logs.push(JSON.parse(line) as Record<string, unknown>) });
  const { remote, toolCalls, pubSub, keepsRows } = settings;
  const created = createServices({ clock, database, logger, remote, toolCalls, pubSub, keepsRows });
  // What changes kept rows has to say so to those that are served.
  const services: Services = { ...created, ...people, tenants: created.tenants };
  const gateway = await createGateway({
    host: '127.0.0.1',
    port: 0,
    allowedOrigins,
    publicUrl: settings.publicUrl,
    introspection: settings.introspection ?? !isProduction,
    graphiql: !isProduction,
    operations: settings.operations ?? { registered: [], onlyRegistered: false },
    limits: { ...testLimits, ...limits },
    services,
    database,
    authenticator: settings.authenticator?.(authenticator, test.database) ?? authenticator,
    clock,
    logger,
    pubSub: settings.pubSub,
    dependencies,
    optionalDependencies: settings.optionalDependencies,
    ...(recheckMs !== undefined && { recheckMs }),
    ...(settings.pingMs !== undefined && { pingMs: settings.pingMs }),
  });
  const { url } = await gateway.listen();
  const clients: Client[] = [];

  function client(as: Caller, options: Partial<ClientOptions> = {}): Client {
    const opened = createClient({
      url: `${url.replace('http', 'ws')}/graphql`,
      webSocketImpl: WebSocket,
      retryAttempts: 0,
      connectionParams: as === null ? {} : { authorization: `Bearer ${credentialOf(as)}` },
      ...options,
    });
    clients.push(opened);
    return opened;
  }

  return {
    url,
    database,
    ownerUrl: test.ownerUrl,
    services,
    people,
    gateway,
    logs,
    countStatements,
    client,
    async gql(query, variables = {}, { as = people.operator.adminKey } = {}) {
      const response = await fetch(`${url}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...(as !== null && { authorization: `Bearer ${credentialOf(as)}` }) },
        body: JSON.stringify({ query, variables }),
      });
      return { status: response.status, data: null, errors: undefined, ...((await response.json()) as object) };
    },
    subscribe(query, variables = {}, { as = people.operator.adminKey } = {}) {
      const opened = client(as);
      const results = opened.iterate({ query, variables });
      return results as never;
    },
    async close() {
      for (const each of clients) void each.dispose();
      await gateway.close('the test is over');
      services.feed.close();
      await people.authenticator.close();
      await test.close();
    },
  };
}

const credentialOf = (as: string | Authority): string => (typeof as === 'string' ? as : `${withoutKey}${as.tenantId}/${as.principalId}`);

/** Lets somebody in by name, so that a test need not make a key for each; rights are read from the database all the same. */
function withPrincipals(real: Authenticator, database: Database): Authenticator {
  return {
    ...real,
    async authenticate(credential) {
      if (!credential.startsWith(withoutKey)) return real.authenticate(credential);
      const [tenantId, principalId] = credential.slice(withoutKey.length).split('/');
      const authority = await database.read(tenantId!, (uow) => loadAuthority(uow, principalId!));
      if (!authority) throw new UnauthenticatedError('there is no such principal');
      return authority;
    },
  };
}

function counted(real: Database) {
  let recorded: string[] | undefined;
  const watch = (uow: UnitOfWork): UnitOfWork => ({
    ...uow,
    rows(sql, params) {
      recorded?.push(sql);
      return uow.rows(sql, params);
    },
  });
  const database: Database = {
    ...real,
    read: (tenantId, work) => real.read(tenantId, (uow) => work(watch(uow))),
    write: (tenantId, work) => real.write(tenantId, (uow) => work(watch(uow))),
    lookUp: (tenantId, work) => real.lookUp(tenantId, (uow) => work(watch(uow))),
  };
  return {
    database,
    async countStatements<T>(work: () => Promise<T>) {
      const statements: string[] = (recorded = []);
      try {
        return { result: await work(), statements };
      } finally {
        recorded = undefined;
      }
    },
  };
}
