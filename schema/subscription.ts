// Subscriptions in one shape. The gateway runs `permitted` at the start, before each batch, and while idle whenever the rights changed.
import type { InputFieldMap, InputShapeFromFields, ObjectRef } from '@pothos/core';
import type { Services } from '#src/app.ts';
import type { UnitOfWork } from '#src/platform/database.ts';
import type { Authority, Permission } from '#src/principals/permission.ts';
import { builder, type Types } from './builder.ts';
import type { Context } from './context.ts';

export type Guard = (uow: UnitOfWork, actor: Authority) => Promise<unknown>;

/** The context that `subscribe` runs in; `resolve` runs once per batch in an ordinary one. */
export interface SourceContext extends Context {
  /** Checks now, throwing what the check throws, and again for as long as the subscription lives. */
  guard(check: Guard): Promise<void>;
}

type ArgumentBuilder = PothosSchemaTypes.InputFieldBuilder<Types, 'Arg'>;

export interface SubscriptionOptions<Batch, Args extends InputFieldMap> {
  readonly description: string;
  readonly type: ObjectRef<Types, Batch>;
  /** Held anywhere; see `permitted` for the exact place. */
  readonly permission: Permission;
  readonly args?: (t: ArgumentBuilder) => Args;
  /** Throws NotFoundError or ForbiddenError when `actor` may not watch what the arguments name. */
  permitted?(services: Services, uow: UnitOfWork, actor: Authority, args: InputShapeFromFields<Args>): Promise<unknown>;
  /** Batches until the end or until `context.signal` aborts; `context.authority` is live. */
  source(context: Context, args: InputShapeFromFields<Args>): AsyncIterable<Batch>;
}

export function subscription<Batch, Args extends InputFieldMap>(
  name: string,
  { description, type, permission, args, permitted, source }: SubscriptionOptions<Batch, Args>,
): void {
  builder.subscriptionField(name, (t) =>
    t.field({
      type,
      description,
      authScopes: { permission },
      args: args ? builder.args(args) : {},
      async subscribe(_root, given, context) {
        const input = given as InputShapeFromFields<Args>;
        if (permitted) await (context as SourceContext).guard((uow, actor) => permitted(context.services, uow, actor, input));
        return source(context, input) as AsyncIterable<unknown>;
      },
      resolve: (batch) => batch as never,
    }),
  );
}
