// Lists: Relay connections over a service's `Page`, forward only. Page size and cursors are checked by the service's `pageWindow`.
import type { InputFieldMap, ObjectRef } from '@pothos/core';
import { cursorOf, defaultPageSize, maxPageSize, type Page } from '#src/platform/page.ts';
import { builder, type Types } from './builder.ts';

/** `ProjectConnection` and `ProjectEdge` for the type `Project`. */
export function connectionType<RefShape, Shape>(type: ObjectRef<Types, RefShape, Shape>) {
  const name = type.name;
  return builder.connectionObject(
    { type, name: `${name}Connection`, description: `A page of a list of ${name} rows.` },
    { name: `${name}Edge`, description: `One row of a list of ${name} rows, with its position.` },
  );
}

interface PageArguments {
  readonly first?: number | null | undefined;
  readonly after?: string | null | undefined;
}

// `builder.args` is the one place outside a field where argument refs can be made.
const pageArguments = () =>
  builder.args((t) => ({
    first: t.int({ description: `How many rows, 1 to ${maxPageSize}; ${defaultPageSize} when absent.` }),
    after: t.string({ description: 'Cursor of the last row already seen.' }),
  }));

const cost = ({ first }: PageArguments) => ({ field: 1, multiplier: Math.min(Math.max(first ?? defaultPageSize, 1), maxPageSize) });

/** Spread into the field: arguments `first`, `after` and your own, and the cost of as many rows. */
// Two signatures, because the default of a type parameter would be inferred from the place it is spread into.
export function paged(): { args: ReturnType<typeof pageArguments>; complexity: typeof cost };
export function paged<Args extends InputFieldMap>(own: Args): { args: Args & ReturnType<typeof pageArguments>; complexity: typeof cost };
export function paged(own: InputFieldMap = {}) {
  return { args: { ...own, ...pageArguments() }, complexity: cost };
}

/** What a connection field resolves to. `list` is the name the service gave to `pageWindow`. */
export async function connectionOf<Row extends { readonly id: string }>(list: string, page: Page<Row> | Promise<Page<Row>>) {
  return toConnection(list, await page);
}

/** The same for a batched field (`t.loadable`): one page per parent, in the order of the keys. */
export const connectionsOf =
  (list: string) =>
  <Row extends { readonly id: string }>(pages: readonly Page<Row>[]) =>
    pages.map((page) => toConnection(list, page));

function toConnection<Row extends { readonly id: string }>(list: string, { rows, hasNextPage }: Page<Row>) {
  const edges = rows.map((node) => ({ node, cursor: cursorOf(list, node.id) }));
  return {
    edges,
    pageInfo: {
      hasNextPage,
      hasPreviousPage: false,
      startCursor: edges[0]?.cursor ?? null,
      endCursor: edges.at(-1)?.cursor ?? null,
    },
  };
}
