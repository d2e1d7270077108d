// Cursors of streams: opaque texts that name the stream, the history (epoch) and the place in it. A cursor that does not fit is
// refused with the reason; it is never guessed at.
import { CursorExpiredError, InvalidCursorError } from '../platform/errors.ts';
import { isId } from '../platform/ids.ts';
import type { FeedPosition } from './event-service.ts';

const encode = (parts: readonly (string | number)[]): string => Buffer.from(parts.join(':')).toString('base64url');

const kinds = ['execution', 'approvals', 'audit', 'changes', 'tenant'] as const;

function decode(cursor: string, kind: (typeof kinds)[number], length: number): string[] {
  const [name, ...parts] = Buffer.from(cursor, 'base64url').toString().split(':');
  if (!kinds.some((each) => each === name))
    throw new InvalidCursorError(`after: "${cursor.slice(0, 80)}" is not a cursor of a stream; leave it out to start from the beginning`);
  if (name === undefined || name !== kind)
    throw new InvalidCursorError(`after: this cursor belongs to the stream "${name}", not to "${kind}"`);
  // Decoding is lenient (it skips what is not base64), so only what encodes to the same text is taken.
  if (parts.length !== length || encode([name, ...parts]) !== cursor) throw damaged();
  return parts;
}

function requireEpoch(given: string, epoch: string): void {
  if (given === epoch) return;
  throw new CursorExpiredError(
    'after: this cursor belongs to a history that no longer exists (the database was restored or recreated); start without it',
  );
}

const wholeNumber = /^\d{1,20}$/;
const damaged = () => new InvalidCursorError('after: the cursor is damaged; leave it out to start from the beginning');

export const executionCursor = (epoch: string, executionId: string, sequence: number): string =>
  encode(['execution', epoch, executionId, sequence]);

/** The sequence in a cursor of this execution's stream. */
export function readExecutionCursor(cursor: string, epoch: string, executionId: string): number {
  const { epoch: given, executionId: id, sequence } = executionPlace(cursor);
  if (id !== executionId)
    throw new InvalidCursorError('after: this cursor belongs to another execution; leave it out to start from the beginning');
  requireEpoch(given, epoch);
  return sequence;
}

/** What a cursor of an execution's stream says, whichever execution and history it belongs to. */
export function executionPlace(cursor: string): { readonly epoch: string; readonly executionId: string; readonly sequence: number } {
  const [epoch = '', executionId = '', sequence = ''] = decode(cursor, 'execution', 3);
  if (!isId(executionId) || !wholeNumber.test(sequence) || Number(sequence) > 2_147_483_647) throw damaged();
  return { epoch, executionId, sequence: Number(sequence) };
}

/** Streams of a tenant: their places are places in its commit order. */
export type TenantStreamKind = Exclude<(typeof kinds)[number], 'execution'>;

export const tenantCursor = (kind: TenantStreamKind, epoch: string, { transactionId, executionId, sequence }: FeedPosition): string =>
  encode([kind, epoch, transactionId, executionId, sequence]);

/** The place in a cursor of this stream and this history. */
export function readTenantCursor(cursor: string, kind: TenantStreamKind, epoch: string): FeedPosition {
  const { epoch: given, position } = tenantPlace(cursor, kind);
  requireEpoch(given, epoch);
  return position;
}

/** What a cursor of a tenant's stream says, whichever history it belongs to. */
export function tenantPlace(cursor: string, kind: TenantStreamKind): { readonly epoch: string; readonly position: FeedPosition } {
  const [epoch = '', transactionId = '', executionId = '', sequence = ''] = decode(cursor, kind, 4);
  const fits =
    wholeNumber.test(transactionId) && BigInt(transactionId) < 2n ** 63n && wholeNumber.test(sequence) && Number(sequence) <= 2_147_483_647;
  if (!fits || !isId(executionId)) throw damaged();
  return { epoch, position: { transactionId, executionId, sequence: Number(sequence) } };
}
