// The policy documents of a folder, read and checked whole: every problem of every file at once.
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { OperatorError, type Problem } from '#src/platform/errors.ts';
import { readPolicyDocument, type PolicyFileDocument } from '#src/policies/policy-document.ts';

export interface PolicyFile {
  readonly path: string;
  readonly text: string;
  readonly document: PolicyFileDocument;
}

const isDocument = (name: string): boolean => /\.(ya?ml|json)$/.test(name) && !/\.(cases|schema)\.json$/.test(name);

/** In the order of their names. */
export async function readDocuments(folder: string): Promise<PolicyFile[]> {
  const names = await readdir(folder).catch((cause: NodeJS.ErrnoException) => {
    throw new OperatorError(`${folder} cannot be read (${cause.code}): name a folder of policy documents`, { cause });
  });
  const paths = names
    .filter(isDocument)
    .sort()
    .map((name) => join(folder, name));
  if (paths.length === 0) throw new OperatorError(`${folder} holds no policy document (*.yaml, *.yml, *.json)`);
  const files = await Promise.all(paths.map(async (path) => ({ path, text: await readFile(path, 'utf8') })));
  const read = files.map((file) => ({ ...file, read: readPolicyDocument(file.text) }));
  const problems = read.flatMap((file) => (file.read.ok ? [] : file.read.problems.map((problem) => problemText(file.path, problem))));
  const documents = read.flatMap(({ path, text, read: { ...result } }) => (result.ok ? [{ path, text, document: result.document }] : []));
  for (const [name, sharing] of Map.groupBy(documents, ({ document }) => document.name)) {
    if (sharing.length > 1) problems.push(`${sharing.map(({ path }) => path).join(' and ')} are both named "${name}"`);
  }
  refuse(problems);
  return documents;
}

/** As compilers write it, so that editors find the place. */
export function problemText(
  file: string,
  { path, message, expected, line, column }: { [Key in keyof Problem]: Problem[Key] | null },
): string {
  const place = line == null ? file : `${file}:${line}:${column ?? 1}`;
  return `${place} ${path ? `${path}: ` : ''}${message}${expected ? ` (expected ${expected})` : ''}`;
}

export function refuse(problems: readonly string[]): void {
  if (problems.length === 0) return;
  throw new OperatorError(
    `${problems.length === 1 ? 'a problem' : `${problems.length} problems`}:\n${problems.map((each) => `  ${each}`).join('\n')}`,
  );
}
