// Reads YAML or JSON text into plain JSON and remembers where everything stands. Knows nothing of definitions.
// Hostile text (deep, aliased, endless) is refused before it costs much: tokens are counted before a tree is built.
import {
  CST,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  Lexer,
  LineCounter,
  parseDocument,
  type Document,
  type Node,
  type Pair,
  type Scalar,
} from 'yaml';
import { DeadlineError, withDeadline } from '../platform/deadline.ts';
import type { Problem } from '../platform/errors.ts';
import { isStorableText, unstorableText } from '../platform/problems.ts';

export const maxTextBytes = 1024 * 1024;
export const maxTextDepth = 64;
const maxTokens = 150_000;
/** Values after aliases are followed. */
const maxValues = 100_000;
const readMs = 5_000;

export interface Position {
  readonly line: number;
  readonly column: number;
}

export interface ReadText {
  readonly value: unknown;
  /** What is wrong, but leaves a value to go on with (duplicate keys, values that JSON lacks). */
  readonly problems: readonly Problem[];
  /** Where the value at `path` stands, or the nearest value around it; `offset` characters into a text. */
  locate(path: string, offset?: number): Position;
  /** Where the key of `path` stands. */
  locateKey(path: string): Position;
}

/** A key or index appended to a path, written as in all problems of this API. */
export const pathOf = (path: string, key: string | number): string =>
  typeof key === 'number' ? `${path}[${key}]` : path === '' ? key : `${path}.${key}`;

export function readText(text: string): ReadText | readonly Problem[] {
  const bytes = Buffer.byteLength(text);
  if (bytes > maxTextBytes) return [{ path: '', message: `the text has ${bytes} bytes`, expected: `at most ${maxTextBytes} bytes` }];
  if (!isStorableText(text)) return [{ path: '', message: `the text ${unstorableText}` }];
  try {
    return withDeadline(readMs, () => read(text));
  } catch (error) {
    if (error instanceof DeadlineError) return [{ path: '', message: `the text takes more than ${readMs} ms to read` }];
    if (error instanceof RangeError) return [tooDeep('')];
    throw error;
  }
}

const tooDeep = (path: string): Problem => ({
  path,
  message: 'is nested too deeply',
  expected: `at most ${maxTextDepth} lists and objects inside each other`,
});

function read(text: string): ReadText | readonly Problem[] {
  const early = tokenProblem(text);
  if (early) return [early];
  const lines = new LineCounter();
  // Duplicate keys are found by the walk: the library compares each key with all others.
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: false, prettyErrors: false, logLevel: 'error' });
  const at = (offset: number): Position => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(line, 1), column: Math.max(col, 1) };
  };
  const broken = document.errors.slice(0, 20).map(({ code, message, pos }) => ({
    path: '',
    message: code === 'MULTIPLE_DOCS' ? 'a second document begins here (---)' : `not YAML: ${message}`,
    ...at(pos[0]),
  }));
  if (broken.length > 0) return broken;
  if (!document.contents) return [{ path: '', message: 'the text is empty', expected: 'a YAML or JSON document', line: 1, column: 1 }];

  const { value, problems, values, keys } = walk(document, at);
  const located: ReadText = {
    value,
    problems,
    locate(path, offset) {
      for (let known = path; ; known = parentOf(known)) {
        const node = values.get(known);
        if (node) return at(offset !== undefined && known === path ? offsetIn(text, node, offset) : startOf(node));
        if (known === '') return { line: 1, column: 1 };
      }
    },
    locateKey(path) {
      const key = keys.get(path);
      return key === undefined ? located.locate(path) : at(key);
    },
  };
  return located;
}

const parentOf = (path: string): string => path.slice(0, Math.max(path.lastIndexOf('.'), path.lastIndexOf('['), 0));
const startOf = (node: Node): number => node.range?.[0] ?? 0;

/** Exact where the text stands in the document as it is or in a `|` block, else (escapes, folding) its start. */
function offsetIn(text: string, node: Node, offset: number): number {
  const [start, end] = node.range ?? [0, 0];
  if (!isScalar(node) || typeof node.value !== 'string') return start;
  if (node.type !== 'BLOCK_LITERAL') {
    const found = text.slice(start, end).indexOf(node.value);
    return found < 0 ? start : start + found + offset;
  }
  const before = node.value.slice(0, offset).split('\n');
  const line = node.value.split('\n')[before.length - 1] ?? '';
  let at = start;
  for (let skipped = 0; skipped < before.length; skipped += 1) at = text.indexOf('\n', at) + 1;
  const indent = text.slice(at, end).indexOf(line);
  return indent < 0 ? start : at + indent + (before.at(-1) ?? '').length;
}

function tokenProblem(text: string): Problem | null {
  let tokens = 0;
  let depth = 0;
  for (const token of new Lexer().lex(text)) {
    tokens += 1;
    const type = CST.tokenType(token);
    if (type === 'flow-map-start' || type === 'flow-seq-start') depth += 1;
    if (type === 'flow-map-end' || type === 'flow-seq-end') depth -= 1;
    if (depth > maxTextDepth) return tooDeep('');
    if (tokens > maxTokens) {
      const steps = text.match(/[\s{,]["']?id["']?[ \t]*:/g)?.length ?? 0;
      return {
        path: '',
        message: `the text has more than ${maxTokens} YAML tokens${steps > 500 ? ` (about ${steps} steps)` : ''}`,
        expected: 'at most 500 steps; let forEach do what repeats',
      };
    }
  }
  return null;
}

const coreTags = new Set(['str', 'int', 'float', 'bool', 'null', 'map', 'seq'].map((name) => `tag:yaml.org,2002:${name}`));

function walk(document: Document, at: (offset: number) => Position) {
  const problems: Problem[] = [];
  const values = new Map<string, Node>();
  const keys = new Map<string, number>();
  // In the order of the text, as YAML has it: an alias means the last anchor of its name before it.
  const anchors = new Map<string, Node>();
  let inAlias = 0;
  let count = 0;
  const report = (path: string, node: Node | null, message: string, expected?: string) => {
    problems.push({ path, message, expected, ...at(node ? startOf(node) : 0) });
  };

  function visit(node: Node | null, path: string, depth: number): unknown {
    if ((count += 1) > maxValues) return undefined;
    if (!node) return null;
    if (!values.has(path)) values.set(path, node);
    if (isAlias(node)) {
      const target = anchors.get(node.source);
      if (!target) return report(path, node, `there is no anchor &${node.source} before this`);
      inAlias += 1;
      const value = visit(target, path, depth);
      inAlias -= 1;
      return value;
    }
    if (node.anchor !== undefined && inAlias === 0) anchors.set(node.anchor, node);
    if (depth >= maxTextDepth && !isScalar(node)) return void problems.push({ ...tooDeep(path), ...at(startOf(node)) });
    if (node.tag !== undefined && !coreTags.has(node.tag)) return report(path, node, `the YAML tag ${node.tag} is not supported`);
    if (isMap(node)) return visitMap(node.items as Pair<Node, Node | null>[], path, depth);
    if (isSeq(node)) return (node.items as (Node | null)[]).map((item, index) => visit(item, pathOf(path, index), depth + 1));
    return isScalar(node) ? visitScalar(node, path) : report(path, node, 'is not supported');
  }

  function visitMap(items: readonly Pair<Node, Node | null>[], path: string, depth: number): Record<string, unknown> {
    const entries = new Map<string, unknown>();
    for (const { key, value } of items) {
      if (!isScalar(key) || key.value === null) {
        report(path, key, 'a key must be a text');
        continue;
      }
      const name = String(key.value);
      const inside = pathOf(path, name);
      if (!isStorableText(name)) report(path, key, `a key ${unstorableText}`);
      else if (entries.has(name)) report(inside, key, `the key "${name.slice(0, 80)}" is there twice`, 'each key once');
      else {
        keys.set(inside, startOf(key));
        entries.set(name, visit(value, inside, depth + 1));
      }
    }
    return Object.fromEntries(entries);
  }

  function visitScalar(node: Scalar, path: string): unknown {
    const { value } = node;
    if (value === null || typeof value === 'boolean' || (typeof value === 'number' && Number.isFinite(value))) return value;
    if (typeof value !== 'string')
      return report(path, node, `${node.source ?? String(value)} has no JSON form`, 'a text, number, true, false or null');
    return isStorableText(value) ? value : report(path, node, unstorableText);
  }

  const value = visit(document.contents, '', 0);
  if (count > maxValues)
    problems.push({ path: '', message: `the text has more than ${maxValues} values (aliases followed)`, line: 1, column: 1 });
  return { value, problems, values, keys };
}
