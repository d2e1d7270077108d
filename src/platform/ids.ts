// Identifiers: UUIDv7 (RFC 9562), ordered by creation time to the millisecond, so that "newest first" is an index scan by id.
import { v7, validate } from 'uuid';

export const newId = (): string => v7();

/** True for any RFC 9562 UUID text; ids that fail it can never reach a query. */
export const isId = (value: string): boolean => validate(value);
