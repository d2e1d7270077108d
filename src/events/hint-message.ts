// What goes through Redis about one tenant. Whoever reads it trusts nothing in it: it wakes, and rows that are not exactly events are left
// out. The tenant is that of the channel, never one that a message names.
import { z } from 'zod';
import { isId } from '../platform/ids.ts';
import { eventCatalogue, eventTypes } from './catalogue.ts';
import type { EventRow } from './event-row.ts';

export interface Hint {
  readonly tenantId: string;
  readonly executionId: string;
  /** The execution reached a final status: running effects of it are to be aborted. */
  readonly final: boolean;
  readonly approvals: boolean;
  /** From another process, which may say what it likes: a reason to look, not a fact. */
  readonly remote?: true;
  /** What was committed, exactly as Postgres gives it; absent: read it there. */
  rows?(): readonly EventRow[];
}

/** Told in one message; of more it is only said that there were. */
export const maxHints = 200;
/** Rows travel when there are few and they are small; else they are read in Postgres. */
const maxRows = 50;
const maxRowBytes = 16 * 1024;

const id = z.string().refine(isId);

const row = z.object({
  sequence: z.int().min(1).max(2_147_483_647),
  type: z.enum(eventTypes),
  // As it came: a copy made by a schema could lack members or have them in another order.
  data: z.custom<Record<string, unknown>>((value) => typeof value === 'object' && value !== null && !Array.isArray(value)),
  occurredAt: z.iso.datetime(),
});
const rowsSchema = z.array(row).min(1).max(maxRows);

const message = z.object({
  from: id,
  /** Null: more than can be told. */
  hints: z
    .array(z.object({ executionId: id, final: z.boolean(), approvals: z.boolean(), rows: z.unknown().optional() }))
    .max(maxHints)
    .nullable(),
  names: z.array(z.string().max(100)).max(100),
});

export interface HintMessage {
  readonly from: string;
  readonly hints: readonly Hint[];
  readonly names: readonly string[];
}

export function writeMessage(from: string, hints: readonly Hint[], names: readonly string[]): z.input<typeof message> {
  if (hints.length > maxHints) return { from, hints: null, names: [...names] };
  let bytes = 0;
  const told = hints.map((hint) => {
    const { executionId, final, approvals } = hint;
    const rows = bytes < maxRowBytes ? hint.rows?.() : undefined;
    if (rows === undefined || rows.length === 0 || rows.length > maxRows) return { executionId, final, approvals };
    bytes += JSON.stringify(rows).length;
    if (bytes > maxRowBytes) return { executionId, final, approvals };
    return {
      executionId,
      final,
      approvals,
      rows: rows.map(({ sequence, type, data, occurredAt }) => ({ sequence, type, data, occurredAt })),
    };
  });
  return { from, hints: told, names: [...names] };
}

/** Null when nothing in it can be used, or it says that there was too much to tell. */
export function readMessage(tenantId: string, input: unknown): HintMessage | null {
  const parsed = message.safeParse(input);
  if (!parsed.success || parsed.data.hints === null) return null;
  const { from, hints, names } = parsed.data;
  return {
    from,
    names,
    hints: hints.map(({ executionId, final, approvals, rows: given }) => {
      const rows = given === undefined ? null : readRows(executionId, given);
      return { tenantId, executionId, final, approvals, remote: true, ...(rows && { rows: () => rows }) };
    }),
  };
}

/** Null unless each is an event as the catalogue has it, one following the other. */
function readRows(executionId: string, input: unknown): EventRow[] | null {
  const parsed = rowsSchema.safeParse(input);
  if (!parsed.success) return null;
  const first = parsed.data[0]!.sequence;
  const fit = parsed.data.every(
    ({ sequence, type, data }, index) => sequence === first + index && eventCatalogue[type].safeParse(data).success,
  );
  if (!fit) return null;
  return parsed.data.map(({ sequence, type, data, occurredAt }) => ({
    executionId,
    sequence,
    type,
    data,
    occurredAt: new Date(occurredAt),
  }));
}
