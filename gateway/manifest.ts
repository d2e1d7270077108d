// Operations that the operator registered: manifests in Apollo's format, every problem at once, each with its place.
import { readFile } from 'node:fs/promises';
import { OperatorError } from '#src/platform/errors.ts';
import { hashOf, type RegisteredOperation } from './documents.ts';

const format = 'apollo-persisted-query-manifest';

export async function readManifests(paths: readonly string[]): Promise<readonly RegisteredOperation[]> {
  const problems: string[] = [];
  const operations = (await Promise.all(paths.map((path) => readManifest(path, problems)))).flat();
  if (problems.length > 0) throw new OperatorError(`manifests of operations cannot be read:\n  ${problems.sort().join('\n  ')}`);
  return operations;
}

async function readManifest(path: string, problems: string[]): Promise<RegisteredOperation[]> {
  let manifest: Record<string, unknown> | null;
  try {
    manifest = JSON.parse(await readFile(path, 'utf8')) as Record<string, unknown> | null;
  } catch (error) {
    problems.push(`${path}: expected a JSON file (${error instanceof Error ? error.message : String(error)})`);
    return [];
  }
  const expected = (place: string, what: string, value: unknown): void => {
    problems.push(`${path}: ${place}: expected ${what}, got ${(JSON.stringify(value) ?? 'nothing').slice(0, 100)}`);
  };
  if (manifest?.['format'] !== format) expected('format', `"${format}"`, manifest?.['format']);
  if (manifest?.['version'] !== 1) expected('version', '1', manifest?.['version']);
  if (!Array.isArray(manifest?.['operations'])) expected('operations', 'a list', manifest?.['operations']);
  const entries: readonly unknown[] = Array.isArray(manifest?.['operations']) ? manifest['operations'] : [];
  return entries.flatMap((entry, index) => {
    const place = `operations[${index}]`;
    const { id, body } = (entry ?? {}) as { id?: unknown; body?: unknown };
    if (typeof body !== 'string') {
      expected(`${place}.body`, 'the text of an operation', body);
      return [];
    }
    const hash = hashOf(body);
    // Clients send the hash of their text; an id of another kind would never be asked for.
    if (id !== hash) expected(`${place}.id`, `the SHA-256 of the body (${hash})`, id);
    return [{ place: `${path}: ${place}.body`, hash, source: body }];
  });
}
