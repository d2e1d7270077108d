// JSON from a client: UTF-8 and nothing else, uncompressed, of a shape that is read in no time, without keys that change prototypes.
// The same over HTTP and WebSocket.
import { parse } from 'secure-json-parse';
import { LimitExceededError } from '#src/platform/errors.ts';

/** A million brackets take half a second to parse; values of the type JSON may have 64 levels. */
export const maxJsonDepth = 100;
/** So do 200,000 keys that differ. */
export const maxJsonKeys = 50_000;

/** Throws LimitExceededError, or SyntaxError with a message for the client. */
export function parseJson(bytes: Uint8Array): unknown {
  requireShape(bytes);
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new SyntaxError('the text is not valid UTF-8');
  }
  return parse(text) as unknown;
}

/** Counts without parsing; what is no JSON at all is left to the parser. */
function requireShape(bytes: Uint8Array): void {
  let depth = 0;
  let keys = 0;
  let inString = false;
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i];
    if (byte === 0x22) inString = !inString;
    else if (inString) i += byte === 0x5c ? 1 : 0;
    else if (byte === 0x7b || byte === 0x5b) {
      if (++depth > maxJsonDepth) throw exceeded('jsonDepth', maxJsonDepth, 'is nested deeper than', 'levels');
    } else if (byte === 0x7d || byte === 0x5d) depth--;
    else if (byte === 0x3a && ++keys > maxJsonKeys) throw exceeded('jsonKeys', maxJsonKeys, 'has more than', 'keys');
  }
}

const exceeded = (name: string, allowed: number, how: string, what: string): LimitExceededError =>
  new LimitExceededError(`the JSON ${how} ${allowed} ${what}, the most this server reads; send less at once`, { name, allowed });

/** Why a body of these headers is not read; undefined when it is. Guessing another charset would change what people wrote. */
export function unreadable(contentType: string | undefined, contentEncoding: string | undefined): string | undefined {
  if (contentEncoding !== undefined && contentEncoding.trim().toLowerCase() !== 'identity') {
    return `content-encoding: ${shown(contentEncoding)} is not taken; send the body uncompressed`;
  }
  const charset = /;\s*charset\s*=\s*"?([^";\s]*)/i.exec(contentType ?? '')?.[1];
  if (charset === undefined || /^utf-?8$/i.test(charset)) return undefined;
  return `content-type: the charset ${shown(charset)} is not taken; send UTF-8`;
}

const shown = (text: string): string => JSON.stringify(text.slice(0, 50));
