// Every file that is printed from code: `npm run generate` writes them, `npm run check` says which are not fresh.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { MikroORM } from '@mikro-orm/postgresql';
import { ormOptions } from '#src/orm.ts';
import { envExample } from './env-example.ts';
import { completedLockFile } from './lock-file.ts';

export const root = join(import.meta.dirname, '..');

export interface GeneratedFile {
  /** From the root of the repository. */
  readonly path: string;
  readonly content: string;
}

/** In order: a later one may read what an earlier one has written. */
export const generators: readonly { readonly name: string; readonly run: () => Promise<GeneratedFile[]> }[] = [
  { name: 'lock file', run: async () => [{ path: 'package-lock.json', content: completedLockFile(root) }] },
  { name: 'variables', run: async () => [{ path: '.env.example', content: envExample() }] },
  { name: 'migration list', run: async () => [{ path: 'migrations/index.ts', content: migrationList() }] },
  { name: 'JSON Schemas', run: jsonSchemas },
  { name: 'GraphQL schema', run: graphqlSchema },
  { name: 'typed client', run: async () => (await import('./generate-client.ts')).clientFiles() },
];

async function jsonSchemas(): Promise<GeneratedFile[]> {
  const { definitionJsonSchema } = await import('#src/agents/definition-schema.ts');
  const { policySchemaFiles } = await import('#src/policies/policy-document.ts');
  return [
    { path: 'docs/definition.schema.json', content: `${JSON.stringify(definitionJsonSchema(), null, 2)}\n` },
    ...[...policySchemaFiles()].map(([name, content]) => ({ path: `policies/${name}`, content })),
  ];
}

async function graphqlSchema(): Promise<GeneratedFile[]> {
  const { printSchemaText } = await import('#gateway/schema.ts');
  return [{ path: 'schema/schema.graphql', content: printSchemaText() }];
}

function migrationList(): string {
  const names = readdirSync(join(root, 'migrations'))
    .filter((file) => /^\d+.*\.ts$/.test(file))
    .sort()
    .map((file) => file.replace(/\.ts$/, ''));
  const migrations = names.map((name) => {
    const text = readFileSync(join(root, 'migrations', `${name}.ts`), 'utf8');
    return { name, className: /export class (\w+)/.exec(text)?.[1] ?? `${name} exports no class` };
  });
  return `// Every migration in order, as an explicit list (written by \`npm run generate\`).
${migrations.map(({ name, className }) => `import { ${className} } from './${name}.ts';`).join('\n')}

export const migrations = [
${migrations.map(({ name, className }) => `  { name: '${name}', class: ${className} },`).join('\n')}
];
`;
}

/** An ORM that knows entities and the committed snapshot; it never connects. */
export async function offlineOrm(): Promise<MikroORM> {
  const url = 'postgres://nobody@127.0.0.1:1/none';
  return await MikroORM.init(ormOptions({ url, poolMax: 1, migrationsPath: join(root, 'migrations') }));
}

export function readIfPresent(path: string): string | null {
  try {
    return readFileSync(join(root, path), 'utf8');
  } catch {
    return null;
  }
}
