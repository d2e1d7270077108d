// JSON text that Postgres' jsonb accepts: it refuses U+0000 and lone surrogates, which tools do return.

const replacement = '\uFFFD';

/** JSON text of `value` (undefined → null); U+0000 and lone surrogates become U+FFFD, in keys as well. */
export function storableJson(value: unknown): string {
  const text = JSON.stringify(value) ?? 'null';
  // Well-formed JSON.stringify escapes exactly these two; the few documents that hold one (or look so) are made anew.
  return /\\u(?:0000|d[89a-f])/i.test(text) ? JSON.stringify(cleaned(JSON.parse(text))) : text;
}

/** The same of one text, for columns of type text. */
export const storableText = (text: string): string => text.toWellFormed().replaceAll('\0', replacement);

function cleaned(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(cleaned);
  if (typeof value !== 'object' || value === null) return typeof value === 'string' ? storableText(value) : value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [storableText(key), cleaned(inner)]));
}

/** `value` as it comes back from a jsonb column: keys by length, then by bytes, so that what is made of it is the same as after a restart. */
export function asStored(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(asStored);
  if (typeof value !== 'object' || value === null) return value;
  const keys = Object.keys(value).map((key) => ({ key, bytes: Buffer.from(key) }));
  keys.sort((a, b) => a.bytes.length - b.bytes.length || a.bytes.compare(b.bytes));
  return Object.fromEntries(keys.map(({ key }) => [key, asStored((value as Record<string, unknown>)[key])]));
}
