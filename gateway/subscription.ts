// Subscriptions: each batch of the source is executed with a context of its own. The permission is looked at when it starts, before every
// batch, and while it is idle; when it is lost the subscriber hears why and the stream ends. The sources themselves live in src/.
import {
  createSourceEventStream,
  execute,
  getOperationAST,
  GraphQLError,
  Kind,
  type DocumentNode,
  type FragmentDefinitionNode,
  type FormattedExecutionResult,
  type GraphQLSchema,
  type SelectionSetNode,
} from 'graphql';
import { holdsSomewhere, refusal } from '#schema/builder.ts';
import { ForbiddenError } from '#src/platform/errors.ts';
import type { Context } from '#schema/context.ts';
import type { Services } from '#src/app.ts';
import type { Origin } from '#src/audit/audit.ts';
import type { Database } from '#src/platform/database.ts';
import { permissions, type Authority, type Permission } from '#src/principals/permission.ts';
import type { Translate } from './errors.ts';
import { openOperation, openSource } from './operation.ts';
import type { Session } from './session.ts';

export interface SubscriberSettings {
  readonly schema: GraphQLSchema;
  readonly services: Services;
  readonly database: Database;
  readonly translate: Translate;
}

export interface SubscriptionRequest {
  readonly session: Session;
  readonly origin: Origin;
  readonly document: DocumentNode;
  readonly operationName?: string | null | undefined;
  readonly variableValues?: Readonly<Record<string, unknown>> | null | undefined;
}

export type Results = AsyncGenerator<FormattedExecutionResult, void, void>;
export type Subscribe = (request: SubscriptionRequest) => Promise<Results | FormattedExecutionResult>;

export function createSubscriber({ schema, services, database, translate }: SubscriberSettings): Subscribe {
  return async ({ session, origin, document, operationName, variableValues }) => {
    const abort = new AbortController();
    const { signal } = abort;
    const args = { schema, document, operationName: operationName ?? null, variableValues: variableValues ?? null };
    const { context, guards } = openSource({ services, database, origin, signal, authority: () => session.authority });
    const source = await createSourceEventStream({ ...args, contextValue: context });
    if (!(Symbol.asyncIterator in source)) return { errors: (source.errors ?? []).map(translate) };

    const permission = permissionOf(schema, document, operationName);
    let checked = JSON.stringify(session.authority);

    async function requirePermitted(authority: Authority, read: Context['read']): Promise<void> {
      if (permission && !holdsSomewhere(authority, permission)) throw new ForbiddenError(refusal([permission]));
      if (guards.length > 0) await read((uow) => Promise.all(guards.map((guard) => guard(uow, authority))));
    }

    async function executeBatch(rootValue: unknown): Promise<FormattedExecutionResult> {
      const authority = await session.refresh();
      const operation = openOperation({ services, database, authority, origin, signal });
      try {
        await requirePermitted(authority, operation.context.read);
        const { errors, ...result } = await execute({ ...args, rootValue, contextValue: operation.context });
        return { ...result, ...(errors && { errors: errors.map(translate) }) };
      } finally {
        await operation.close();
      }
    }

    async function checkAgain(authority: Authority): Promise<void> {
      const rights = JSON.stringify(authority);
      if (rights === checked) return;
      checked = rights;
      await requirePermitted(authority, context.read);
    }

    return liveResults({
      source,
      executeBatch,
      failed: (error) => ({ errors: [translate(error)] }),
      stopped: () => abort.abort(),
      watch: (interrupt) => session.listen({ ended: interrupt, changed: (authority) => void checkAgain(authority).catch(interrupt) }),
    });
  };
}

interface LiveResults {
  readonly source: AsyncIterable<unknown>;
  executeBatch(batch: unknown): Promise<FormattedExecutionResult>;
  failed(error: unknown): FormattedExecutionResult;
  stopped(): void;
  watch(interrupt: (error: unknown) => void): () => void;
}

/**
 * An iterator by hand instead of `async function*`: there, `return()` would wait until the source has its next batch,
 * so a client that leaves a quiet stream would never be let go.
 */
function liveResults({ source, executeBatch, failed, stopped, watch }: LiveResults): Results {
  type Step = { batch: unknown } | { error: unknown } | 'end';
  const iterator = source[Symbol.asyncIterator]();
  const finished: IteratorReturnResult<void> = { done: true, value: undefined };
  let isDone = false;
  let loss: { error: unknown } | undefined;
  let wake: ((step: Step) => void) | undefined;

  const unwatch = watch((error) => {
    loss ??= { error };
    wake?.(loss);
  });

  function finish(): void {
    if (isDone) return;
    isDone = true;
    unwatch();
    stopped();
    wake?.('end');
    // Not waited for: a source may be in the middle of something that the abort signal is about to stop.
    iterator.return?.().catch(() => undefined);
  }

  const nextStep = (): Promise<Step> =>
    new Promise((resolve) => {
      wake = resolve;
      iterator.next().then(
        ({ done, value }) => resolve(done ? 'end' : { batch: value }),
        (error: unknown) => resolve({ error }),
      );
    });

  function endWith(error: unknown): IteratorResult<FormattedExecutionResult, void> {
    finish();
    return { done: false, value: failed(error) };
  }

  return {
    async next() {
      if (isDone) return finished;
      const step = loss ?? (await nextStep());
      if (step === 'end' || isDone) {
        finish();
        return finished;
      }
      if ('error' in step) return endWith(step.error);
      try {
        return { done: false, value: await executeBatch(step.batch) };
      } catch (error) {
        return endWith(error);
      }
    },
    async return() {
      finish();
      return finished;
    },
    async throw(error) {
      finish();
      throw error;
    },
    [Symbol.asyncIterator]() {
      return this;
    },
    async [Symbol.asyncDispose]() {
      finish();
    },
  };
}

/** The permission declared beside the (only) root field; undefined where any credential will do. */
export function permissionOf(schema: GraphQLSchema, document: DocumentNode, operationName?: string | null): Permission | undefined {
  const operation = getOperationAST(document, operationName);
  const name = operation && rootFieldName(operation.selectionSet, document);
  const field = name ? schema.getSubscriptionType()?.getFields()[name] : undefined;
  const options = field?.extensions['pothosOptions'] as { authScopes?: { permission?: Permission; authenticated?: boolean } } | undefined;
  const { permission, authenticated } = options?.authScopes ?? {};
  if (permission && permissions.includes(permission)) return permission;
  if (authenticated) return undefined;
  throw new GraphQLError(`the subscription ${name} declares no permission`);
}

function rootFieldName({ selections }: SelectionSetNode, document: DocumentNode): string | undefined {
  for (const selection of selections) {
    if (selection.kind === Kind.FIELD) return selection.name.value;
    const inner = selection.kind === Kind.INLINE_FRAGMENT ? selection : fragmentOf(document, selection.name.value);
    const found = inner && rootFieldName(inner.selectionSet, document);
    if (found) return found;
  }
  return undefined;
}

const fragmentOf = (document: DocumentNode, name: string) =>
  document.definitions.find((node) => node.kind === Kind.FRAGMENT_DEFINITION && node.name.value === name) as
    FragmentDefinitionNode | undefined;
