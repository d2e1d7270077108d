// What happens to one operation that arrives on a WebSocket: the same parsing, limits, contexts and errors as over HTTP.
import type { IncomingMessage } from 'node:http';
import {
  execute,
  getOperationAST,
  GraphQLError,
  NoSchemaIntrospectionCustomRule,
  parse,
  specifiedRules,
  validate,
  type DocumentNode,
  type ExecutionArgs,
  type ExecutionResult,
  type GraphQLSchema,
} from 'graphql';
import type { ServerOptions } from 'graphql-ws';
import type { WebSocket } from 'ws';
import type { Services } from '#src/app.ts';
import type { Origin } from '#src/audit/audit.ts';
import type { Database } from '#src/platform/database.ts';
import { LimitExceededError } from '#src/platform/errors.ts';
import { withCode, type Translate } from './errors.ts';
import { limitRule, requireAffordable, type GatewayLimits } from './limits.ts';
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
  readonly limits: GatewayLimits;
  readonly isProduction: boolean;
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
}

export function socketOperations(settings: SocketOperationsSettings): SocketOperations {
  const { schema, services, database, translate, subscribe, limits, isProduction } = settings;
  const rules = [...specifiedRules, limitRule(limits), ...(isProduction ? [NoSchemaIntrospectionCustomRule] : [])];

  function documentOf(query: string): DocumentNode | readonly GraphQLError[] {
    let code = 'GRAPHQL_PARSE_FAILED';
    try {
      const document = parse(query, { maxTokens: limits.queryTokens });
      code = 'GRAPHQL_VALIDATION_FAILED';
      const errors = validate(schema, document, rules, { hideSuggestions: isProduction });
      return errors.length > 0 ? errors.map((error) => withCode(error, code)) : document;
    } catch (error) {
      if (error instanceof GraphQLError) return [withCode(error, code)];
      // The parser's recursion met the end of the stack.
      if (error instanceof RangeError) return [new GraphQLError(error.message, { originalError: error, extensions: { code } })];
      throw error;
    }
  }

  return {
    onSubscribe({ extra, subscriptions }, _id, { query, operationName, variables }) {
      const open = Object.keys(subscriptions).length;
      if (open > limits.wsMaxSubscriptions) {
        return [expected(new LimitExceededError(`this socket has ${limits.wsMaxSubscriptions} open operations, the most it may have`))];
      }
      const document = documentOf(query);
      if (!('kind' in document)) return document;
      if (!getOperationAST(document, operationName)) {
        const message = operationName
          ? `Unknown operation named "${operationName}".`
          : 'Must provide operation name if query contains multiple operations.';
        return [new GraphQLError(message, { extensions: { code: 'OPERATION_RESOLUTION_FAILURE' } })];
      }
      try {
        requireAffordable({ schema, document, operationName, variables }, limits);
      } catch (error) {
        if (error instanceof LimitExceededError) return [expected(error)];
        throw error;
      }
      const contextValue: Caller = { session: extra.session!, origin: originOf(extra.request), signal: extra.abort.signal };
      return { schema, document, operationName: operationName ?? null, variableValues: variables ?? null, contextValue };
    },

    onError: (_context, _id, _payload, errors) => errors.map(translate),
    // `execute` and `subscribe` below have translated already.
    onNext: (_context, _id, _payload, _args, result) => result,

    async execute(args: ExecutionArgs) {
      const { session, origin, signal } = args.contextValue as Caller;
      let operation;
      try {
        operation = openOperation({ services, database, origin, signal, authority: await session.refresh() });
        const { errors, ...result } = await execute({ ...args, contextValue: operation.context });
        return { ...result, ...(errors && { errors: errors.map(translate) }) } as ExecutionResult;
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

const expected = (error: LimitExceededError): GraphQLError => new GraphQLError(error.message, { originalError: error });
