// What an approver is shown: everything that will run, nothing hidden, and what it changes.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ApprovalSubject } from '#src/approvals/approval.ts';
import { maxFieldLength, maxFields, present, type KnownContent } from '#src/approvals/approval-rendering.ts';
import { maxChangeLines } from '#src/approvals/file-change.ts';
import { visibleText } from '#src/approvals/visible-text.ts';

const subjectOf = (args: unknown, tool: string | null = 'files.write_file'): ApprovalSubject => ({
  tenantId: 't',
  executionId: 'e',
  stepId: 's',
  itemIndex: null,
  agentVersionDigest: 'v',
  tool,
  toolDigest: 'd',
  arguments: args,
  policies: [],
});
const show = (
  args: unknown,
  { tool = 'files.write_file', known = null, requested }: { tool?: string; known?: KnownContent | null; requested?: unknown } = {},
) =>
  present(
    { title: 'Title', subject: subjectOf(args, tool), requested: requested === undefined ? null : subjectOf(requested, tool) },
    known,
  );
const lines = (changes: ReturnType<typeof present>['changes']) =>
  changes.flatMap((change) => change.lines.map(({ kind, text }) => `${{ context: ' ', removed: '-', added: '+', gap: '@' }[kind]}${text}`));

describe('hidden characters', () => {
  const cases: [name: string, text: string, shown: string, kinds: string][] = [
    ['ordinary text of any language', 'tab\t é 日本語 العربية Москва\nnext', 'tab\t é 日本語 العربية Москва\nnext', ''],
    ['whole emoji', '👨‍👩‍👧 ✔️', '👨‍👩‍👧 ✔️', ''],
    ['a right-to-left override', 'a\u202Egnp.exe', 'a⟦U+202E⟧gnp.exe', 'bidirectional'],
    ['isolates', '\u2066x\u2069', '⟦U+2066⟧x⟦U+2069⟧', 'bidirectional,bidirectional'],
    ['a zero width space', 'r\u200Bm', 'r⟦U+200B⟧m', 'invisible'],
    ['tag characters', 'x\u{E0072}\u{E006D}', 'x⟦U+E0072⟧⟦U+E006D⟧', 'invisible,invisible'],
    ['a terminal escape', '\u001B[2Jok', '⟦U+001B⟧[2Jok', 'control'],
    ['a lone carriage return', 'rm -rf /\rls', 'rm -rf /⟦U+000D⟧ls', 'control'],
    ['a space that is none', 'a\u00A0b\u2800c', 'a⟦U+00A0⟧b⟦U+2800⟧c', 'space,space'],
    ['a letter of another script in a Latin word', 'p\u0430ypal.com', 'p⟦U+0430⟧ypal.com', 'lookalike'],
    ['full-width letters', '\uFF52\uFF4D x', '⟦U+FF52⟧⟦U+FF4D⟧ x', 'lookalike,lookalike'],
    ['the mark itself', '⟦U+202E⟧', '⟦U+27E6⟧U+202E⟧', 'lookalike'],
    ['an unassigned and a private character', '\u{E0FFF}\u{F0000}', '⟦U+E0FFF⟧⟦U+F0000⟧', 'invisible,invisible'],
  ];
  for (const [name, text, expected, kinds] of cases) {
    it(`${name}: ${kinds === '' ? 'left alone' : 'named'}`, () => {
      const visible = visibleText(text);
      assert.equal(visible.text, expected);
      assert.equal(visible.hidden.map(({ kind }) => kind).join(), kinds);
    });
  }

  it('are counted over all values and told of in sentences', () => {
    const { fields, hidden, warnings } = show({ path: 'a\u202Eb', note: '\u202E\u202E' }, { tool: 'mail.send' });
    assert.deepEqual(hidden, [{ codePoint: 'U+202E', name: 'RIGHT-TO-LEFT OVERRIDE', kind: 'bidirectional', count: 3 }]);
    assert.deepEqual(warnings, ['U+202E (right-to-left override) occurs 3 times: it makes text read in another order than it runs.']);
    assert.deepEqual(fields.map(({ text }) => text), ['a⟦U+202E⟧b', '⟦U+202E⟧⟦U+202E⟧']); // prettier-ignore
  });

  it('are found in names of arguments, too', () => {
    const { fields, hidden } = show({ 'pa\u200Bth': 1 }, { tool: 'x.y' });
    assert.deepEqual([fields[0]!.path, hidden[0]!.codePoint], ['pa⟦U+200B⟧th', 'U+200B']);
  });
});

describe('arguments', () => {
  it('are shown value by value with their paths, texts as they are', () => {
    const { fields, summary } = show(
      { to: ['a@b.c', 'd@e.f'], deep: { n: 1.5, on: true, none: null, empty: [] }, text: 'a\nb' },
      { tool: 'mail.send' },
    );
    assert.deepEqual(fields.map(({ path, text }) => [path, text]), [['to[0]', 'a@b.c'], ['to[1]', 'd@e.f'], ['deep.n', '1.5'], ['deep.on', 'true'], ['deep.none', 'null'], ['deep.empty', '[]'], ['text', 'a\nb']]); // prettier-ignore
    assert.equal(summary, 'Call mail.send with 7 values');
  });

  it('whose names could be read as others are quoted, and none is left out', () => {
    const { fields } = show({ 'a.b': 1, a: { b: 2 }, '': {}, 'c[0]': 3, d: { '': { e: 4 } }, 'say "x"': [] }, { tool: 'x.y' });
    assert.deepEqual(fields.map(({ path, text }) => [path, text]), [['["a.b"]', '1'], ['a.b', '2'], ['[""]', '{}'], ['["c[0]"]', '3'], ['d[""].e', '4'], ['["say \\"x\\""]', '[]']]); // prettier-ignore
  });

  it('of an approval step are what its author shows, under its title', () => {
    const { fields, summary } = present({ title: 'Pay 7?', subject: subjectOf({ amount: 7 }, null), requested: null });
    assert.deepEqual([summary, fields.map(({ path, text }) => [path, text])], ['Pay 7?', [['amount', '7']]]);
  });

  it('at the limits are whole, beyond them say so', () => {
    const just = show(
      { text: 'x'.repeat(maxFieldLength), list: Array.from({ length: maxFields - 1 }, (_, index) => index) },
      { tool: 'a.b' },
    );
    assert.deepEqual([just.omittedFields, just.fields[0]!.isTruncated, just.warnings], [0, false, []]);
    const more = show(
      { text: 'x'.repeat(maxFieldLength + 1), list: Array.from({ length: maxFields }, (_, index) => index) },
      { tool: 'a.b' },
    );
    assert.deepEqual([more.omittedFields, more.fields[0]!.isTruncated, more.warnings.length], [1, true, 2]);
  });

  it('nested a thousand deep are shown as JSON from a depth on', () => {
    let nested: unknown = 'bottom';
    for (let depth = 0; depth < 1_000; depth += 1) nested = { a: nested };
    const { fields } = show(nested, { tool: 'a.b' });
    assert.match(fields[0]!.text, /^\{"a":.*"bottom"/);
  });

  it('that an approver edited say what was asked for: changed, added, removed', () => {
    const { fields } = show({ amount: 5, to: 'a', note: 'new' }, { tool: 'pay.send', requested: { amount: 50, to: 'a', memo: 'gone' } });
    assert.deepEqual(fields.map(({ path, isChanged, before, text }) => [path, isChanged, before, text]), [['amount', true, '50', '5'], ['to', false, null, 'a'], ['note', true, null, 'new'], ['memo', true, 'gone', '']]); // prettier-ignore
  });
});

describe('changes of files', () => {
  const known: KnownContent = { text: 'one\ntwo\nthree\n', stepId: 'read', at: new Date(0) };

  it('are differences to what the execution last saw in the file', () => {
    const { changes } = show({ path: 'a.txt', content: 'one\n2\nthree\n' }, { known });
    assert.deepEqual(lines(changes), [' one', '-two', '+2', ' three']);
    assert.deepEqual([changes[0]!.isWhole, changes[0]!.comparedWith, changes[0]!.added, changes[0]!.removed], [false, { stepId: 'read', at: new Date(0) }, 1, 1]); // prettier-ignore
  });

  it('of a file nobody has looked at are its whole new content, and say so', () => {
    const { changes } = show({ path: 'a.txt', content: 'x\ny' });
    assert.deepEqual([lines(changes), changes[0]!.isWhole, changes[0]!.comparedWith], [['+x', '+y'], true, null]);
  });

  it('by old and new text are shown for every edit and file', () => {
    const edits = [{ oldText: 'a', newText: 'b' }, { oldText: 'c\nd', newText: 'c\ne' }]; // prettier-ignore
    assert.deepEqual(lines(show({ path: 'p', edits }, { tool: 'files.edit_file', known }).changes), ['-a', '+b', ' c', '-d', '+e']);
    const files = [{ path: 'p', content: '1' }, { path: 'q', content: '2' }]; // prettier-ignore
    assert.deepEqual(show({ files }, { tool: 'github.push_files' }).changes.map(({ path }) => path), ['p', 'q']); // prettier-ignore
    assert.deepEqual(lines(show({ file_path: 'p', old_string: 'a', new_string: '' }, { tool: 'x.Edit' }).changes), ['-a']);
  });

  it('by a tool that adds to a file are what it adds: nothing is shown as removed', () => {
    const { changes } = show({ path: 'a.txt', content: 'four\n' }, { tool: 'files.append_file', known });
    assert.deepEqual([lines(changes), changes[0]!.comparedWith, changes[0]!.isWhole], [['+four'], null, false]);
  });

  it('that differ in invisible characters alone are seen', () => {
    const { changes } = show({ path: 'a.txt', content: 'one\nt\u200Bwo\nthree\n' }, { known });
    assert.deepEqual(lines(changes), [' one', '-two', '+t⟦U+200B⟧wo', ' three']);
    assert.equal(changes[0]!.hidden[0]!.codePoint, 'U+200B');
  });

  it('far apart leave a gap, and keep the line numbers', () => {
    const text = Array.from({ length: 50 }, (_, index) => `line ${index + 1}`);
    const after = text.with(4, 'changed').with(44, 'changed');
    const [change] = show({ path: 'p', content: after.join('\n') }, { known: { ...known, text: text.join('\n') } }).changes;
    assert.equal(change!.lines.filter(({ kind }) => kind === 'gap').length, 2);
    assert.equal(change!.lines.findLast(({ kind }) => kind === 'added')!.newLine, 45);
  });

  it('too large to compare or to show are bounded and say so', () => {
    const many = (tag: string) => Array.from({ length: 20_000 }, (_, index) => `${tag} ${index}`).join('\n');
    const { changes, warnings } = show({ path: 'p', content: many('b') }, { known: { ...known, text: many('a') } });
    assert.equal(changes[0]!.lines.length, maxChangeLines);
    assert.equal(changes[0]!.isTruncated, true);
    assert.ok(warnings.some((warning) => warning.startsWith('More lines of p change')));
  });

  it('are not made up for tools that write no file', () => {
    assert.deepEqual(show({ path: 'a', content: 'b' }, { tool: 'files.read_text_file' }).changes, []);
    assert.deepEqual(show({ amount: 1 }, { tool: 'bank.write' }).changes, []);
    assert.deepEqual(show('text', { tool: 'files.write_file' }).changes, []);
  });
});
