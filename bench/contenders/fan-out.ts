// Something that tells many the same, in three ways: Signalbox's gateway, graphql-ws as it comes with the same schema, and `ws.send` of the
// same bytes. What is told are events of an execution, committed (by Signalbox) or made up (by the others).
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { initContextCache } from '@pothos/core';
import { useServer } from 'graphql-ws/use/ws';
import { WebSocketServer } from 'ws';
import { schema } from '#gateway/schema.ts';
import { createGateway } from '#gateway/server.ts';
import { createServices } from '#src/app.ts';
import { loadConfig } from '#src/config.ts';
import type { NewEvent } from '#src/events/catalogue.ts';
import { executionCursor } from '#src/events/cursor.ts';
import type { EventBatch } from '#src/executions/execution-streams.ts';
import type { EventRow } from '#src/events/event-row.ts';
import { ormOptions } from '#src/orm.ts';
import { systemClock as clock } from '#src/platform/clock.ts';
import { openDatabase } from '#src/platform/database.ts';
import { newId } from '#src/platform/ids.ts';
import { createLogger } from '#src/platform/logger.ts';
import { createAuthenticator } from '#src/principals/authenticate.ts';
import { serveContender } from '../protocol.ts';
import type { Place } from '../stand.ts';

export type Way = 'signalbox' | 'graphql-ws' | 'ws.send';

export interface FanOutSetup {
  readonly way: Way;
  readonly place: Place;
  /** Whose events are told, each time one of each; their first ones are there. */
  readonly executionIds: readonly string[];
  readonly lastSequence: number;
}

/** Bytes: what the heap and buffers hold after a collection, and what the system has given. */
export interface Memory {
  readonly held: number;
  readonly resident: number;
}

interface Telling {
  readonly port: number;
  /** Tells everybody of one more event. */
  tell(sequence: number, at: Date): Promise<void>;
  queuedBytes?(): readonly number[];
  close(): Promise<void>;
}

const eventOf = (executionId: string, sequence: number, occurredAt: Date): EventRow => ({
  ...{ executionId, sequence, occurredAt, type: 'step.queued' },
  data: { stepId: 'one', itemIndex: -1 },
});

serveContender(async ({ way, place, executionIds, lastSequence }: FanOutSetup) => {
  const executionId = executionIds[0]!;
  const logger = createLogger({ level: 'error' });
  const database = await openDatabase(ormOptions({ url: place.appUrl, poolMax: 10 }));
  const services = createServices({ clock, database, logger });
  const { authority } = place;
  const telling = await { signalbox, 'graphql-ws': stock, 'ws.send': raw }[way]();
  let sequence = lastSequence;

  /** The gateway as `signalbox gateway` makes it. One key opens everything. */
  async function signalbox(): Promise<Telling> {
    const { limits } = loadConfig({ env: {} });
    const authenticator = createAuthenticator({ database, clock, issuers: [] });
    const gateway = await createGateway({
      ...{ host: '127.0.0.1', port: 0, allowedOrigins: [], introspection: false, graphiql: false, services, database, clock, logger },
      operations: { registered: [], onlyRegistered: false },
      limits: { ...limits, ...withoutRates, ...patient },
      authenticator: { authenticate: async () => authority, refresh: authenticator.refresh },
    });
    const { url } = await gateway.listen();
    return {
      port: Number(new URL(url).port),
      async tell(next, at) {
        await database.write(authority.tenantId, async (uow) => {
          for (const id of executionIds) {
            const { type, data } = eventOf(id, next, at);
            await services.events.append(uow, id, next, [{ type, data } as NewEvent], at);
          }
        });
      },
      queuedBytes: () => gateway.queuedBytes(),
      close: () => gateway.close('the benchmark is over'),
    };
  }

  /** Batches for those who listen, as its documentation shows: an iterator each, executed for each. */
  async function stock(): Promise<Telling> {
    const listeners = new Set<(batch: EventBatch) => void>();
    schema.getSubscriptionType()!.getFields()['executionEvents']!.subscribe = () => batches(listeners);
    const server = createServer();
    const sockets = new WebSocketServer({ server, path: '/graphql' });
    const context = () => ({ ...initContextCache(), authority, services, read: () => Promise.reject(new Error('nothing is read')) });
    useServer({ schema, context }, sockets);
    return {
      port: await listening(server),
      async tell(next, at) {
        const batch = { events: [eventOf(executionId, next, at)], cursor: executionCursor(newId(), executionId, next), caughtUp: true };
        for (const listener of listeners) listener(batch);
      },
      close: async () => sockets.clients.forEach((socket) => socket.terminate()),
    };
  }

  /** The same bytes, made once. */
  async function raw(): Promise<Telling> {
    const server = createServer();
    const sockets = new WebSocketServer({ server, path: '/graphql' });
    const say = (at: Date, next: number) => {
      const event = { sequence: next, type: 'STEP_QUEUED', occurredAt: at.toISOString(), stepId: 'one' };
      const told = { cursor: executionCursor(newId(), executionId, next), caughtUp: true, events: [event] };
      return JSON.stringify({ id: '1', type: 'next', payload: { data: { executionEvents: told } } });
    };
    sockets.on('connection', (socket) => {
      socket.on('message', (data) => {
        const isInit = String(data).includes('"connection_init"');
        socket.send(isInit ? '{"type":"connection_ack"}' : say(new Date(), 0));
      });
    });
    return {
      port: await listening(server),
      async tell(next, at) {
        const text = say(at, next);
        for (const socket of sockets.clients) socket.send(text);
      },
      close: async () => sockets.clients.forEach((socket) => socket.terminate()),
    };
  }

  return {
    begin: async () => undefined,
    async ask(question) {
      if (question === 'port') return telling.port;
      if (question === 'queuedBytes') return telling.queuedBytes?.() ?? [];
      if (question === 'processorMs') {
        const { user, system } = process.cpuUsage();
        return (user + system) / 1_000;
      }
      if (question === 'memory') {
        globalThis.gc!();
        const { heapUsed, external, rss } = process.memoryUsage();
        return { held: heapUsed + external, resident: rss } satisfies Memory;
      }
      return telling.tell((sequence += 1), new Date());
    },
    async close() {
      await telling.close();
      services.feed.close();
      await database.close();
    },
  };
});

/** What one principal may do at once is no matter of fan-out. */
const withoutRates = { requestsPerSecond: 1_000_000, requestBurst: 1_000_000 };
/** Whoever reads too slowly is closed for the bytes that wait, however long this machine takes to make them. */
const patient = { streamStallMs: 3_600_000 };

async function listening(server: ReturnType<typeof createServer>): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

async function* batches(listeners: Set<(batch: EventBatch) => void>): AsyncGenerator<EventBatch> {
  const waiting: EventBatch[] = [];
  let wake = Promise.withResolvers<void>();
  const listener = (batch: EventBatch) => {
    waiting.push(batch);
    wake.resolve();
  };
  listeners.add(listener);
  try {
    // What the others send first: that they listen.
    yield { events: [], cursor: '', caughtUp: true };
    for (;;) {
      await wake.promise;
      wake = Promise.withResolvers();
      yield* waiting.splice(0);
    }
  } finally {
    listeners.delete(listener);
  }
}
