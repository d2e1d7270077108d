// The text form of an API key: it names its tenant and its row, so that the tenant is known before the look-up. No I/O.
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { isId, newId } from '../platform/ids.ts';

export const apiKeyPrefix = 'sbk_';
/** `sbk_<base64url of tenant id ‖ key id>_<base64url of 32 random bytes>`; both parts are 43 characters long. */
const form = /^sbk_([A-Za-z0-9_-]{43})_([A-Za-z0-9_-]{43})$/;

export interface GeneratedApiKey {
  readonly id: string;
  readonly tenantId: string;
  /** The whole key: shown once, never stored. */
  readonly token: string;
  readonly secretHash: Buffer;
}

export interface ParsedApiKey {
  readonly id: string;
  readonly tenantId: string;
  readonly secretHash: Buffer;
}

export function generateApiKey(tenantId: string): GeneratedApiKey {
  const id = newId();
  const secret = randomBytes(32);
  const address = Buffer.concat([idBytes(tenantId), idBytes(id)]);
  return {
    id,
    tenantId,
    token: `${apiKeyPrefix}${address.toString('base64url')}_${secret.toString('base64url')}`,
    secretHash: sha256(secret),
  };
}

/** Null for anything that `generateApiKey` cannot have made. */
export function parseApiKey(token: string): ParsedApiKey | null {
  const match = form.exec(token);
  if (!match) return null;
  const [address, secret] = [decode(match[1]!), decode(match[2]!)];
  if (!address || !secret) return null;
  const [tenantId, id] = [idText(address.subarray(0, 16)), idText(address.subarray(16))];
  return isId(tenantId) && isId(id) ? { id, tenantId, secretHash: sha256(secret) } : null;
}

export const sameHash = (a: Uint8Array, b: Uint8Array): boolean => a.length === b.length && timingSafeEqual(a, b);

const sha256 = (bytes: Buffer): Buffer => createHash('sha256').update(bytes).digest();
const idBytes = (id: string): Buffer => Buffer.from(id.replaceAll('-', ''), 'hex');
const idText = (bytes: Buffer): string => bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');

/** One text per value: the two unused bits of the last character must be zero. */
function decode(text: string): Buffer | null {
  const bytes = Buffer.from(text, 'base64url');
  return bytes.toString('base64url') === text ? bytes : null;
}
