// Says which generated files are not what `npm run generate` would write now. Part of `npm run check`.
import { generators, offlineOrm, readIfPresent } from './generated.ts';

const problems: string[] = [];
for (const { name, run } of generators) {
  try {
    for (const { path, content } of await run()) {
      const present = readIfPresent(path);
      if (present !== content) problems.push(`${path} is ${present === null ? 'absent' : 'not fresh'}`);
    }
  } catch (error) {
    problems.push(`${name} cannot be generated: ${error instanceof Error ? error.message : String(error)}`);
  }
}
const orm = await offlineOrm();
if (await orm.migrator.checkSchema()) problems.push('entities have changed without a migration');
await orm.close();

for (const problem of problems) console.error(problem);
if (problems.length > 0) console.error('run `npm run generate` and commit what it writes');
process.exit(problems.length === 0 ? 0 : 1);
