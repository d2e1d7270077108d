// What happens to one operation that arrives on a WebSocket: the same parsing, limits, contexts and errors as over HTTP.
import type { IncomingMessage } from 'node:http';
import { execute, GraphQLError, type ExecutionArgs, type ExecutionResult, type GraphQLSchema } from 'graphql';
import type { ServerOptions } from 'graphql-ws';
import type { WebSocket } from 'ws';
import type { Services } from '#src/app.ts';
import type { Origin } from '#src/audit/audit.ts';
import type { Database } from '#src/platform/database.ts';
import { LimitExceededError, RateLimitedError } from '#src/platform/errors.ts';
import type { Admission } from './admission.ts';
import type { Documents } from './documents.ts';
import type { Translate } from './errors.ts';
import type { Cost, GatewayLimits } from './limits.ts';
import { openOperation } from './operation.ts';
import { originOf } from './origin.ts';
import type { Session } from './session.ts';
import type { Subscribe } from './subscription.ts';

export interface SocketOperationsSettings {
  readonly schema: GraphQLSchema;
  readonly services: Services;
  readonly database: Database;
  readonly translate: Translate;
  readonly subscribe: Subscribe;
  readonly documents: Documents;
  readonly admission: Admission;
  readonly limits: GatewayLimits;
}

/** What a socket carries from its acceptance to its end. */
export interface SocketState {
  readonly socket: WebSocket;
  readonly authorization: string | undefined;
  /** Of the request that opened it; each operation gets a trace id of its own. */
  readonly request: Pick<IncomingMessage, 'headers' | 'socket'>;
  readonly abort: AbortController;
  session?: Session;
  stopListening?: () => void;
}

export type SocketOperations = Required<
  Pick<ServerOptions<Record<string, unknown>, SocketState>, 'onSubscribe' | 'onNext' | 'onError' | 'execute' | 'subscribe'>
>;

/** Handed from `onSubscribe` to `execute` and `subscribe` in the place of a context. */
interface Caller {
  readonly session: Session;
  readonly origin: Origin;
  readonly signal: AbortSignal;
  readonly cost: Cost | null;
}

export function socketOperations(settings: SocketOperationsSettings): SocketOperations {
  const { schema, services, database, translate, subscribe, documents, admission, limits } = settings;

  return {
    onSubscribe({ extra, subscriptions }, _id, payload) {
      const { wsMaxSubscriptions: allowed } = limits;
      if (Object.keys(subscriptions).length > allowed) {
        const message = `this socket has ${allowed} open operations, the most it may have; end one, or open another socket`;
        return [expected(new LimitExceededError(message, { name: 'wsMaxSubscriptions', requested: allowed + 1, allowed }))];
      }
      const session = extra.session!;
      try {
        admission.request(session.authority);
      } catch (error) {
        if (error instanceof RateLimitedError) return [expected(error)];
        throw error;
      }
      const prepared = documents.prepare(payload, (text) => admission.chargeDocument(session.authority, text));
      if (!('document' in prepared)) return prepared;
      const { document, operationName, variables, cost } = prepared;
      const contextValue: Caller = { session, origin: originOf(extra.request), signal: extra.abort.signal, cost };
      return { schema, document, operationName, variableValues: variables, contextValue };
    },

    onError: (_context, _id, _payload, errors) => errors.map(translate),
    // `execute` and `subscribe` below have translated already.
    onNext: (_context, _id, _payload, _args, result) => result,

    async execute(args: ExecutionArgs) {
      const { session, origin, signal, cost } = args.contextValue as Caller;
      let operation;
      try {
        operation = openOperation({ services, database, origin, signal, authority: await session.refresh() });
        const { errors, ...result } = await execute({ ...args, contextValue: operation.context });
        return { ...result, ...(errors && { errors: errors.map(translate) }), ...(cost && { extensions: { cost } }) } as ExecutionResult;
      } catch (error) {
        return { errors: [translate(error)] } as unknown as ExecutionResult;
      } finally {
        await operation?.close();
      }
    },

    async subscribe(args: ExecutionArgs) {
      const { session, origin } = args.contextValue as Caller;
      try {
        await session.refresh();
        return (await subscribe({ ...args, session, origin })) as AsyncGenerator<ExecutionResult>;
      } catch (error) {
        return { errors: [translate(error)] } as unknown as ExecutionResult;
      }
    },
  };
}

const expected = (error: LimitExceededError | RateLimitedError): GraphQLError => new GraphQLError(error.message, { originalError: error });
