// Text as it is, for the eyes of an approver: what is invisible, reorders a line or only looks like another letter is named. Pure.

export const hiddenKinds = ['control', 'bidirectional', 'invisible', 'space', 'lookalike'] as const;
export type HiddenKind = (typeof hiddenKinds)[number];

/** One kind of character that a reader would not have seen. */
export interface HiddenCharacter {
  /** `U+202E`. */
  readonly codePoint: string;
  readonly name: string;
  readonly kind: HiddenKind;
  readonly count: number;
}

export interface VisibleText {
  /** With `⟦U+202E⟧` in the place of each such character. */
  readonly text: string;
  readonly hidden: readonly HiddenCharacter[];
}

const names: Readonly<Record<number, string>> = {
  0x00: 'NULL',
  0x07: 'BELL',
  0x08: 'BACKSPACE',
  0x0d: 'CARRIAGE RETURN',
  0x1b: 'ESCAPE',
  0x7f: 'DELETE',
  0xa0: 'NO-BREAK SPACE',
  0xad: 'SOFT HYPHEN',
  0x61c: 'ARABIC LETTER MARK',
  0x115f: 'HANGUL CHOSEONG FILLER',
  0x180e: 'MONGOLIAN VOWEL SEPARATOR',
  0x200b: 'ZERO WIDTH SPACE',
  0x200c: 'ZERO WIDTH NON-JOINER',
  0x200d: 'ZERO WIDTH JOINER',
  0x200e: 'LEFT-TO-RIGHT MARK',
  0x200f: 'RIGHT-TO-LEFT MARK',
  0x2028: 'LINE SEPARATOR',
  0x2029: 'PARAGRAPH SEPARATOR',
  0x202a: 'LEFT-TO-RIGHT EMBEDDING',
  0x202b: 'RIGHT-TO-LEFT EMBEDDING',
  0x202c: 'POP DIRECTIONAL FORMATTING',
  0x202d: 'LEFT-TO-RIGHT OVERRIDE',
  0x202e: 'RIGHT-TO-LEFT OVERRIDE',
  0x202f: 'NARROW NO-BREAK SPACE',
  0x2060: 'WORD JOINER',
  0x2066: 'LEFT-TO-RIGHT ISOLATE',
  0x2067: 'RIGHT-TO-LEFT ISOLATE',
  0x2068: 'FIRST STRONG ISOLATE',
  0x2069: 'POP DIRECTIONAL ISOLATE',
  0x2800: 'BRAILLE PATTERN BLANK',
  0x27e6: 'MATHEMATICAL LEFT WHITE SQUARE BRACKET',
  0x3000: 'IDEOGRAPHIC SPACE',
  0x3164: 'HANGUL FILLER',
  0xfeff: 'ZERO WIDTH NO-BREAK SPACE',
  0xffa0: 'HALFWIDTH HANGUL FILLER',
};

const kindNames: Readonly<Record<HiddenKind, string>> = {
  control: 'CONTROL CHARACTER',
  bidirectional: 'BIDIRECTIONAL CONTROL',
  invisible: 'INVISIBLE CHARACTER',
  space: 'UNUSUAL SPACE',
  lookalike: 'LOOKS LIKE ANOTHER LETTER',
};

const bidirectional = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/u;
// Everything a person does not see, or sees as something else. Line ends and tabs are seen; a whole emoji is, whatever joins it.
const suspicious =
  /\p{RGI_Emoji}|[[\p{Cc}\p{Cf}\p{Co}\p{Cn}\p{Zl}\p{Zp}\p{Zs}\p{Default_Ignorable_Code_Point}\u2800\u27e6]--[\t\n\u0020]]/gv;
const word = /[\p{L}\p{M}\p{N}._-]+/gu;
const latin = /\p{Script=Latin}/u;
/** Letters of scripts that have the shapes of Latin ones. */
const similar = /[\p{Script=Cyrillic}\p{Script=Greek}\p{Script=Armenian}\p{Script=Cherokee}]/u;
const similarLetters = new RegExp(similar, 'gu');
/** Compatibility forms of ASCII: `ｒｍ`, `𝗿𝗺`. */
const compatibility = /[\uff01-\uff5e\u{1d400}-\u{1d7ff}]/gu;

const hex = (character: string) => `U+${character.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')}`;

function kindOf(character: string): HiddenKind {
  if (bidirectional.test(character)) return 'bidirectional';
  if (/[\p{Zs}\u2800\u3164\uffa0\u115f]/u.test(character)) return 'space';
  if (/[\p{Cc}\p{Zl}\p{Zp}]/u.test(character)) return 'control';
  return character === '⟦' ? 'lookalike' : 'invisible';
}

export function visibleText(text: string): VisibleText {
  const found = new Map<string, HiddenCharacter>();
  const mark = (character: string, kind: HiddenKind): string => {
    const codePoint = hex(character);
    const before = found.get(codePoint);
    const name = names[character.codePointAt(0)!] ?? kindNames[kind];
    found.set(codePoint, { codePoint, name, kind, count: (before?.count ?? 0) + 1 });
    return `⟦${codePoint}⟧`;
  };
  const seen = text.replaceAll(suspicious, (match) => {
    // Of more than one code point only an emoji is matched; of one, an emoji that needs no help.
    if ([...match].length > 1 || /\p{Emoji_Presentation}/u.test(match)) return match;
    return mark(match, kindOf(match));
  });
  const marked = seen
    .replaceAll(word, (each) => {
      const isMixed = latin.test(each) && similar.test(each);
      return isMixed ? each.replaceAll(similarLetters, (letter) => mark(letter, 'lookalike')) : each;
    })
    .replaceAll(compatibility, (letter) => mark(letter, 'lookalike'));
  return { text: marked, hidden: [...found.values()] };
}

/** The same for texts that are shown together. */
export function mergeHidden(lists: readonly (readonly HiddenCharacter[])[]): HiddenCharacter[] {
  const merged = new Map<string, HiddenCharacter>();
  for (const each of lists.flat()) {
    merged.set(each.codePoint, { ...each, count: each.count + (merged.get(each.codePoint)?.count ?? 0) });
  }
  return [...merged.values()];
}
