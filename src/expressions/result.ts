// What an expression may give back: JSON, not too deep, not too large. Measured before it is written out. Pure.
import { ExpressionError, maxResultBytes, maxResultDepth } from './expression.ts';

/**
 * JSON text of `value` (absent becomes null), or an ExpressionError. The walk stops as soon as the limit is passed, so a small
 * expression with a huge or endlessly shared result costs no more than the limit.
 */
export function resultText(value: unknown, maxBytes = maxResultBytes): string {
  const tooLarge = () =>
    new ExpressionError('OUTPUT_TOO_LARGE', `the result is larger than ${maxBytes} bytes of JSON; select what is needed`);
  let size = 0;
  const measureText = (text: string): void => {
    size += text.length;
    if (size > maxBytes) throw tooLarge();
    // Postgres stores neither in jsonb.
    if (text.includes('\0')) throw new ExpressionError('EXPRESSION_FAILED', 'the result contains the character U+0000; remove it');
    if (!text.isWellFormed()) {
      throw new ExpressionError('EXPRESSION_FAILED', 'the result contains half of a surrogate pair; was a text cut inside a character?');
    }
  };
  const measure = (member: unknown, depth: number): void => {
    size += 1;
    if (typeof member === 'string') measureText(member);
    else if (typeof member === 'number' && !Number.isFinite(member)) {
      throw new ExpressionError('EXPRESSION_FAILED', `the result contains ${member}, which JSON cannot hold`);
    } else if (isCallable(member)) {
      throw new ExpressionError('EXPRESSION_FAILED', 'the result contains a function; call it, or give back data');
    } else if (typeof member === 'object' && member !== null) {
      if (depth >= maxResultDepth) {
        throw new ExpressionError('EXPRESSION_LIMIT', `the result is nested deeper than ${maxResultDepth} arrays and objects`);
      }
      if (Array.isArray(member)) for (const entry of member) measure(entry, depth + 1);
      else {
        for (const key of Object.keys(member)) {
          measureText(key);
          measure((member as Record<string, unknown>)[key], depth + 1);
        }
      }
    }
    if (size > maxBytes) throw tooLarge();
  };
  measure(value, 0);
  const text = JSON.stringify(value) ?? 'null';
  if (Buffer.byteLength(text) > maxBytes) throw tooLarge();
  return text;
}

function isCallable(value: unknown): boolean {
  if (typeof value === 'function') return true;
  if (typeof value !== 'object' || value === null) return false;
  return '_jsonata_lambda' in value || '_jsonata_function' in value;
}
