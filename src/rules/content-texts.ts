// Every text in a value with its place, as it is written and as it reads once nothing is hidden in it. Pure; no I/O.
const maxCharacters = 1_000_000;
const maxDepth = 100;

export interface FoundText {
  /** From the root, such as `.items[2].name`. */
  readonly path: string;
  readonly written: string;
  /** Without invisible characters, look-alike forms (full width, ligatures, circled) in their usual form. */
  readonly plain: string;
  /** `plain` in lower case. */
  readonly folded: string;
}

/** Several policies look at the same value. */
const known = new WeakMap<object, readonly FoundText[]>();

/** Values and names of members; numbers as they are written. Throws when it is too much to look at all of it. */
export function textsOf(value: unknown): readonly FoundText[] {
  if (typeof value !== 'object' || value === null) return collect(value);
  const found = known.get(value);
  if (found) return found;
  const texts = collect(value);
  known.set(value, texts);
  return texts;
}

function collect(root: unknown): FoundText[] {
  const texts: FoundText[] = [];
  let characters = 0;
  const add = (path: string, written: string) => {
    characters += written.length;
    if (characters > maxCharacters) throw new Error(`more than ${maxCharacters} characters to look at`);
    if (written !== '') texts.push(textOf(path, written));
  };
  let level: { path: string; value: unknown }[] = [{ path: '', value: root }];
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > maxDepth) throw new Error(`nested deeper than ${maxDepth} levels`);
    const next: typeof level = [];
    for (const { path, value } of level) {
      if (typeof value === 'string') add(path, value);
      else if (typeof value === 'number') add(path, String(value));
      else if (Array.isArray(value)) value.forEach((each: unknown, index) => next.push({ path: `${path}[${index}]`, value: each }));
      else if (typeof value === 'object' && value !== null) {
        for (const [key, each] of Object.entries(value)) {
          const member = memberPath(path, key);
          add(member, key);
          next.push({ path: member, value: each });
        }
      }
    }
    level = next;
  }
  return texts;
}

const memberPath = (path: string, key: string): string =>
  /^[A-Za-z_$][\w$-]{0,63}$/.test(key) ? `${path}.${key}` : `${path}[${JSON.stringify(key.slice(0, 64))}]`;

// Format characters (zero width, bidirectional), fillers that show nothing, variation selectors.
const invisible = /\p{Cf}|\p{Variation_Selector}|[\u115F\u1160\u3164\uFFA0]|\u034F|\u17B4|\u17B5|\u180F/gu;
// oxlint-disable-next-line no-control-regex -- the whole of ASCII
const ascii = /^[\u0000-\u007f]*$/;

function textOf(path: string, written: string): FoundText {
  const plain = ascii.test(written) ? written : written.normalize('NFKC').replace(invisible, '');
  return { path, written, plain, folded: plain.toLowerCase() };
}
