// Identifiers: UUIDv7 (RFC 9562), ordered by creation time to the millisecond, so that "newest first" is an index scan by id.
import { v7, validate } from 'uuid';

export const newId = (): string => v7();

let turn = 0;

/** An id of this moment instead of the process's own, for rows that are looked up and kept by their time; in order within a process. */
export function newIdAt(moment: Date): string {
  turn = (turn + 1) % 2 ** 31;
  return v7({ msecs: moment.getTime(), seq: turn });
}

/** The smallest id of a moment: ids of that moment and later are not below it. */
export function firstIdAt(moment: Date): string {
  const time = Math.min(Math.max(moment.getTime(), 0), 2 ** 48 - 1)
    .toString(16)
    .padStart(12, '0');
  return `${time.slice(0, 8)}-${time.slice(8)}-0000-0000-000000000000`;
}

/** Rows of older releases have a moment a little apart from their id's. */
const slackMs = 60_000;
const apart = (moment: Date, ms: number) => firstIdAt(new Date(moment.getTime() + ms));

/** Conditions on a column of ids that rows of a period satisfy, so that an index in the order of ids leads to them. */
export function idsBetween(
  column: string,
  { since, until }: { readonly since?: Date | null | undefined; readonly until?: Date | null | undefined },
  bind: (value: unknown) => string,
): string[] {
  return [
    ...(since ? [`${column} >= ${bind(apart(since, -slackMs))}`] : []),
    ...(until ? [`${column} < ${bind(apart(until, slackMs))}`] : []),
  ];
}

/** True for any RFC 9562 UUID text; ids that fail it can never reach a query. */
export const isId = (value: string): boolean => validate(value);
