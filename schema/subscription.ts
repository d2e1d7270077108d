// Subscriptions in one shape. The gateway runs `permitted` at the start, before each batch, and while idle whenever the rights changed.
import type { InputFieldMap, InputShapeFromFields, ObjectRef } from '@pothos/core';
import type { Services } from '#src/app.ts';
import type { LiveBatch, LiveStream } from '#src/events/live-stream.ts';
import type { UnitOfWork } from '#src/platform/database.ts';
import type { Authority, Permission } from '#src/authority/permission.ts';
import { builder, type Types } from './builder.ts';
import type { Context } from './context.ts';

export type Guard = (uow: UnitOfWork, actor: Authority) => Promise<unknown>;

/** The context that `subscribe` runs in; `resolve` runs once per batch in an ordinary one. */
export interface SourceContext extends Context {
  /** Checks now, throwing what the check throws, and again for as long as the subscription lives. */
  guard(check: Guard): Promise<void>;
}

type ArgumentBuilder = PothosSchemaTypes.InputFieldBuilder<Types, 'Arg'>;

export interface SubscriptionOptions<Batch extends LiveBatch, Args extends InputFieldMap> {
  readonly description: string;
  readonly type: ObjectRef<Types, Batch>;
  /** Held anywhere; see `permitted` for the exact place. */
  readonly permission: Permission;
  readonly args?: (t: ArgumentBuilder) => Args;
  /** Throws NotFoundError or ForbiddenError when `actor` may not watch what the arguments name. One statement: see `Database.lookUp`. */
  permitted?(services: Services, uow: UnitOfWork, actor: Authority, args: InputShapeFromFields<Args>): Promise<unknown>;
  /** Describes the argument `after`: a cursor to go on from, which the gateway looks after. None where it is left out. */
  readonly after?: string;
  /** Lives until its end or until `context.signal` aborts; `context.authority` is live. Many may share it: it knows nothing of one client. */
  source(context: Context, args: InputShapeFromFields<Args>): LiveStream<Batch>;
}

/** What `subscribe` hands over: graphql wants something to iterate, the gateway takes the stream. */
export class LiveSource implements AsyncIterable<never> {
  readonly stream: LiveStream;
  constructor(stream: LiveStream) {
    this.stream = stream;
  }
  [Symbol.asyncIterator](): never {
    throw new Error('a live stream is read by the gateway');
  }
}

export const afterArgument = 'after';

export function subscription<Batch extends LiveBatch, Args extends InputFieldMap>(
  name: string,
  { description, type, permission, args, permitted, after, source }: SubscriptionOptions<Batch, Args>,
): void {
  builder.subscriptionField(name, (t) =>
    t.field({
      type,
      description,
      authScopes: { permission },
      args: {
        ...(args && builder.args(args)),
        ...(after !== undefined && { [afterArgument]: t.arg.string({ description: after }) }),
      },
      async subscribe(_root, given, context) {
        const input = given as InputShapeFromFields<Args>;
        if (permitted) await (context as SourceContext).guard((uow, actor) => permitted(context.services, uow, actor, input));
        return new LiveSource(source(context, input)) as AsyncIterable<unknown>;
      },
      resolve: (batch) => batch as never,
    }),
  );
}
