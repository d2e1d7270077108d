// The key that seals secrets in the database: from the configuration, else from the data folder, where the first start makes it.
import type { Config } from '#src/config.ts';
import { isSecretKey, newSecretKey, parseSecretKey } from '#src/platform/sealing.ts';
import { readSecret, storeSecret, type KeptSecret } from './kept-secret.ts';

export async function ensureSecretKey({ secretKey, dataDir }: Pick<Config, 'secretKey' | 'dataDir'>): Promise<Uint8Array> {
  if (secretKey !== undefined) return parseSecretKey(secretKey);
  const kept: KeptSecret = { dataDir, fileName: 'secret-key', name: 'the key for secrets', isValid: isSecretKey };
  return parseSecretKey((await readSecret(kept)) ?? (await storeSecret(kept, newSecretKey())));
}
