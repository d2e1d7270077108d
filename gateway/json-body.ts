// JSON from a client: UTF-8 and nothing else, uncompressed, of a shape that is read in no time, without keys that change prototypes.
// The same over HTTP and WebSocket.
import type { Readable } from 'node:stream';
import { parse } from 'secure-json-parse';
import { LimitExceededError } from '#src/platform/errors.ts';

/** A million brackets take half a second to parse; values of the type JSON may have 64 levels. */
export const maxJsonDepth = 100;
/** So do 200,000 keys that differ. */
export const maxJsonKeys = 50_000;

/** Throws LimitExceededError, or SyntaxError with a message for the client. */
export function parseJson(bytes: Uint8Array): unknown {
  countShape(bytes, newShape());
  return parseChecked(bytes);
}

/**
 * Reads a body up to the first byte that is too much: of the rest nothing is kept. Rejects as `parseJson` throws, and with LimitExceededError
 * (`bodyBytes`) for one that is longer than `maxBytes`. `onRead` hears how much was taken in, before it is parsed or refused.
 */
export function readJson(body: Readable, maxBytes: number, onRead: (bytes: number) => void): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const shape = newShape();
    const chunks: Buffer[] = [];
    let bytes = 0;
    /** Told when all has come: who is still sending often does not listen. */
    let refusal: Error | null = null;
    const take = (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > maxBytes) {
        body.off('data', take).off('end', end).resume();
        onRead(bytes);
        return reject(bodyTooLarge(maxBytes));
      }
      if (refusal !== null) return;
      try {
        countShape(chunk, shape);
        chunks.push(chunk);
      } catch (error) {
        refusal = error as Error;
        chunks.length = 0;
      }
    };
    const end = () => {
      onRead(bytes);
      try {
        if (refusal !== null) throw refusal;
        resolve(parseChecked(Buffer.concat(chunks, bytes)));
      } catch (error) {
        reject(error);
      }
    };
    body.on('data', take).on('end', end);
    body.on('error', ({ message }: Error) => reject(new SyntaxError(`it did not arrive: ${message}`)));
  });
}

export const bodyTooLarge = (allowed: number): LimitExceededError =>
  new LimitExceededError(`the request body is larger than ${allowed} bytes`, { name: 'bodyBytes', allowed });

function parseChecked(bytes: Uint8Array): unknown {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new SyntaxError('the text is not valid UTF-8');
  }
  return parse(text) as unknown;
}

/** Within a string, bytes looked at one by one before the end of the string is searched for. */
const shortString = 64;

interface Shape {
  depth: number;
  keys: number;
  inString: boolean;
  isEscaped: boolean;
}

const newShape = (): Shape => ({ depth: 0, keys: 0, inString: false, isEscaped: false });

/** Counts on without parsing; what is no JSON at all is left to the parser. Throws LimitExceededError. */
function countShape(bytes: Uint8Array, shape: Shape): void {
  let { depth, keys, inString, isEscaped } = shape;
  let inThisString = 0;
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i];
    if (inString) {
      if (isEscaped) isEscaped = false;
      else if (byte === 0x22) inString = false;
      else if (byte === 0x5c) isEscaped = true;
      else if (++inThisString > shortString) {
        // A long one: on to its next quote, which may be escaped.
        inThisString = 0;
        const quote = bytes.indexOf(0x22, i);
        const next = quote < 0 ? bytes.length : quote;
        let escapes = 0;
        while (bytes[next - escapes - 1] === 0x5c) escapes++;
        isEscaped = escapes % 2 === 1;
        i = next - 1;
      }
    } else if (byte === 0x22) {
      inString = true;
      inThisString = 0;
    } else if (byte === 0x3a) {
      if (++keys > maxJsonKeys) throw exceeded('jsonKeys', maxJsonKeys, 'has more than', 'keys');
    } else if (byte === 0x7b || byte === 0x5b) {
      if (++depth > maxJsonDepth) throw exceeded('jsonDepth', maxJsonDepth, 'is nested deeper than', 'levels');
    } else if (byte === 0x7d || byte === 0x5d) depth--;
  }
  Object.assign(shape, { depth, keys, inString, isEscaped });
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
