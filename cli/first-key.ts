// The administrator's first key. It stands in a file of the data folder from before its tenant exists until it has been shown,
// so that a crash in between neither loses it nor leaves a tenant that nobody can enter.
import { rm } from 'node:fs/promises';
import { systemClock } from '#src/platform/clock.ts';
import type { Database } from '#src/platform/database.ts';
import { newId } from '#src/platform/ids.ts';
import { parseApiKey } from '#src/authority/api-key.ts';
import { ensureFirstTenant, firstTenantName, newAdminKey } from '#src/principals/bootstrap.ts';
import { fileOf, readSecret, storeSecret, type KeptSecret } from './kept-secret.ts';

export interface FirstKey {
  readonly token: string;
  /** Call when the person has it: from then on it is kept nowhere. */
  shown(): Promise<void>;
}

/** Creates the first tenant unless there is one. Null when its key was shown before. */
export async function ensureFirstKey(dataDir: string, database: Database): Promise<FirstKey | null> {
  const kept: KeptSecret = {
    dataDir,
    fileName: 'first-admin-key',
    name: 'the first admin key',
    isValid: (text) => parseApiKey(text) !== null,
  };
  const stored = await readSecret(kept);
  if (stored === null && (await hasTenant(database))) return null;
  const token = stored ?? (await storeSecret(kept, newAdminKey()));
  await ensureFirstTenant(database, systemClock, { adminKey: token });
  const shown = () => rm(fileOf(kept), { force: true });
  if (await isKnown(database, token)) return { token, shown };
  await shown(); // another process, with another data folder, was faster
  return null;
}

async function hasTenant(database: Database): Promise<boolean> {
  const [row] = await database.read(newId(), (uow) =>
    uow.rows<{ id: string | null }>('select identity.tenant_id_by_name($1) as id', [firstTenantName]),
  );
  return row?.id != null;
}

async function isKnown(database: Database, token: string): Promise<boolean> {
  const { id, tenantId } = parseApiKey(token)!;
  return (
    (await database.read(tenantId, (uow) => uow.rows('select 1 from api_keys where tenant_id = $1 and id = $2', [tenantId, id]))).length > 0
  );
}
