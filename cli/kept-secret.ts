// A secret of the data folder: made once, kept in a file that only the owner reads, the same for every process that uses the folder.
import { link, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { OperatorError } from '#src/platform/errors.ts';
import { newId } from '#src/platform/ids.ts';

export interface KeptSecret {
  readonly dataDir: string;
  readonly fileName: string;
  /** For messages: "the first admin key". */
  readonly name: string;
  readonly isValid: (text: string) => boolean;
}

export const fileOf = ({ dataDir, fileName }: KeptSecret): string => join(dataDir, fileName);

/** Null when there is none. */
export async function readSecret(secret: KeptSecret): Promise<string | null> {
  const file = fileOf(secret);
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw new OperatorError(`${file} cannot be read (${error.code}): start Signalbox as the user it belongs to`, { cause: error });
  });
  if (text === null) return null;
  if (!secret.isValid(text.trim())) throw new OperatorError(`${file} holds no key of Signalbox: delete it and start again`);
  return text.trim();
}

/** Another process may do the same at this moment: the first one's secret counts, and is returned to both. */
export async function storeSecret(secret: KeptSecret, value: string): Promise<string> {
  const file = fileOf(secret);
  const draft = `${file}.${newId()}`;
  try {
    await mkdir(secret.dataDir, { recursive: true });
    await writeFile(draft, `${value}\n`, { mode: 0o600, flush: true });
    await link(draft, file).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    });
    return await readFile(file, 'utf8').then((text) => text.trim());
  } catch (cause) {
    const where = `${secret.dataDir}: set SIGNALBOX_DATA_DIR to a folder that may be written`;
    throw new OperatorError(`${secret.name} cannot be kept in ${where}`, { cause });
  } finally {
    await rm(draft, { force: true });
  }
}
