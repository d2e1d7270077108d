// Bodies are looked at piece by piece as they arrive: what counts is what they are, not where the pieces end.
import assert from 'node:assert/strict';
import { PassThrough, Readable } from 'node:stream';
import { test } from 'node:test';
import fc from 'fast-check';
import { maxJsonDepth, maxJsonKeys, parseJson, readJson } from '#gateway/json-body.ts';

/** What brackets, quotes and colons in strings, and escapes before their ends, may look like to who does not read closely. */
const texts = fc.oneof(
  fc.string({ unit: fc.constantFrom('"', '\\', '[', '{', ':', 'x', 'é', '\u{1f600}') }),
  fc
    .tuple(
      fc.string({ unit: fc.constantFrom('x', '[', ':'), minLength: 60, maxLength: 200 }),
      fc.string({ unit: fc.constantFrom('\\', '"') }),
    )
    .map((parts) => parts.join('')),
);
const values = fc.letrec((tie) => ({
  any: fc.oneof({ maxDepth: 4 }, texts, fc.integer(), fc.array(tie('any')), fc.dictionary(texts, tie('any'))),
})).any;

const keysOf = (value: unknown): number =>
  typeof value !== 'object' || value === null
    ? 0
    : Object.values(value).reduce((sum: number, each) => sum + keysOf(each), Array.isArray(value) ? 0 : Object.keys(value).length);
const depthOf = (value: unknown): number =>
  typeof value !== 'object' || value === null ? 0 : 1 + Math.max(0, ...Object.values(value).map(depthOf));

/** The bytes of `text` in pieces of these lengths. */
function piecesOf(text: string, lengths: readonly number[]): Buffer[] {
  const bytes = Buffer.from(text);
  const pieces: Buffer[] = [];
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const length = lengths.length > 0 ? lengths[i % lengths.length]! : bytes.length;
    pieces.push(bytes.subarray(at, at + length));
    at += length;
  }
  return pieces;
}
const read = (text: string, lengths: readonly number[] = [], maxBytes = Infinity) =>
  readJson(Readable.from(piecesOf(text, lengths), { objectMode: true }), maxBytes, () => undefined);

test('however a body is cut into pieces, it is read as a whole, and its levels and keys are counted exactly', async () => {
  await fc.assert(
    fc.asyncProperty(fc.dictionary(texts, values), fc.array(fc.integer({ min: 1, max: 150 }), { maxLength: 5 }), async (value, lengths) => {
      fc.pre(!JSON.stringify(value).includes('__proto__'));
      const text = JSON.stringify(value);
      assert.deepEqual(await read(text, lengths), JSON.parse(text));
      const [depth, keys] = [depthOf(value), keysOf(value)];
      const deep = (levels: number) => '['.repeat(levels - depth) + text + ']'.repeat(levels - depth);
      await read(deep(maxJsonDepth), lengths);
      await assert.rejects(read(deep(maxJsonDepth + 1), lengths), { limit: { name: 'jsonDepth', allowed: maxJsonDepth } });
      const many = (count: number) => `[${text},{${Array.from({ length: count - keys }, (_, i) => `"${i}":0`).join()}}]`;
      parseJson(Buffer.from(many(maxJsonKeys)));
      assert.throws(() => parseJson(Buffer.from(many(maxJsonKeys + 1))), { limit: { name: 'jsonKeys', allowed: maxJsonKeys } });
    }),
    { numRuns: 60 },
  );
});

test('a body of as many bytes as allowed is read, one more is not, and of what is refused the rest is let go', async () => {
  const text = JSON.stringify({ x: 'x'.repeat(100_000) });
  assert.deepEqual(await read(text, [1_000], text.length), JSON.parse(text));
  const limit = { name: 'bodyBytes', allowed: text.length - 1 };
  await assert.rejects(read(text, [1_000], text.length - 1), { limit });
  const body = new PassThrough();
  const deep = readJson(body, 1_000_000, () => undefined);
  const refused = assert.rejects(deep, { limit: { name: 'jsonDepth', allowed: maxJsonDepth } });
  body.write('['.repeat(200));
  for (let i = 0; i < 50; i++) body.write(Buffer.alloc(10_000));
  await new Promise((resolve) => body.end(resolve));
  await refused;
  assert.equal(body.readableLength, 0);
});

test('all that came is told, and one that is refused may not go on without end either', async () => {
  const told: number[] = [];
  const all = (text: string) => readJson(Readable.from(piecesOf(text, [100])), 1_000, (bytes) => told.push(bytes));
  await all('[1,2]');
  await assert.rejects(all('['.repeat(900)), { limit: { name: 'jsonDepth', allowed: maxJsonDepth } });
  await assert.rejects(all('['.repeat(5_000)), { limit: { name: 'bodyBytes', allowed: 1_000 } });
  assert.deepEqual(told, [5, 900, 1_100]);
});

test('what does not arrive is no JSON', async () => {
  const body = new PassThrough();
  const read = readJson(body, 100, () => undefined);
  body.write('{"a":');
  body.destroy(new Error('aborted'));
  await assert.rejects(read, { name: 'SyntaxError', message: 'it did not arrive: aborted' });
});
