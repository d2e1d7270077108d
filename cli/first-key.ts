// The administrator's first key. It stands in a file of the data folder from before its tenant exists until it has been shown,
// so that a crash in between neither loses it nor leaves a tenant that nobody can enter.
import { link, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { systemClock } from '#src/platform/clock.ts';
import type { Database } from '#src/platform/database.ts';
import { OperatorError } from '#src/platform/errors.ts';
import { newId } from '#src/platform/ids.ts';
import { parseApiKey } from '#src/principals/api-key.ts';
import { ensureFirstTenant, firstTenantName, newAdminKey } from '#src/principals/bootstrap.ts';

export interface FirstKey {
  readonly token: string;
  /** Call when the person has it: from then on it is kept nowhere. */
  shown(): Promise<void>;
}

/** Creates the first tenant unless there is one. Null when its key was shown before. */
export async function ensureFirstKey(dataDir: string, database: Database): Promise<FirstKey | null> {
  const file = join(dataDir, 'first-admin-key');
  const stored = await readStored(file);
  if (stored === null && (await hasTenant(database))) return null;
  const token = stored ?? (await store(dataDir, file));
  await ensureFirstTenant(database, systemClock, { adminKey: token });
  const shown = () => rm(file, { force: true });
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

async function readStored(file: string): Promise<string | null> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw new OperatorError(`${file} cannot be read (${error.code}): start Signalbox as the user it belongs to`, { cause: error });
  });
  if (text === null) return null;
  if (!parseApiKey(text.trim())) throw new OperatorError(`${file} holds no key of Signalbox: delete it and start again`);
  return text.trim();
}

/** Another process may do the same at this moment: the first one's key counts. */
async function store(dataDir: string, file: string): Promise<string> {
  const draft = `${file}.${process.pid}`;
  try {
    await mkdir(dataDir, { recursive: true });
    await writeFile(draft, `${newAdminKey()}\n`, { mode: 0o600, flush: true });
    await link(draft, file).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    });
    return await readFile(file, 'utf8').then((text) => text.trim());
  } catch (cause) {
    throw new OperatorError(`the first admin key cannot be kept in ${dataDir}: set SIGNALBOX_DATA_DIR to a folder that may be written`, {
      cause,
    });
  } finally {
    await rm(draft, { force: true });
  }
}
