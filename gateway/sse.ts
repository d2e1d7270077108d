// GraphQL over Server-Sent Events (distinct connections mode) on /graphql/stream: one operation a request, its results as events, with the
// channels, limits, rights and errors of WebSockets. The id of an event is its cursor, so that who comes back misses nothing.
import type { ServerResponse } from 'node:http';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { OperationTypeNode, type FormattedExecutionResult, type GraphQLSchema } from 'graphql';
import { LimitExceededError, UnavailableError } from '#src/platform/errors.ts';
import type { Admission } from './admission.ts';
import type { Answer } from './answer.ts';
import type { EncodedBatch } from './channel.ts';
import type { Documents, OperationRequest } from './documents.ts';
import type { GatewayLogger, Translate } from './errors.ts';
import type { Http } from './http.ts';
import { parseJson } from './json-body.ts';
import type { GatewayLimits } from './limits.ts';
import { Member } from './member.ts';
import { originOf } from './origin.ts';
import { Outlet, unsentBytesOf } from './outlet.ts';
import type { Sessions } from './session.ts';
import { createStreamPlaces } from './socket-limits.ts';
import type { Subscriber, SubscriptionRequest } from './subscription.ts';

export interface SseSettings {
  readonly schema: GraphQLSchema;
  readonly admission: Admission;
  readonly sessions: Sessions;
  readonly documents: Documents;
  readonly answer: Answer;
  readonly subscriber: Subscriber;
  readonly translate: Translate;
  readonly limits: GatewayLimits;
  readonly path: string;
  readonly logger: GatewayLogger;
  /** How often something is said where nothing happens, so that no proxy takes the connection for dead; milliseconds. */
  readonly pingMs: number;
}

export interface Sse {
  /** Ends every stream, and says why; clients come back elsewhere with their cursor. */
  close(reason: string): void;
  /** Of live streams, for each connection that is behind with reading. */
  queuedBytes(): readonly number[];
}

/** How long a client waits before it comes back; milliseconds. */
const retryMs = 1_000;
/** A peer that reads too slowly has this long to take what it is told last; milliseconds. */
const slowGraceMs = 5_000;

export function serveSse({ server, admit, authorityOf }: Http, settings: SseSettings): Sse {
  const { schema, admission, sessions, documents, answer, translate, path, logger, pingMs } = settings;
  const streams = new Set<ServerResponse>();
  const outlets = new Set<Outlet>();
  const places = createStreamPlaces(settings.limits);
  let isClosing = false;

  const pinging = setInterval(() => {
    for (const stream of streams) if (stream.writableLength === 0) stream.write(':\n\n');
  }, pingMs).unref();

  async function onRequest(request: FastifyRequest): Promise<void> {
    requireOpen();
    await admit(request);
  }

  function requireOpen(): void {
    if (isClosing) throw new UnavailableError('this server is shutting down; connect again');
  }

  async function handler(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply | void> {
    requireOpen(); // it may have begun to leave since
    const authority = authorityOf(request);
    const prepared = documents.prepare(requestOf(request), (text) => admission.chargeDocument(authority, text));
    const type = 'document' in prepared ? prepared.operation.operation : null;
    // What a page of anybody can make a browser do must change nothing.
    if (type === OperationTypeNode.MUTATION && request.method === 'GET') {
      const error = { message: 'send mutations by POST', extensions: { code: 'BAD_REQUEST' } };
      return reply
        .code(405)
        .header('allow', 'POST')
        .send({ errors: [error] });
    }
    const stream = open(reply);
    if (!('document' in prepared)) return finish(stream, { errors: prepared.map(translate) });
    const { document, operationName, variables: variableValues, cost } = prepared;
    const session = sessions.open(authority);
    const stopListening = session.listen({ ended: () => undefined }); // its operation hears of it
    const abort = new AbortController();
    stream.once('close', () => {
      abort.abort();
      stopListening();
    });
    if (type === OperationTypeNode.SUBSCRIPTION) {
      try {
        stream.once('close', places.take(`${authority.tenantId}/${authority.principalId}`));
      } catch (error) {
        return finish(stream, { errors: [translate(error)] });
      }
      const lastEventId = request.headers['last-event-id'];
      const cursor = typeof lastEventId === 'string' && lastEventId !== '' ? lastEventId : undefined;
      return tell(stream, settings, outlets, { session, document, operationName, variableValues, cursor });
    }
    const asked = { session, origin: originOf(request.raw), signal: abort.signal, cost };
    finish(stream, await answer({ schema, document, operationName, variableValues }, asked));
  }

  function open(reply: FastifyReply): ServerResponse {
    reply.hijack();
    const stream = reply.raw;
    const headers = Object.entries(reply.getHeaders()).flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as const]));
    stream.writeHead(200, {
      ...Object.fromEntries(headers), // what CORS has set
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-cache, no-transform',
      'x-accel-buffering': 'no',
    });
    stream.write(`retry: ${retryMs}\n\n`);
    stream.on('error', (error) => logger.info({ reason: error.message }, 'an event stream broke'));
    streams.add(stream);
    stream.once('close', () => streams.delete(stream));
    return stream;
  }

  server.route({ method: ['GET', 'POST'], url: path, onRequest, handler, exposeHeadRoute: false });

  return {
    close(reason) {
      isClosing = true;
      clearInterval(pinging);
      // Without the event `complete`: the operation is not over, only this connection.
      for (const stream of streams) stream.end(`: ${reason.replaceAll(/\s+/g, ' ')}\n\n`);
    },
    queuedBytes: () => [...outlets].flatMap(({ queuedBytes }) => queuedBytes || []),
  };
}

/** In the query of a URL, objects are JSON. */
function requestOf({ method, query, body }: FastifyRequest): OperationRequest {
  if (method !== 'GET') return body as OperationRequest;
  const given = query as Record<string, unknown>;
  return { ...given, variables: parsed(given['variables']), extensions: parsed(given['extensions']) };
}

/** What is no JSON stays a text, which is refused by name. */
function parsed(text: unknown): unknown {
  if (typeof text !== 'string' || text === '') return undefined;
  try {
    return parseJson(Buffer.from(text));
  } catch (error) {
    if (error instanceof LimitExceededError) throw error;
    return text;
  }
}

const next = (result: FormattedExecutionResult): string => `event: next\ndata: ${JSON.stringify(result)}\n\n`;
const endOfEvent = Buffer.from('\n\n');
const complete = 'event: complete\ndata: \n\n';

function finish(stream: ServerResponse, result: FormattedExecutionResult): void {
  stream.end(`${next(result)}${complete}`);
}

type Asked = Omit<SubscriptionRequest, 'outlet' | 'frame'>;

async function tell(
  stream: ServerResponse,
  { subscriber, translate, limits, logger }: SseSettings,
  outlets: Set<Outlet>,
  asked: Asked,
): Promise<void> {
  let isTooSlow = false;
  const pipe = {
    get bufferedBytes() {
      return stream.writableLength;
    },
    get unsentBytes() {
      return unsentBytesOf(stream.socket);
    },
    write(data: Buffer, flushed?: () => void) {
      if (!stream.writableEnded && !stream.destroyed) stream.write(data, flushed);
    },
  };
  const outlet = new Outlet(pipe, { queueBytes: limits.streamQueueBytes, stallMs: limits.streamStallMs }, (reason) => {
    logger.info({ reason }, 'a peer reads too slowly');
    isTooSlow = true;
    setTimeout(() => stream.destroy(), slowGraceMs).unref();
  });
  const frame = ({ cursor, json }: EncodedBatch, isResumable: boolean) =>
    Buffer.concat([Buffer.from(`event: next\n${isResumable ? `id: ${cursor}\n` : ''}data: `), json, endOfEvent]);
  let results;
  try {
    results = subscriber.subscribe({ ...asked, outlet, frame });
  } catch (error) {
    return finish(stream, { errors: [translate(error)] });
  }
  if (!(results instanceof Member)) return finish(stream, results);
  const member = results;
  outlets.add(outlet);
  stream.once('close', () => {
    outlets.delete(outlet);
    outlet.close();
    void member.return();
  });
  for await (const result of member) stream.write(next(result));
  // One that was too slow is to come back, so it is not told that this was all.
  if (!stream.writableEnded) stream.end(isTooSlow ? undefined : complete);
}
