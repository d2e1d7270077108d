// JSON text that Postgres' jsonb accepts: it refuses U+0000 and lone surrogates, which tools do return.

const replacement = '\uFFFD';

/** JSON text of `value` (undefined → null); U+0000 and lone surrogates become U+FFFD, in keys as well. */
export function storableJson(value: unknown): string {
  const text = JSON.stringify(value, (_key, inner: unknown) => (typeof inner === 'string' ? clean(inner) : inner)) ?? 'null';
  // Only object keys can still hold an escape of either kind; re-make those documents, which are rare.
  return /\\u(?:0000|d[89a-f])/i.test(text) ? JSON.stringify(cleanKeys(JSON.parse(text))) : text;
}

const clean = (text: string): string => text.toWellFormed().replaceAll('\0', replacement);

function cleanKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(cleanKeys);
  if (typeof value !== 'object' || value === null) return typeof value === 'string' ? clean(value) : value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [clean(key), cleanKeys(inner)]));
}
