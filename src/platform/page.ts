// Pages of lists: forward only, newest first, cursor = the last row's id (UUIDv7), so pages stay stable while rows are added.
import { InvalidCursorError, ValidationError } from './errors.ts';
import { isId } from './ids.ts';

export const defaultPageSize = 20;
export const maxPageSize = 100;

export interface PageRequest {
  /** 1…100, default 20. */
  readonly first?: number | null | undefined;
  /** Cursor of the last row already seen. */
  readonly after?: string | null | undefined;
}

export interface Page<Row> {
  readonly rows: readonly Row[];
  readonly hasNextPage: boolean;
}

/** What a list's SQL needs: fetch `limit` rows (one more than asked for) with id < `afterId`. */
export interface PageWindow {
  readonly first: number;
  readonly limit: number;
  readonly afterId: string | null;
}

/** `list` names the list, so that a cursor of another list is refused instead of misread. */
export function pageWindow(list: string, { first, after }: PageRequest): PageWindow {
  const size = first ?? defaultPageSize;
  if (!Number.isInteger(size) || size < 1 || size > maxPageSize) {
    throw new ValidationError([{ path: 'first', message: `must be between 1 and ${maxPageSize}, got ${size}` }]);
  }
  return { first: size, limit: size + 1, afterId: after == null ? null : idOfCursor(list, after) };
}

export function pageOf<Row>(window: PageWindow, rows: readonly Row[]): Page<Row> {
  return { rows: rows.slice(0, window.first), hasNextPage: rows.length > window.first };
}

/** One page per parent, in the order of `parentIds`: the rows of one statement, each with its parent's id. */
export function pagesOf<Row extends { readonly parentId: string }>(
  window: PageWindow,
  parentIds: readonly string[],
  rows: readonly Row[],
): Page<Row>[] {
  const byParent = Map.groupBy(rows, ({ parentId }) => parentId);
  return parentIds.map((id) => pageOf(window, byParent.get(id) ?? []));
}

export const cursorOf = (list: string, id: string): string => Buffer.from(`${list}:${id}`).toString('base64url');

function idOfCursor(list: string, cursor: string): string {
  const [name, id, ...rest] = Buffer.from(cursor, 'base64url').toString().split(':');
  if (rest.length > 0 || !id || !isId(id)) throw new InvalidCursorError(`after: "${cursor.slice(0, 80)}" is not a cursor of this API`);
  if (name !== list) throw new InvalidCursorError(`after: this cursor belongs to the list "${name}", not to "${list}"`);
  return id;
}
