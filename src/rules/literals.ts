// Texts that whatever matches a regular expression must hold: to look for them costs a fraction of the expression. Pure; no I/O.

/** One of `texts` is in every match; with `fold` their lower case is in the lower case of every match that is ASCII. */
export interface Literals {
  readonly texts: readonly string[];
  readonly fold: boolean;
}

const maxAlternatives = 8;

/** Null where none is known: of RE2 syntax only what is understood beyond doubt is looked at. */
export function literalsOf(pattern: string, ignoreCase = false): Literals | null {
  const flags = pattern.startsWith('(?i)');
  const reader = { text: flags ? pattern.slice(4) : pattern, at: 0 };
  const found = sequence(reader, 0);
  if (!found || reader.at < reader.text.length) return null;
  const fold = flags || ignoreCase;
  return { fold, texts: fold ? found.map((text) => text.toLowerCase()) : found };
}

interface Reader {
  readonly text: string;
  at: number;
}

/** Alternatives up to `)` or the end: one of them matches, so the literals of all are needed. Undefined: not understood; null: none known. */
function alternatives(reader: Reader, depth: number): readonly string[] | null | undefined {
  const all: string[] = [];
  let isKnown = true;
  for (;;) {
    const branch = branchOf(reader, depth);
    if (branch === undefined) return undefined;
    if (branch === null) isKnown = false;
    else all.push(...branch);
    if (reader.text[reader.at] !== '|') break;
    reader.at += 1;
  }
  return isKnown && all.length <= maxAlternatives ? all : null;
}

const sequence = (reader: Reader, depth: number) => alternatives(reader, depth) ?? null;

/** The best literals of one branch: the longest, and of several the longest of the shortest. */
function branchOf(reader: Reader, depth: number): readonly string[] | null | undefined {
  let best: readonly string[] | null = null;
  let run = '';
  const offer = (candidate: readonly string[]) => {
    if (candidate.some((text) => text === '')) return;
    const shortest = (texts: readonly string[]) => Math.min(...texts.map((text) => text.length));
    if (!best || shortest(candidate) > shortest(best)) best = candidate;
  };
  const endRun = () => {
    offer([run]);
    run = '';
  };
  while (reader.at < reader.text.length && reader.text[reader.at] !== '|' && reader.text[reader.at] !== ')') {
    const piece = pieceOf(reader, depth);
    if (!piece) return undefined;
    const count = countOf(reader);
    if (count === undefined) return undefined;
    if (piece.literal !== null && count === 'once') {
      run += piece.literal;
      continue;
    }
    if (piece.isEmpty && count === 'once') continue;
    if (piece.literal !== null && count === 'atLeastOnce') run += piece.literal;
    endRun();
    if (piece.needs && count !== 'perhaps') offer(piece.needs);
  }
  endRun();
  return best;
}

interface Piece {
  /** It matches exactly this. */
  readonly literal: string | null;
  /** It matches a place, not a text: the literal goes on after it. */
  readonly isEmpty?: true;
  /** One of these is in whatever it matches. */
  readonly needs?: readonly string[] | null;
}

const anything: Piece = { literal: null };
const place: Piece = { literal: null, isEmpty: true };

/** One character, class or group; undefined: not understood. */
function pieceOf(reader: Reader, depth: number): Piece | undefined {
  const { text } = reader;
  const char = text[reader.at]!;
  if (char === '\\') return escapeOf(reader);
  if (char === '[') return classOf(reader);
  if (char === '(') return groupOf(reader, depth);
  reader.at += 1;
  if (char === '.') return anything;
  if (char === '^' || char === '$') return place;
  // Beyond ASCII one character may be two units, and a quantifier is about both.
  return /[ -~]/.test(char) && !'*+?{}]'.includes(char) ? { literal: char } : undefined;
}

function escapeOf(reader: Reader): Piece | undefined {
  const char = reader.text[reader.at + 1];
  reader.at += 2;
  if (char === undefined) return undefined;
  if ('bBAz'.includes(char)) return place;
  if ('dDsSwW'.includes(char)) return anything;
  return /[!-/:-@[-`{-~]/.test(char) ? { literal: char } : undefined;
}

/** Plain classes; what holds a bracket of its own (`[[:alpha:]]`), or begins with one, is not understood. */
function classOf(reader: Reader): Piece | undefined {
  const match = /\[(?!\^?\])\^?(?:[^\]\\[]|\\[^pPxQ0-7])+\]/y;
  match.lastIndex = reader.at;
  const found = match.exec(reader.text);
  if (!found) return undefined;
  reader.at = match.lastIndex;
  return anything;
}

const maxDepth = 10;

function groupOf(reader: Reader, depth: number): Piece | undefined {
  if (depth >= maxDepth) return undefined;
  reader.at += reader.text.startsWith('(?:', reader.at) ? 3 : 1;
  if (reader.text[reader.at] === '?') return undefined;
  const needs = alternatives(reader, depth + 1);
  if (needs === undefined || reader.text[reader.at] !== ')') return undefined;
  reader.at += 1;
  return { literal: null, needs };
}

/** How often the piece before it occurs; undefined: not understood. */
function countOf(reader: Reader): 'once' | 'atLeastOnce' | 'perhaps' | undefined {
  const { text } = reader;
  const quantifier = /[*+?]\??|\{\d{1,4}(?:,\d{0,4})?\}\??/y;
  quantifier.lastIndex = reader.at;
  const found = quantifier.exec(text)?.[0];
  if (found === undefined) return text[reader.at] === '{' ? undefined : 'once';
  reader.at += found.length;
  if (/^[*+?{]/.test(text.slice(reader.at))) return undefined;
  if (found.startsWith('+')) return 'atLeastOnce';
  return found.startsWith('{') && Number.parseInt(found.slice(1), 10) > 0 ? 'atLeastOnce' : 'perhaps';
}
