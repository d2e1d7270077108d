// Remembers in the data folder which execution was shown to its end: the next run of the demo starts a new one after it.
import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

const fileOf = (dataDir: string): string => join(dataDir, 'demo', 'told');

export const lastTold = (dataDir: string): Promise<string | null> =>
  readFile(fileOf(dataDir), 'utf8').then(
    (text) => text.trim(),
    () => null,
  );

export async function rememberTold(dataDir: string, executionId: string): Promise<void> {
  const draft = `${fileOf(dataDir)}-${process.pid}`;
  await writeFile(draft, `${executionId}\n`);
  await rename(draft, fileOf(dataDir));
}
