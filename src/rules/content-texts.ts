// Every text in a value with its place, as it is written and as it reads once nothing is hidden in it. Pure; no I/O.
import { isAscii } from './pattern.ts';

const maxCharacters = 1_000_000;
const maxDepth = 100;

/** Where a text stands: the last name or position of its path, and what that is within; the root has neither. */
interface Place {
  readonly key: string | number;
  readonly within: Place | null;
  readonly value: unknown;
  readonly depth: number;
}

export interface Texts {
  /** Level by level: values and names of members; numbers as they are written. */
  readonly written: readonly string[];
  readonly isAscii: boolean;
  /** Every text as written and plain, and all plain ones in lower case: what is not in there is in none of the texts. */
  readonly together: string;
  readonly folded: string;
  placeOf(index: number): Place;
  /** Without invisible characters, look-alike forms (full width, ligatures, circled) in their usual form. */
  plainOf(index: number): string;
}

/** Several policies look at the same value, one after the other. */
let last: { readonly value: object; readonly texts: Texts } | null = null;

/** Throws when it is too much to look at all of it. */
export function textsOf(value: unknown): Texts {
  if (typeof value !== 'object' || value === null) return collect(value);
  if (last?.value === value) return last.texts;
  const texts = collect(value);
  last = { value, texts };
  return texts;
}

/** No text that is looked for holds it, so that none is found across a seam. */
const seam = '\0';

function collect(root: unknown): Texts {
  const written: string[] = [];
  const places: Place[] = [];
  let characters = 0;
  function add(place: Place, text: string) {
    characters += text.length;
    if (characters > maxCharacters) throw new Error(`more than ${maxCharacters} characters to look at`);
    if (text === '') return;
    written.push(text);
    places.push(place);
  }
  // It grows while it is walked.
  const all: Place[] = [{ key: '', within: null, value: root, depth: 0 }];
  for (const place of all) {
    const { value, depth } = place;
    if (depth > maxDepth) throw new Error(`nested deeper than ${maxDepth} levels`);
    if (typeof value === 'string') add(place, value);
    else if (typeof value === 'number') add(place, String(value));
    else if (Array.isArray(value)) {
      for (const [key, each] of value.entries()) all.push({ key, within: place, value: each, depth: depth + 1 });
    } else if (typeof value === 'object' && value !== null) {
      for (const key of Object.keys(value)) {
        const member = { key, within: place, value: (value as Record<string, unknown>)[key], depth: depth + 1 };
        add(member, key);
        all.push(member);
      }
    }
  }
  return textsAt(written, places);
}

function textsAt(written: readonly string[], places: readonly Place[]): Texts {
  const asWritten = written.join(seam);
  const isPlain = isAscii(asWritten);
  const plain = isPlain ? written : written.map(plainOf);
  const asPlain = isPlain ? asWritten : plain.join(seam);
  return {
    written,
    isAscii: isPlain,
    together: isPlain ? asWritten : asWritten + seam + asPlain,
    folded: asPlain.toLowerCase(),
    placeOf: (index) => places[index]!,
    plainOf: (index) => plain[index] ?? '',
  };
}

/** From the root, such as `.items[2].name`. */
export function pathOf(place: Place): string {
  const keys: (string | number)[] = [];
  for (let each = place; each.within; each = each.within) keys.push(each.key);
  return keys.reverse().map(step).join('');
}

const step = (key: string | number): string => {
  if (typeof key === 'number') return `[${key}]`;
  return /^[A-Za-z_$][\w$-]{0,63}$/.test(key) ? `.${key}` : `[${JSON.stringify(key.slice(0, 64))}]`;
};

// Format characters (zero width, bidirectional), fillers that show nothing, variation selectors.
const invisible = /\p{Cf}|\p{Variation_Selector}|[\u115F\u1160\u3164\uFFA0]|\u034F|\u17B4|\u17B5|\u180F/gu;

const plainOf = (written: string): string => (isAscii(written) ? written : written.normalize('NFKC').replace(invisible, ''));
