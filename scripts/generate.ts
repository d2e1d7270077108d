// `npm run generate [-- name-of-migration]`: a migration when entities have changed, then every printed file.
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { format, resolveConfig } from 'prettier';
import { generators, offlineOrm, readIfPresent, root } from './generated.ts';

await writeMigration(process.argv[2]);
for (const { run } of generators) {
  for (const { path, content } of await run()) {
    if (readIfPresent(path) === content) continue;
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), content);
    console.log(`wrote ${path}`);
  }
}
process.exit(0);

async function writeMigration(name: string | undefined): Promise<void> {
  const orm = await offlineOrm();
  const { fileName, code } = await orm.migrator.create(undefined, false, false, name);
  await orm.close();
  if (!fileName) return;
  const path = join(root, 'migrations', fileName);
  writeFileSync(path, await format(code, { ...(await resolveConfig(path)), filepath: path }));
  console.log(`wrote migrations/${fileName} and migrations/.snapshot.json: read it before you commit it`);
}
