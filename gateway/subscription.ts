// Subscriptions: who watches the same with the same rights shares one channel. The permission is looked at when somebody joins, before
// every batch, and while nothing happens; when it is lost everybody hears why and the channel ends. The streams themselves live in src/.
import { randomBytes } from 'node:crypto';
import {
  createSourceEventStream,
  execute,
  getVariableValues,
  Kind,
  type DocumentNode,
  type FormattedExecutionResult,
  type GraphQLSchema,
  type ValueNode,
} from 'graphql';
import { holdsSomewhere, refusal } from '#schema/builder.ts';
import type { Guard, LiveSource } from '#schema/subscription.ts';
import type { Services } from '#src/app.ts';
import type { Origin } from '#src/audit/audit.ts';
import type { Database } from '#src/platform/database.ts';
import { ForbiddenError } from '#src/platform/errors.ts';
import type { Authority } from '#src/authority/permission.ts';
import { Channel, type ChannelSource, type EncodedBatch } from './channel.ts';
import { isPassing, type Translate } from './errors.ts';
import { Member } from './member.ts';
import { openOperation, openSource } from './operation.ts';
import type { Outlet } from './outlet.ts';
import type { Session } from './session.ts';
import { createSharedDocuments, type SharedDocument } from './shared-document.ts';

export interface SubscriberSettings {
  readonly schema: GraphQLSchema;
  readonly services: Services;
  readonly database: Database;
  readonly translate: Translate;
}

export interface SubscriptionRequest {
  readonly session: Session;
  readonly document: DocumentNode;
  readonly operationName?: string | null | undefined;
  readonly variableValues?: Readonly<Record<string, unknown>> | null | undefined;
  /** Instead of the root field's `after`. */
  readonly cursor?: string | undefined;
  readonly outlet: Outlet;
  /** What is written of a batch. */
  frame(batch: EncodedBatch, isResumable: boolean): Buffer;
  /** The one who watches has left, or was let go. */
  left?(): void;
}

export interface Subscriber {
  subscribe(request: SubscriptionRequest): Member | FormattedExecutionResult;
  /** How many different things are watched now. */
  readonly size: number;
}

export function createSubscriber(settings: SubscriberSettings): Subscriber {
  const { schema, translate } = settings;
  const channels = new Map<string, Channel>();
  const sharedDocument = createSharedDocuments(schema);
  // An opening may be refused for several reasons at once.
  const failed = (error: unknown) => ({ errors: (error instanceof AggregateError ? error.errors : [error]).map(translate) });

  return {
    subscribe({ session, document, operationName = null, variableValues, cursor, outlet, frame, left }) {
      const shared = sharedDocument(document, operationName);
      const given = { ...variableValues };
      const { coerced, errors } = getVariableValues(schema, shared.operation.variableDefinitions ?? [], given);
      if (errors) return { errors: errors.map(translate) };
      const { isResumable } = shared;
      const after = (isResumable ? cursor : undefined) ?? cursorIn(shared.after, coerced);
      // Everything that a resolver or rule can see; what the session may do is the session's.
      const variables = Object.fromEntries(shared.variables.flatMap((name) => (name in coerced ? [[name, coerced[name]]] : [])));
      const key = JSON.stringify([session.id, operationName, shared.text, variables]);
      const open = channels.get(key);
      const kept = Object.fromEntries(shared.variables.flatMap((name) => (name in given ? [[name, given[name]]] : [])));
      const channel =
        open ??
        new Channel(channelSource(settings, { session, shared, operationName, variableValues: kept }), () => {
          if (channels.get(key) === channel) channels.delete(key);
        });
      if (!open) channels.set(key, channel);
      return new Member({
        ...{ channel, outlet, after, isResumable, failed },
        isShared: open !== undefined,
        frame: (batch) => frame(batch, isResumable),
        ...(left && { left }),
      });
    },
    get size() {
      return channels.size;
    },
  };
}

function cursorIn(after: ValueNode | undefined, variables: Readonly<Record<string, unknown>>): string | null {
  if (after?.kind === Kind.STRING) return after.value;
  return after?.kind === Kind.VARIABLE ? ((variables[after.name.value] as string | null | undefined) ?? null) : null;
}

interface Shared {
  readonly session: Session;
  readonly shared: SharedDocument;
  readonly operationName: string | null;
  readonly variableValues: Readonly<Record<string, unknown>>;
}

function channelSource(
  { schema, services, database, translate }: SubscriberSettings,
  { session, shared: { document, permission }, operationName, variableValues }: Shared,
): ChannelSource {
  const abort = new AbortController();
  const { signal } = abort;
  const args = { schema, document, operationName, variableValues };
  const { context, guards } = openSource({ services, database, origin: ownOrigin(), signal, authority: () => session.authority });
  let checked: Authority | null = null;

  async function requirePermitted(authority: Authority): Promise<void> {
    if (permission && !holdsSomewhere(authority, permission)) throw new ForbiddenError(refusal([permission]));
    const check = (guard: Guard) => database.lookUp(authority.tenantId, (uow) => guard(uow, authority));
    await Promise.all(guards.map(check));
  }

  return {
    get rights() {
      return session.authority;
    },
    async open() {
      checked = await session.refresh();
      const source = await createSourceEventStream({ ...args, contextValue: context });
      if (!(Symbol.asyncIterator in source)) throw new AggregateError(source.errors ?? []);
      return (source as LiveSource).stream;
    },
    async execute(rootValue) {
      const authority = await session.refresh();
      // Nobody's request: what is told to many must not depend on where one of them sits.
      await requirePermitted(authority);
      const operation = openOperation({ services, database, authority, origin: ownOrigin(), signal });
      try {
        const { errors, ...result } = await execute({ ...args, rootValue, contextValue: operation.context });
        // Told without it, the batch would be lost: its cursor would say that it was seen.
        if (errors?.some(isPassing)) throw new AggregateError(errors, 'a batch could not be read');
        return { json: JSON.stringify({ ...result, ...(errors && { errors: errors.map(translate) }) }), rights: authority };
      } finally {
        await operation.close();
      }
    },
    async permit() {
      await requirePermitted(await session.refresh());
    },
    watch: (lost) =>
      session.listen({
        ended: lost,
        changed(authority) {
          if (authority === checked) return;
          checked = authority;
          requirePermitted(authority).catch(lost);
        },
      }),
    close: () => abort.abort(),
  };
}

const ownOrigin = (): Origin => ({ address: null, userAgent: null, traceId: randomBytes(16).toString('hex') });
