// JSON from a client: UTF-8 and nothing else, uncompressed, without keys that change prototypes. The same over HTTP and WebSocket.
import { parse } from 'secure-json-parse';

/** Throws SyntaxError or TypeError, with a message for the client. */
export function parseJson(bytes: Uint8Array): unknown {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new SyntaxError('the text is not valid UTF-8');
  }
  try {
    return parse(text) as unknown;
  } catch (error) {
    throw error instanceof RangeError ? new SyntaxError('the JSON is nested too deeply') : error;
  }
}

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
