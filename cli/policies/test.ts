// `signalbox policies test`: the cases of each document of a folder, decided as the gate would with this policy alone.
import { readFile } from 'node:fs/promises';
import { OperatorError } from '#src/platform/errors.ts';
import { parseCases, runCases, type PolicyCase } from '#src/policies/policy-cases.ts';
import { problemText, readDocuments, refuse } from './documents.ts';

export async function testFolder(folder: string): Promise<undefined> {
  const files = await readDocuments(folder);
  const withCases = await Promise.all(files.map(async (file) => ({ file, cases: await readCases(casesOf(file.path)) })));
  refuse(withCases.flatMap(({ cases }) => (cases?.ok === false ? cases.problems : [])));
  const outcomes = withCases.flatMap(({ file, cases }) => {
    if (!cases?.ok) {
      console.log(`- ${file.path}: no cases`);
      return [];
    }
    return runCases(file.document, cases.cases).map((outcome) => ({ path: file.path, ...outcome }));
  });
  for (const { path, name, differences } of outcomes) {
    console.log(`${differences.length === 0 ? '✔' : '✖'} ${path}: ${name}`);
    for (const difference of differences) console.log(`    ${difference}`);
  }
  const failed = outcomes.filter(({ differences }) => differences.length > 0).length;
  if (failed > 0) throw new OperatorError(`${failed} of ${outcomes.length} cases ${failed === 1 ? 'does' : 'do'} not hold`);
  console.log(outcomes.length === 1 ? '1 case holds' : `${outcomes.length} cases hold`);
}

const casesOf = (document: string): string => document.replace(/\.\w+$/, '.cases.json');

/** Null when there is no such file. */
async function readCases(path: string): Promise<{ ok: true; cases: PolicyCase[] } | { ok: false; problems: string[] } | null> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw new OperatorError(`${path} cannot be read (${error.code})`, { cause: error });
  });
  if (text === null) return null;
  try {
    const parsed = parseCases(JSON.parse(text));
    return parsed.ok ? parsed : { ok: false, problems: parsed.problems.map((problem) => problemText(path, problem)) };
  } catch (error) {
    return { ok: false, problems: [`${path} ${error instanceof Error ? error.message : String(error)}`] };
  }
}
