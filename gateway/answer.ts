// Queries and mutations that arrive outside of Apollo (WebSocket, SSE): the same contexts, rights and errors as over POST /graphql.
import { execute, type ExecutionArgs, type FormattedExecutionResult } from 'graphql';
import type { Services } from '#src/app.ts';
import type { Origin } from '#src/audit/audit.ts';
import type { Database } from '#src/platform/database.ts';
import type { Translate } from './errors.ts';
import type { Cost } from './limits.ts';
import { openOperation } from './operation.ts';
import type { Session } from './session.ts';

export interface AnswerSettings {
  readonly services: Services;
  readonly database: Database;
  readonly translate: Translate;
}

export interface Asked {
  readonly session: Session;
  readonly origin: Origin;
  readonly signal: AbortSignal;
  readonly cost: Cost | null;
}

/** Executes with the rights of the moment. */
export type Answer = (args: ExecutionArgs, asked: Asked) => Promise<FormattedExecutionResult>;

export function createAnswer({ services, database, translate }: AnswerSettings): Answer {
  return async (args, { session, origin, signal, cost }) => {
    let operation;
    try {
      operation = openOperation({ services, database, origin, signal, authority: await session.refresh() });
      const { errors, ...result } = await execute({ ...args, contextValue: operation.context });
      return { ...result, ...(errors && { errors: errors.map(translate) }), ...(cost && { extensions: { cost } }) };
    } catch (error) {
      return { errors: [translate(error)] };
    } finally {
      await operation?.close();
    }
  };
}
