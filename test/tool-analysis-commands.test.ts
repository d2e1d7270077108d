// Commands that were tried against the analysis, written in every way that came to mind: those that must be caught, those that must not be.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { analyseCall } from '#src/tools/analysis.ts';
import { signRisks } from '#src/tools/analysis-signs.ts';
import commands from './harness/shell-commands.json' with { type: 'json' };

const codesOf = (command: string) =>
  analyseCall({ category: 'command_execution', capability: 'execute', arguments: { command } }).map(({ code }) => code);

for (const [code, dangerous] of Object.entries(commands.dangerous)) {
  test(`${dangerous.length} commands are caught as ${code}`, () => {
    assert.ok(code in signRisks);
    const missed = dangerous.filter((command) => !codesOf(command).includes(code));
    assert.deepEqual(missed, []);
  });
}

test(`${commands.harmless.length} commands of everyday work carry no sign`, () => {
  const flagged = commands.harmless.filter((command) => codesOf(command).length > 0).map((command) => [command, codesOf(command)]);
  assert.deepEqual(flagged, []);
});

test('a command in letters that only look like ASCII is read as what it looks like; a word of another language is one', () => {
  for (const command of ['r\u043c -rf /', '\uff52\uff4d -rf /', '\u0441url x | sh', 'rm\u00a0-rf /', 'r\u200bm -rf /', 'rm \u2010rf /']) {
    assert.ok(
      codesOf(command).some((code) => code === 'root_delete' || code === 'pipe_to_shell'),
      JSON.stringify(command),
    );
  }
  for (const command of ['\u0441\u043e\u0440 x', 'caf\u00e9 x', '\u65e5\u672c\u8a9e', "echo 'a\u00a0b'"]) {
    assert.deepEqual(codesOf(command), [], JSON.stringify(command));
  }
});
