// What happens to one operation that arrives on a WebSocket, through the public hooks of graphql-ws.
import type { IncomingMessage } from 'node:http';
import { GraphQLError, type ExecutionArgs, type ExecutionResult, type GraphQLSchema } from 'graphql';
import type { ServerOptions } from 'graphql-ws';
import type { WebSocket } from 'ws';
import type { Origin } from '#src/audit/audit.ts';
import { InvalidStateError, LimitExceededError, RateLimitedError } from '#src/platform/errors.ts';
import type { Admission } from './admission.ts';
import type { Answer } from './answer.ts';
import type { EncodedBatch } from './channel.ts';
import type { Documents } from './documents.ts';
import type { Translate } from './errors.ts';
import type { Cost, GatewayLimits } from './limits.ts';
import { Member } from './member.ts';
import type { OpenOperations } from './open-operations.ts';
import { originOf } from './origin.ts';
import type { Outlet } from './outlet.ts';
import type { Session } from './session.ts';
import type { Subscriber } from './subscription.ts';
import { textFrame } from './text-frame.ts';

export interface SocketOperationsSettings {
  readonly schema: GraphQLSchema;
  readonly translate: Translate;
  readonly answer: Answer;
  readonly subscriber: Subscriber;
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
  readonly outlet: Outlet;
  readonly operations: OpenOperations;
  /** Gives back its place among those that have not introduced themselves. */
  readonly introduced: () => void;
  session?: Session;
  /** It has sent too many messages before it was known whose it is. */
  hasFlooded?: boolean;
  stopListening?: () => void;
}

export type SocketOperations = Required<
  Pick<ServerOptions<Record<string, unknown>, SocketState>, 'onSubscribe' | 'onNext' | 'onError' | 'execute' | 'subscribe'>
>;

/** Handed from `onSubscribe` to `execute` and `subscribe` in the place of a context. */
interface Caller {
  readonly session: Session;
  readonly origin: Origin;
  readonly state: SocketState;
  /** Of the operation, as the client named it. */
  readonly id: string;
  readonly cost: Cost | null;
}

export function socketOperations(settings: SocketOperationsSettings): SocketOperations {
  const { schema, translate, answer, subscriber, documents, admission, limits } = settings;

  return {
    onSubscribe({ extra }, id, payload) {
      const { wsMaxSubscriptions: allowed } = limits;
      const session = extra.session!;
      if (extra.operations.has(id)) {
        return [expected(new InvalidStateError(`id: the operation ${JSON.stringify(id.slice(0, 80))} has not ended yet; take another id`))];
      }
      if (extra.operations.size >= allowed) {
        const message = `this socket has ${allowed} open operations, the most it may have; end one, or open another socket`;
        return [expected(new LimitExceededError(message, { name: 'wsMaxSubscriptions', requested: allowed + 1, allowed }))];
      }
      extra.operations.begin(id);
      try {
        admission.request(session.authority);
      } catch (error) {
        extra.operations.end(id);
        if (error instanceof RateLimitedError) return [expected(error)];
        throw error;
      }
      const prepared = documents.prepare(payload, (text) => admission.chargeDocument(session.authority, text));
      if (!('document' in prepared)) {
        extra.operations.end(id);
        return prepared;
      }
      const { document, operationName, variables, cost } = prepared;
      const contextValue: Caller = { session, origin: originOf(extra.request), state: extra, id, cost };
      return { schema, document, operationName, variableValues: variables, contextValue };
    },

    onError: (_context, _id, _payload, errors) => errors.map(translate),
    // `execute` and `subscribe` below have translated already.
    onNext: (_context, _id, _payload, _args, result) => result,

    async execute(args: ExecutionArgs) {
      const { session, origin, state, id, cost } = args.contextValue as Caller;
      try {
        return (await answer(args, { session, origin, signal: state.abort.signal, cost })) as ExecutionResult;
      } finally {
        state.operations.end(id);
      }
    },

    // Batches go out by themselves; graphql-ws hears of the end, and of an error that is the last result.
    subscribe(args: ExecutionArgs) {
      const {
        session,
        state: { outlet, operations },
        id,
      } = args.contextValue as Caller;
      const head = kept(`{"id":${JSON.stringify(id)},"type":"next","payload":`);
      try {
        const frame = ({ json }: EncodedBatch) => textFrame([head, json, tail]);
        const left = () => operations.end(id);
        const results = subscriber.subscribe({ ...args, session, outlet, frame, left });
        if (results instanceof Member) operations.watch(id, results);
        else operations.end(id);
        return results as AsyncGenerator<ExecutionResult>;
      } catch (error) {
        operations.end(id);
        return { errors: [translate(error)] } as unknown as ExecutionResult;
      }
    },
  };
}

const tail = Buffer.from('}');

/** Not from the pool, whose blocks it would hold for as long as it is used. */
function kept(text: string): Buffer {
  const bytes = Buffer.alloc(Buffer.byteLength(text));
  bytes.write(text);
  return bytes;
}

const expected = (error: InvalidStateError | LimitExceededError | RateLimitedError): GraphQLError =>
  new GraphQLError(error.message, { originalError: error });
