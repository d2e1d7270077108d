// The gateway of one process: HTTP and WebSocket on one port, health, and leaving in order. Stateless: everything it needs is handed in.
import { setTimeout as delay } from 'node:timers/promises';
import type { AddressInfo } from 'node:net';
import type { Services } from '#src/app.ts';
import type { Clock } from '#src/platform/clock.ts';
import type { Database } from '#src/platform/database.ts';
import type { PubSub } from '#src/platform/redis.ts';
import type { Authenticator } from '#src/principals/authenticate.ts';
import { createAdmission } from './admission.ts';
import { createAnswer } from './answer.ts';
import { createDocuments, type DocumentSettings } from './documents.ts';
import { createTranslator, type GatewayLogger } from './errors.ts';
import { serveHealth } from './health.ts';
import { createHttp, graphqlPath, streamPath } from './http.ts';
import type { GatewayLimits } from './limits.ts';
import { believeProxies } from './peer.ts';
import { schema } from './schema.ts';
import { createSessions } from './session.ts';
import { serveSse } from './sse.ts';
import { createSubscriber } from './subscription.ts';
import { createSockets } from './websocket.ts';

export interface GatewaySettings {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** Where users reach it, when that is not where it listens. */
  readonly publicUrl?: string | undefined;
  /** Web origins besides its own that may use it from a browser. */
  readonly allowedOrigins: readonly string[];
  /** Addresses and networks whose X-Forwarded-For tells who sends a request; default none. */
  readonly trustedProxies?: readonly string[] | undefined;
  /** Introspection, and suggestions in errors. */
  readonly introspection: boolean;
  /** Serves GraphiQL at `/`. */
  readonly graphiql: boolean;
  readonly operations: Pick<DocumentSettings, 'registered' | 'onlyRegistered'>;
  /** How long it goes on serving, not ready any more, before it leaves; milliseconds, default none. */
  readonly drainMs?: number | undefined;
  readonly limits: GatewayLimits;
  readonly services: Services;
  readonly database: Database;
  readonly authenticator: Pick<Authenticator, 'authenticate' | 'refresh'>;
  readonly clock: Clock;
  readonly logger: GatewayLogger;
  /** What `/readyz` asks besides the database, by name; each throws when it does not answer. */
  readonly dependencies?: Readonly<Record<string, () => Promise<void>>>;
  /** What it does without; shown there all the same. */
  readonly optionalDependencies?: Readonly<Record<string, () => Promise<void>>> | undefined;
  /** How gateways tell each other what they let through; without it each counts for itself. */
  readonly pubSub?: PubSub | undefined;
  /** How often live sessions look at their rights again; milliseconds, default 1000. */
  readonly recheckMs?: number;
  /** How often silent peers are asked whether they are there, and event streams say that they are; milliseconds, default 15,000. */
  readonly pingMs?: number;
}

export interface Gateway {
  /** `url` is the base, without `/graphql`. */
  listen(): Promise<{ readonly url: string }>;
  /** Is not ready any more, and after `drainMs` tells sockets why (close code 1001), answers what is under way, refuses the rest. */
  close(reason: string): Promise<void>;
  /** Bytes of live streams that wait, for each socket that is behind with reading. */
  queuedBytes(): readonly number[];
}

const socketGraceMs = 2_000;
const requestGraceMs = 10_000;

export async function createGateway(settings: GatewaySettings): Promise<Gateway> {
  const { host, port, services, database, authenticator, clock, logger, limits, publicUrl, recheckMs = 1_000, pingMs = 15_000 } = settings;
  const { introspection, graphiql, operations } = settings;
  // Behind a proxy that rewrites Host, its own pages would look foreign.
  const allowedOrigins = [...settings.allowedOrigins, ...(publicUrl ? [new URL(publicUrl).origin] : [])];
  const translate = createTranslator(logger, { hidesSchema: !introspection });
  const documents = createDocuments({ schema, limits, introspection, ...operations });
  const admission = createAdmission({ authenticator, limits, clock, pubSub: settings.pubSub });
  const http = await createHttp({
    ...{ schema, services, database, admission, translate, documents, limits },
    ...{ allowedOrigins, introspection, graphiql, logger },
  });
  const sessions = createSessions({ authenticator, clock, logger, recheckMs });
  const subscriber = createSubscriber({ schema, services, database, translate });
  const answer = createAnswer({ services, database, translate });
  const streaming = { schema, translate, answer, subscriber, documents, limits, admission, sessions, logger, pingMs };
  const sockets = createSockets({ ...streaming, clock, allowedOrigins, path: graphqlPath });
  const sse = serveSse(http, { ...streaming, path: streamPath });
  const dependencies = { database: () => database.ping(), ...settings.dependencies };
  const health = serveHealth(http.server, { dependencies, optional: settings.optionalDependencies ?? {}, logger });
  believeProxies(http.server.server, settings.trustedProxies ?? []);
  http.server.server.on('upgrade', sockets.upgrade);
  let closing: Promise<void> | undefined;

  async function closeAll(reason: string): Promise<void> {
    health.leave(reason);
    // Whoever sends requests here has to see that first: what comes in the meantime is served.
    if (settings.drainMs) await delay(settings.drainMs);
    sse.close(reason);
    await sockets.close(reason, socketGraceMs);
    sessions.close();
    admission.close();
    await http.close(requestGraceMs);
  }

  return {
    async listen() {
      await http.server.listen({ host, port });
      const address = http.server.server.address() as AddressInfo;
      const name = address.family === 'IPv6' ? `[${address.address}]` : address.address;
      return { url: `http://${name}:${address.port}` };
    },
    close: (reason) => (closing ??= closeAll(reason)),
    queuedBytes: () => [...sockets.queuedBytes(), ...sse.queuedBytes()],
  };
}
