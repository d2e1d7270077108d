// Types with a global id: one batched, authorised read per type, used by `node`, `nodes` and every field that holds an id of the type.
// Foreign, invisible and absent ids all give null.
import { resolveNodes } from '@pothos/plugin-relay';
import { isObjectType, type GraphQLResolveInfo } from 'graphql';
import type { Services } from '#src/app.ts';
import type { UnitOfWork } from '#src/platform/database.ts';
import type { Authority } from '#src/authority/permission.ts';
import { builder } from './builder.ts';
import type { Context } from './context.ts';
import { globalIdOfAny, globalIdsOfAny, type GlobalId } from './ids.ts';

/** The rows of `ids` that `actor` may read, in any order; missing ones are simply left out. */
export type ReadByIds<Row> = (services: Services, uow: UnitOfWork, actor: Authority, ids: readonly string[]) => Promise<readonly Row[]>;

const readers = new Map<string, ReadByIds<{ readonly id: string }>>();
/** How rows of the type of this name are read; undefined when it is no node type. */
export const readerOf = (name: string): ReadByIds<{ readonly id: string }> | undefined => readers.get(name);

/**
 * A ref to `.implement({ description, fields })`. A field of this type may resolve to a row or to an id (uuid), which is
 * then loaded together with all others of the operation.
 */
export function nodeType<Row extends { readonly id: string }>(name: string, read: ReadByIds<Row>) {
  readers.set(name, read);
  return builder.loadableNodeRef<Row>(name, {
    id: { resolve: (row) => row.id },
    load: async (ids, { services, authority, read: inTransaction }) => [
      ...(await services.rows.load(name, authority, ids, (missing) =>
        inTransaction(async (uow) => ({ rows: await read(services, uow, authority, missing), startedAt: uow.startedAt })),
      )),
    ],
    sort: (row) => row.id,
  });
}

const isNode = (info: GraphQLResolveInfo, { typename }: GlobalId): boolean => {
  const type = info.schema.getType(typename);
  return isObjectType(type) && type.getInterfaces().some((each) => each.name === 'Node');
};

const load = (context: Context, info: GraphQLResolveInfo, ids: readonly GlobalId[]) =>
  resolveNodes(
    builder,
    context,
    info,
    ids.map((id) => (isNode(info, id) ? id : null)),
  );

const Node = builder.nodeInterfaceRef();

builder.queryField('node', (t) =>
  t.field({
    type: Node,
    nullable: true,
    description: 'The thing with this global id; null when it is absent or not visible to you.',
    authScopes: { authenticated: true },
    args: { id: t.arg.id({ required: true, description: 'A global id of any type.' }).validate(globalIdOfAny()) },
    resolve: async (_root, { id }, context, info) => (await load(context, info, [id]))[0],
  }),
);

builder.queryField('nodes', (t) =>
  t.field({
    type: [Node],
    nullable: { list: false, items: true },
    description: 'The things with these global ids, in this order; null for each that is absent or not visible to you.',
    authScopes: { authenticated: true },
    args: { ids: t.arg.idList({ required: true, description: 'At most 100 global ids.' }).validate(globalIdsOfAny()) },
    complexity: ({ ids }) => ({ field: 1, multiplier: ids.length }),
    resolve: async (_root, { ids }, context, info) => load(context, info, ids),
  }),
);
