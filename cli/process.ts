// One Signalbox process: opens what it needs in order, and closes it in the opposite order. The commands choose its parts.
import { join } from 'node:path';
import { readManifests } from '#gateway/manifest.ts';
import { createServices, type Services } from '#src/app.ts';
import { createOutbound } from '#src/outbound/guard.ts';
import type { Outbound } from '#src/outbound/outbound.ts';
import type { Config } from '#src/config.ts';
import { createRelay } from '#src/eventbus/relay.ts';
import { maxOutputBytes } from '#src/executions/execution.ts';
import { createEvaluator } from '#src/expressions/evaluator.ts';
import { historyNamespace } from '#src/events/namespace.ts';
import { systemClock as clock } from '#src/platform/clock.ts';
import { openDatabase, type Database } from '#src/platform/database.ts';
import type { Logger } from '#src/platform/logger.ts';
import { createPubSub, type PubSub } from '#src/platform/redis.ts';
import { createSealer } from '#src/platform/sealing.ts';
import { ormOptions } from '#src/orm.ts';
import { createRedactor } from '#src/decisions/redaction.ts';
import { createAuthenticator } from '#src/principals/authenticate.ts';
import { createRunner } from '#src/runner/runner.ts';
import { allToolServers, createRemoteServers } from '#src/tools/remote-servers.ts';
import { createToolServers, type ToolServers } from '#src/tools/tool-servers.ts';
import { startToolSync } from '#src/tools/tool-sync.ts';
import { ensureFirstKey, type FirstKey } from './first-key.ts';
import { openPostgres } from './postgres.ts';
import { ensureSecretKey } from './secret-key.ts';

export interface Parts {
  readonly gateway: boolean;
  readonly runner: boolean;
}

export interface Process {
  /** Where the gateway listens, without `/graphql`; null without a gateway. */
  readonly url: string | null;
  readonly services: Services;
  readonly database: Database;
  /** The administrator's first key, until it has been shown. */
  readonly firstKey: FirstKey | null;
  /** Stops taking work, lets running effects end within the grace period, closes sockets with `reason`. */
  stop(reason: string): Promise<void>;
}

/** `say` hears, line by line, what has become ready: for a person who watches. */
export async function startProcess(config: Config, parts: Parts, logger: Logger, say: (line: string) => void = () => {}): Promise<Process> {
  const starting = new AsyncDisposableStack();
  try {
    return await openParts(config, parts, { logger, say }, starting);
  } catch (error) {
    await starting.disposeAsync();
    throw error;
  }
}

async function openParts(
  config: Config,
  parts: Parts,
  { logger, say }: { readonly logger: Logger; say(line: string): void },
  starting: AsyncDisposableStack,
): Promise<Process> {
  const postgres = await openPostgres(config, logger, say);
  starting.defer(() => postgres.stop());
  const database = await openDatabase(ormOptions({ ...postgres.app, poolMax: config.database.poolMax }));
  starting.defer(() => database.close());
  if (postgres.applied.length > 0) say(`the database was brought to this version (${postgres.applied.length} migrations)`);
  const firstKey = await ensureFirstKey(config.dataDir, database);
  const toolServers = parts.runner ? createToolServers({ servers: config.toolServers, logger, maxOutputBytes }) : undefined;
  const outbound = createOutbound(config.outbound);
  const sealer = createSealer(await ensureSecretKey(config));
  const redact = createRedactor(config.decisions.redact);
  const pubSub = await openPubSub(config, parts, database, logger);
  starting.defer(async () => pubSub?.close());
  const services = createServices({
    clock,
    database,
    logger,
    pubSub,
    keepsRows: parts.gateway,
    remote: { outbound, sealer },
    toolServers,
    redact,
    toolCalls: config.toolCalls,
  });
  starting.defer(() => {
    services.feed.close();
    services.hints.close();
    services.rows.close();
  });
  const runner =
    toolServers && (await prepareRunner(config, postgres.ownerUrl, { services, database, outbound, toolServers, logger, say }, starting));
  const relay = parts.runner
    ? createRelay(
        { clock, database, hints: services.hints, outbound, sealer, logger, random: Math.random },
        { connectionString: postgres.ownerUrl, sinks: config.eventSinks },
      )
    : null;
  const gateway = parts.gateway ? await prepareGateway(config, { services, database, logger, pubSub }, starting) : null;

  let reason = 'stopping';
  starting.defer(async () => {
    await Promise.all([gateway?.close(reason), runner?.stop(), relay?.stop()]);
  });
  await runner?.start();
  await relay?.start();
  const url = gateway && (await gateway.listen()).url;
  const running = starting.move();
  return {
    url,
    services,
    database,
    firstKey,
    async stop(why) {
      reason = why;
      await running.disposeAsync();
    },
  };
}

async function openPubSub({ redis }: Config, parts: Parts, database: Database, logger: Logger): Promise<PubSub | undefined> {
  if (redis.url) return createPubSub({ url: redis.url, namespace: await historyNamespace(database), logger });
  if (!parts.gateway || !parts.runner)
    logger.warn('REDIS_URL is not set: what other processes change is looked for in Postgres twice a second, not heard of at once');
  return undefined;
}

interface Common {
  readonly services: Services;
  readonly database: Database;
  readonly logger: Logger;
}

async function prepareRunner(
  config: Config,
  connectionString: string,
  deps: Common & { toolServers: ToolServers; outbound: Outbound; say(line: string): void },
  starting: AsyncDisposableStack,
) {
  const { services, database, toolServers, outbound, logger, say } = deps;
  const { retentionDays, exportDir } = config.decisions;
  const sync = startToolSync({ database, toolServers, tools: services.tools, logger });
  starting.defer(async () => {
    await sync.stop();
    await toolServers.close();
  });
  await toolServers.start((progress) => {
    logger.info(progress, 'tool server');
    if (progress.state === 'ready') say(`tool server "${progress.server}" is ready (${progress.tools} tools)`);
    if (progress.state === 'failed') say(`tool server "${progress.server}" did not start: ${progress.error}`);
  });
  await sync.settled();
  const evaluator = createEvaluator();
  starting.defer(() => evaluator.close());
  const remote = createRemoteServers({ database, service: services.remoteServers, outbound, clock, logger, maxOutputBytes });
  starting.defer(() => remote.close());
  return createRunner(
    { ...services, clock, database, evaluator, toolServers: allToolServers(toolServers, remote), outbound, logger },
    {
      connectionString,
      ...config.runner,
      ...config.webhooks,
      decisions: { retentionDays, exportDir: exportDir ?? join(config.dataDir, 'exports') },
    },
  );
}

async function prepareGateway(
  config: Config,
  { services, database, logger, pubSub }: Common & { pubSub: PubSub | undefined },
  starting: AsyncDisposableStack,
) {
  const authenticator = createAuthenticator({ database, clock, issuers: config.oidc, logger });
  starting.defer(() => authenticator.close());
  const { http, limits, mode, operations } = config;
  const onlyRegistered = operations.accept === 'registered';
  // A process that only runs executions does without the whole schema.
  const { createGateway } = await import('#gateway/server.ts');
  return createGateway({
    ...http,
    introspection: (operations.introspection ?? (mode === 'development' ? 'on' : 'off')) === 'on',
    graphiql: mode === 'development' && !onlyRegistered,
    operations: { registered: await readManifests(operations.manifests), onlyRegistered },
    ...{ limits, services, database, authenticator, clock, logger, pubSub },
    optionalDependencies: pubSub && { redis: () => pubSub.check() },
  });
}
