// Seals small secrets for storage: AES-256-GCM under one key, each bound to where it stands, so that a copied value does not open elsewhere.
import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';

export interface Sealer {
  /** `place` is authenticated, not stored: the same text opens it. */
  seal(text: string, place: string): string;
  /** Throws SealError for another key, another place, or a changed value. */
  open(sealed: string, place: string): string;
}

/** The message names keys by fingerprint, never the value. */
export class SealError extends Error {
  override readonly name = 'SealError';
}

const keyBytes = 32;
const algorithm = 'aes-256-gcm';
const nonceBytes = 12;
const tagBytes = 16;

export const secretKeyForm = '32 random bytes in base64 or hex, such as `openssl rand -base64 32` prints';
export const isSecretKey = (text: string): boolean => /^[0-9a-f]{64}$/i.test(text) || /^[A-Za-z0-9+/]{43}=$/.test(text);
export const parseSecretKey = (text: string): Buffer => Buffer.from(text, text.length === 64 ? 'hex' : 'base64');
export const newSecretKey = (): string => randomBytes(keyBytes).toString('base64');

export function createSealer(key: Uint8Array): Sealer {
  if (key.length !== keyBytes) throw new Error(`a key has ${keyBytes} bytes, got ${key.length}`);
  const own = fingerprintOf(key);
  return {
    seal(text, place) {
      const nonce = randomBytes(nonceBytes);
      const cipher = createCipheriv(algorithm, key, nonce, { authTagLength: tagBytes }).setAAD(Buffer.from(place));
      const body = Buffer.concat([nonce, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()]);
      return `v1.${own}.${body.toString('base64url')}`;
    },
    open(sealed, place) {
      const [version, fingerprint, body = ''] = sealed.split('.');
      if (version !== 'v1') throw new SealError('the value was not sealed by this version of Signalbox');
      if (fingerprint !== own) throw new SealError(`the value was sealed with the key ${fingerprint}, and this process has the key ${own}`);
      const bytes = Buffer.from(body, 'base64url');
      try {
        const decipher = createDecipheriv(algorithm, key, bytes.subarray(0, nonceBytes), { authTagLength: tagBytes })
          .setAAD(Buffer.from(place))
          .setAuthTag(bytes.subarray(-tagBytes));
        return Buffer.concat([decipher.update(bytes.subarray(nonceBytes, -tagBytes)), decipher.final()]).toString('utf8');
      } catch {
        throw new SealError('the value was changed, or belongs to another place');
      }
    },
  };
}

const fingerprintOf = (key: Uint8Array): string => createHash('sha256').update(key).digest('hex').slice(0, 8);
