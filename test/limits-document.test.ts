// docs/limits.md tells every limit as the configuration has it.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { variables } from '#src/config-schema.ts';

test('the table of limits is that of the configuration', () => {
  const text = readFileSync(join(import.meta.dirname, '../docs/limits.md'), 'utf8');
  const table = text.split('\n').filter((line) => /^\| `(limits|operations)\./.test(line));
  const rows = variables
    .filter(({ path: [group] }) => group === 'limits' || group === 'operations')
    .map(
      ({ path, env, defaultText, description }) => `| \`${path.join('.')}\` | \`${env}\` | ${defaultText || 'unset'} | ${description} |`,
    );
  assert.deepEqual(table, rows);
});
