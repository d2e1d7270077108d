// HTTP: POST /graphql through Apollo, health, and GraphiQL in development. Who asks is settled before a body is read.
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { ApolloServer, HeaderMap, type ApolloServerOptions, type ApolloServerPlugin } from '@apollo/server';
import {
  ApolloServerPluginCacheControlDisabled,
  ApolloServerPluginInlineTraceDisabled,
  ApolloServerPluginLandingPageDisabled,
  ApolloServerPluginSchemaReportingDisabled,
  ApolloServerPluginUsageReportingDisabled,
} from '@apollo/server/plugin/disabled';
import cors from '@fastify/cors';
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { OperationTypeNode, type GraphQLFormattedError, type GraphQLSchema } from 'graphql';
import type { Context } from '#schema/context.ts';
import type { Services } from '#src/app.ts';
import type { Database } from '#src/platform/database.ts';
import { LimitExceededError, RateLimitedError, type SignalboxError } from '#src/platform/errors.ts';
import type { Authority } from '#src/authority/permission.ts';
import { expectedError, type GatewayLogger, type Translate } from './errors.ts';
import { addressOf, type Admission } from './admission.ts';
import { bearerOf } from './credential.ts';
import type { Documents, OperationRequest } from './documents.ts';
import { bodyTooLarge, readJson, unreadable } from './json-body.ts';
import type { GatewayLimits } from './limits.ts';
import { openOperation } from './operation.ts';
import { originOf } from './origin.ts';
import { refuseUnread } from './raw-answer.ts';

export const graphqlPath = '/graphql';
export const streamPath = '/graphql/stream';

export interface HttpSettings {
  readonly schema: GraphQLSchema;
  readonly services: Services;
  readonly database: Database;
  readonly admission: Admission;
  readonly translate: Translate;
  readonly documents: Documents;
  readonly limits: GatewayLimits;
  readonly allowedOrigins: readonly string[];
  readonly introspection: boolean;
  readonly graphiql: boolean;
  readonly logger: GatewayLogger;
}

export interface Http {
  readonly server: FastifyInstance;
  /** Settles who asks, before the body is read; for routes that take operations. */
  admit(request: FastifyRequest): Promise<void>;
  authorityOf(request: FastifyRequest): Authority;
  /** Refuses what is new and lets requests under way finish; after `graceMs` they are dropped. */
  close(graceMs: number): Promise<void>;
}

export async function createHttp(settings: HttpSettings): Promise<Http> {
  const { translate, limits, allowedOrigins, admission } = settings;
  const apollo = await startApollo(settings);
  /** The last whose head was read on each connection. */
  const requests = new WeakMap<Duplex, IncomingMessage>();
  const server = fastify({
    requestTimeout: limits.httpRequestTimeoutMs, // for receiving a request, not for answering it
    http: {
      maxHeaderSize: limits.httpHeaderBytes,
      requestTimeout: limits.httpRequestTimeoutMs, // node compares the next one with it
      headersTimeout: limits.httpHeadersTimeoutMs,
      connectionsCheckingInterval: Math.min(1_000, limits.httpHeadersTimeoutMs),
    },
    clientErrorHandler: (error: NodeJS.ErrnoException, socket) =>
      refuseUnread(socket, error, limits, requests.get(socket)?.complete === false),
    forceCloseConnections: 'idle',
  });
  server.server.on('request', (request) => requests.set(request.socket, request));
  server.removeContentTypeParser('text/plain'); // what foreign pages may send without asking first
  server.addContentTypeParser('application/json', async (request: FastifyRequest, body: IncomingMessage) => {
    const announced = Number(request.headers['content-length'] ?? 0);
    if (announced > limits.bodyBytes) throw bodyTooLarge(limits.bodyBytes);
    try {
      return await readJson(body, limits.bodyBytes, (bytes) => admission.chargeBody(authorities.get(request)!, bytes));
    } catch (error) {
      if (error instanceof LimitExceededError) throw error;
      throw new MalformedError(error instanceof Error ? `the body is not JSON: ${error.message}` : 'the body is not JSON');
    }
  });
  await server.register(cors, {
    origin: [...allowedOrigins],
    methods: ['GET', 'POST'],
    allowedHeaders: ['authorization', 'content-type', 'last-event-id'],
  });

  const authorities = new WeakMap<FastifyRequest, Authority>();
  async function admit(request: FastifyRequest): Promise<void> {
    const { authorization, 'content-type': type, 'content-encoding': encoding } = request.headers;
    const authority = await admission.admit(bearerOf(authorization), addressOf(request.raw));
    // Nobody would hear of the end of a connection that has ended already: what was opened for it would stay.
    if (request.raw.destroyed) throw new MalformedError('the client has left', 499);
    authorities.set(request, authority);
    const problem = request.method === 'GET' ? null : unreadable(type, encoding);
    if (problem) throw new MalformedError(problem, 415);
  }
  server.post(graphqlPath, {
    onRequest: admit,
    handler: (request, reply) => answer(apollo, settings, authorities.get(request)!, request, reply),
  });
  server.get(graphqlPath, async (_request, reply) =>
    reply.code(405).header('allow', 'POST').send(refusal('BAD_REQUEST', 'send operations by POST, or open a WebSocket here')),
  );
  if (settings.graphiql) await serveGraphiql(server);

  server.setNotFoundHandler(async (request, reply) =>
    reply
      .code(404)
      .send(refusal('NOT_FOUND', `there is no ${request.method} ${request.url.slice(0, 200)} here; the API is POST ${graphqlPath}`)),
  );
  server.setErrorHandler(async (error: Error & { code?: string; statusCode?: number }, _request, reply) => {
    const expected = expectedError(error);
    if (expected) {
      if (expected.code === 'UNAUTHENTICATED') void reply.header('www-authenticate', 'Bearer');
      if (expected instanceof RateLimitedError) void reply.header('retry-after', Math.ceil(expected.retryAfterMs / 1_000));
      const status = statusOf(expected);
      if (status === 413) void reply.header('connection', 'close'); // the rest is not even read away
      return reply.code(status).send({ errors: [translate(error)] });
    }
    const status = error.statusCode ?? 500;
    // Below 500 it is fastify's own answer to a malformed request: wrong content type, broken JSON, length mismatch.
    if (status < 500) return reply.code(status).send(refusal('BAD_REQUEST', error.message));
    return reply.code(status).send({ errors: [translate(error)] });
  });

  return {
    server,
    admit,
    authorityOf: (request) => authorities.get(request)!,
    async close(graceMs) {
      // A kept-alive connection whose request ended after the closing began is idle, but node looks only once.
      const sweep = setInterval(() => server.server.closeIdleConnections(), 50);
      const force = setTimeout(() => server.server.closeAllConnections(), graceMs);
      await server.close();
      clearInterval(sweep);
      clearTimeout(force);
      await apollo.stop();
    },
  };
}

/** A request that is no request yet; fastify's errors have the same shape. */
class MalformedError extends Error {
  readonly statusCode: number;
  constructor(message: string, statusCode = 400) {
    super(message);
    this.statusCode = statusCode;
  }
}

const refusal = (code: string, message: string) => ({ errors: [{ message, extensions: { code } }] });

function statusOfRefusal([error]: readonly GraphQLFormattedError[]): number {
  const code = error?.extensions?.['code'];
  if (code === 'INTERNAL') return 500;
  // Clients expect 200 where they are to send the text with its hash: 4xx would look like the end of the matter.
  return code === 'PERSISTED_QUERY_NOT_FOUND' ? 200 : 400;
}

function statusOf(error: SignalboxError): number {
  if (error.code === 'UNAUTHENTICATED') return 401;
  if (error.code === 'RATE_LIMITED') return 429;
  if (error instanceof LimitExceededError && error.limit?.name === 'bodyBytes') return 413;
  return error.code === 'UNAVAILABLE' ? 503 : 400;
}

async function startApollo({ schema, documents, translate, introspection, logger }: HttpSettings): Promise<ApolloServer<Context>> {
  const cost: ApolloServerPlugin<Context> = {
    async requestDidStart() {
      return {
        async willSendResponse({ request: { extensions }, response: { body } }) {
          if (body.kind === 'single' && extensions?.['cost']) body.singleResult.extensions = { cost: extensions['cost'] };
        },
      };
    },
  };
  const apollo = new ApolloServer<Context>({
    schema,
    introspection,
    hideSchemaDetailsFromClientErrors: !introspection,
    includeStacktraceInErrorResponses: false,
    formatError: (_formatted, error) => translate(error),
    documentStore: preparedDocuments(documents),
    allowBatchedHttpRequests: false,
    csrfPrevention: true,
    persistedQueries: false,
    stopOnTerminationSignals: false,
    logger: {
      debug: () => undefined,
      info: () => undefined,
      warn: (message: unknown) => logger.warn({ from: 'apollo' }, String(message)),
      error: (message: unknown) => logger.error({ from: 'apollo' }, String(message)),
    },
    plugins: [
      cost,
      ApolloServerPluginCacheControlDisabled(),
      ApolloServerPluginInlineTraceDisabled(),
      ApolloServerPluginLandingPageDisabled(),
      ApolloServerPluginSchemaReportingDisabled(),
      ApolloServerPluginUsageReportingDisabled(),
    ],
  });
  await apollo.start();
  return apollo;
}

/** Apollo executes what was prepared before; it parses and validates nothing by itself. */
const preparedDocuments = (documents: Documents): NonNullable<ApolloServerOptions<Context>['documentStore']> => ({
  get: async (key) => documents.find(key.slice(-64)),
  set: async () => undefined,
  delete: async () => false,
});

async function answer(
  apollo: ApolloServer<Context>,
  { services, database, documents, admission, translate }: HttpSettings,
  authority: Authority,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<string | FastifyReply> {
  const prepared = documents.prepare(request.body as OperationRequest, (text) => admission.chargeDocument(authority, text));
  if (!('document' in prepared)) {
    const errors = prepared.map(translate);
    return reply.code(statusOfRefusal(errors)).send({ errors });
  }
  const { source: query, operationName, variables, operation: node, cost } = prepared;
  if (node.operation === OperationTypeNode.SUBSCRIPTION) {
    return reply
      .code(400)
      .send(
        refusal('BAD_REQUEST', `subscriptions are not answered here: open a WebSocket at this path, or an event stream at ${streamPath}`),
      );
  }
  const abort = new AbortController();
  reply.raw.once('close', () => {
    if (!reply.raw.writableFinished) abort.abort();
  });
  const operation = openOperation({ services, database, authority, origin: originOf(request.raw), signal: abort.signal });
  try {
    const { headers, body, status } = await apollo.executeHTTPGraphQLRequest({
      httpGraphQLRequest: {
        method: request.method,
        headers: headersOf(request),
        search: '',
        body: { query, operationName, variables, extensions: { cost } },
      },
      context: async () => operation.context,
    });
    for (const [name, value] of headers) void reply.header(name, value);
    void reply.code(status ?? 200);
    if (body.kind === 'chunked') throw new Error('incremental delivery is not offered');
    return body.string;
  } finally {
    await operation.close();
  }
}

function headersOf(request: FastifyRequest): HeaderMap {
  const headers = new HeaderMap();
  for (const [name, value] of Object.entries(request.headers)) {
    if (value !== undefined) headers.set(name, Array.isArray(value) ? value.join(', ') : value);
  }
  return headers;
}

async function serveGraphiql(server: FastifyInstance): Promise<void> {
  const { graphiqlPage } = await import('./graphiql.ts');
  server.get('/', async (_request, reply) =>
    reply.type('text/html; charset=utf-8').header('content-security-policy', "frame-ancestors 'none'").send(graphiqlPage(graphqlPath)),
  );
}
