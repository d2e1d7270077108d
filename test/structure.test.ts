// Rules about files: explicit lists name every file, folders hold what they should, and no file grows too long.
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { test } from 'node:test';
import type { AnyEntity, EntityClass, EntitySchema } from '@mikro-orm/core';
import { entities } from '#src/entities.ts';
import { migrations } from '../migrations/index.ts';

const root = join(import.meta.dirname, '..');
const files = (pattern: string): string[] => globSync(pattern, { cwd: root, exclude: (path) => path.includes('node_modules') }).sort();
const text = (path: string): string => readFileSync(join(root, path), 'utf8');

test('every entity of every *-entity.ts file is in src/entities.ts', async () => {
  const listed = new Set<unknown>(entities);
  for (const file of files('src/**/*-entity.ts')) {
    const exports = (await import(join(root, file))) as Record<string, AnyEntity | EntityClass<AnyEntity> | EntitySchema>;
    const found = Object.entries(exports).filter(([name]) => /^[A-Z]/.test(name));
    assert.ok(found.length > 0, `${file} exports no entity`);
    for (const [name, entity] of found) assert.ok(listed.has(entity), `${name} of ${file} is missing in src/entities.ts`);
  }
});

test('every migration is in migrations/index.ts, in order', () => {
  const present = files('migrations/[0-9]*.ts').map((file) => basename(file, '.ts'));
  assert.deepEqual(
    migrations.map(({ name }) => name),
    present,
  );
});

for (const folder of ['schema', 'resolvers']) {
  test(`${folder}/index.ts names every file of ${folder}/ that declares something`, () => {
    const listed = new Set([...text(`${folder}/index.ts`).matchAll(/^import '\.\/(.+)';$/gm)].map((match) => match[1]!));
    const declaring = files(`${folder}/*.ts`)
      .filter((file) =>
        /^(export const \w+ = |export default |)(builder\.\w+\(|mutation\(|subscription\(|\w+\.implement\()/m.test(text(file)),
      )
      .map((file) => basename(file));
    const missing = declaring.filter((file) => !['index.ts', 'builder.ts'].includes(file) && !listed.has(file));
    assert.deepEqual(missing, [], `add them to ${folder}/index.ts`);
  });
}

test('no file has more than 300 lines, no test more than 400', () => {
  const sources = files('{cli,gateway,resolvers,schema,src,migrations,client,scripts,test}/**/*.ts');
  const tooLong = sources
    .filter((file) => !file.startsWith('client/generated/') && !/^migrations\/\d/.test(file))
    .map((file) => ({ file, lines: text(file).split('\n').length - 1, limit: file.startsWith('test/') ? 400 : 300 }))
    .filter(({ lines, limit }) => lines > limit);
  assert.deepEqual(tooLong, []);
});

test('every file opens with a comment on what it owns', () => {
  const silent = files('{cli,gateway,resolvers,schema,src,client,scripts,test}/**/*.ts')
    .filter((file) => !file.startsWith('client/generated/'))
    .filter((file) => !/^(#!.*\n)?(\/\/ |\/\*\* )/.test(text(file)));
  assert.deepEqual(silent, []);
});

test('entry points in cli/ have at most 40 lines', () => {
  const long = files('cli/{signalbox,start,gateway,worker,migrate,demo}.ts').filter((file) => text(file).split('\n').length - 1 > 40);
  assert.deepEqual(long, []);
});

test('process.env is read in src/config.ts only', () => {
  const readers = files('{cli,gateway,resolvers,schema,src,client}/**/*.ts').filter((file) => text(file).includes('process.env'));
  assert.deepEqual(readers, ['src/config.ts']);
});

test('each concept has the same file name on all sides', () => {
  const concepts = new Set(files('schema/*.ts').map((file) => basename(file)));
  const verbs = files('resolvers/*.ts').map((file) => basename(file));
  assert.deepEqual(
    verbs.filter((file) => !concepts.has(file)),
    [],
    'resolvers/ without nouns in schema/',
  );
});
