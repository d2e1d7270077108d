// Requests that cost much or confuse, for the real schema and the default limits, each with the answer it must get.
import { gzipSync } from 'node:zlib';
import { fetch, type Dispatcher } from 'undici';

export interface HostileRequest {
  readonly name: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: string | Buffer;
  readonly status: number;
  readonly code?: string;
  /** The limit that the answer names. */
  readonly limit?: string;
}

const times = (n: number, text: (i: number) => string): string => Array.from({ length: n }, (_, i) => text(i)).join(' ');

const exceeds = (name: string, limit: string, query: string): HostileRequest => ({
  ...{ name, status: 400, code: 'LIMIT_EXCEEDED', limit },
  body: JSON.stringify({ query }),
});

const doubled = (levels: number): string => (levels === 0 ? '{ id }' : `{ a ${doubled(levels - 1)} a ${doubled(levels - 1)} }`);
const mesh = (n: number) =>
  `{ ...f0 } ${times(n, (i) => `fragment f${i} on Query { ${times(n - i - 1, (j) => `...f${i + j + 1}`)} __typename }`)}`;

const documents: readonly HostileRequest[] = [
  exceeds('a deep document', 'queryDepth', `{ ${'a { '.repeat(60)}b${' }'.repeat(60)} }`),
  exceeds('a wide document', 'queryTokens', `{ ${times(6_000, (i) => `f${i}`)} }`),
  exceeds('a field again and again', 'queryFields', `{ ${'__typename '.repeat(1_500)} }`),
  exceeds('fields that double on each level', 'queryFields', doubled(8)),
  exceeds('a flood of aliases', 'queryAliases', `{ ${times(600, (i) => `a${i}: __typename`)} }`),
  exceeds('a flood of directives', 'queryDirectives', `{ __typename ${'@skip(if: false) '.repeat(150)} }`),
  exceeds('a flood of directives that nobody knows', 'queryDirectives', `{ __typename ${'@x '.repeat(900)} }`),
  exceeds(
    'a flood of operations',
    'queryDefinitions',
    times(300, (i) => `query q${i} { __typename }`),
  ),
  exceeds('a flood of fragments', 'queryDefinitions', `{ ...f0 } ${times(200, (i) => `fragment f${i} on Query { __typename }`)}`),
  exceeds(
    'fragments that double',
    'queryCost',
    `{ ...f0 } ${times(90, (i) => `fragment f${i} on Query { ...f${i + 1} ...f${i + 1} }`)} fragment f90 on Query { __typename }`,
  ),
  exceeds('every fragment spread in every other one', 'queryCost', mesh(40)),
  exceeds('a name of a megabyte', 'queryLength', `{ ${'x'.repeat(1_000_000)} }`),
  exceeds('a name as long as a document may be', 'nameLength', `{ ${'x'.repeat(262_000)} }`),
  exceeds('a list of numbers without end', 'queryTokens', `{ nodes(ids: [${'1 '.repeat(50_000)}]) { id } }`),
  exceeds(
    'pages of pages',
    'queryCost',
    '{ executions(first: 100) { edges { node { id lastEvents(count: 100) { sequence type } children(first: 100) { edges { node { id status lastEvents(count: 100) { sequence type } } } } } } } }',
  ),
  {
    name: 'fragments in a circle',
    body: JSON.stringify({ query: '{ ...a } fragment a on Query { ...b } fragment b on Query { ...a }' }),
    ...{ status: 400, code: 'GRAPHQL_VALIDATION_FAILED' },
  },
  {
    name: 'fragments in many circles',
    body: JSON.stringify({ query: `{ ...f0 } ${times(24, (i) => `fragment f${i} on Query { ${times(24, (j) => `...f${j}`)} }`)}` }),
    ...{ status: 400, code: 'GRAPHQL_VALIDATION_FAILED' },
  },
  {
    name: 'introspection in circles',
    body: JSON.stringify({ query: `{ __schema { types { ${'fields { type { '.repeat(6)}name${' } }'.repeat(6)} } } }` }),
    ...{ status: 400, code: 'GRAPHQL_VALIDATION_FAILED' },
  },
];

const malformed = (name: string, body: string | Buffer, headers: Readonly<Record<string, string>> = {}, status = 400): HostileRequest => ({
  ...{ name, body, headers, status, code: 'BAD_REQUEST' },
});
const query = '{"query":"{ __typename }"}';
const charset = (name: string, body: string | Buffer) =>
  malformed(`the charset ${name}`, body, { 'content-type': `application/json; charset=${name}` }, 415);

const bodies: readonly HostileRequest[] = [
  charset('utf-16', Buffer.from(`\ufeff${query}`, 'utf16le')),
  charset('utf-7', '{+ACI-query+ACI-:+ACI-{ +AF8AXw-typename }+ACI-}'),
  charset('"iso-8859-1"', Buffer.from(query, 'latin1')),
  malformed('UTF-16 that calls itself UTF-8', Buffer.from(query, 'utf16le')),
  malformed(
    'bytes that are not UTF-8',
    Buffer.concat([Buffer.from('{"query":"{ __typename }","variables":{"x":"'), Buffer.from([0xc3, 0x28]), Buffer.from('"}}')]),
  ),
  { name: 'a byte order mark', body: `\ufeff${query}`, status: 200 },
  malformed('a gzip bomb', gzipSync(Buffer.alloc(50_000_000, ' ')), { 'content-encoding': 'gzip' }, 415),
  malformed('several encodings', query, { 'content-encoding': 'identity, br' }, 415),
  malformed('another content type', query, { 'content-type': 'text/plain' }, 415),
  malformed('a batch', `[${Array(1_000).fill(query).join(',')}]`),
  malformed('a key that would be a prototype', '{"query":"{ __typename }","variables":{"__proto__":{"polluted":true}}}'),
  malformed('the same, escaped', '{"query":"{ __typename }","variables":{"a":[{"\\u005f_proto__":1}]}}'),
  malformed('a constructor with a prototype', '{"query":"{ __typename }","variables":{"constructor":{"prototype":{"polluted":true}}}}'),
  { name: 'a key twice: the last one counts', body: '{"query":"{ nothing }","query":"{ __typename }"}', status: 200 },
  malformed('no JSON', '{"query":'),
  malformed('nothing', ''),
  malformed('null', 'null'),
  malformed('an object without a query', '{}'),
  malformed('variables in a string', '{"query":"{ __typename }","variables":"{}"}'),
  malformed('a document instead of its text', '{"query":{"kind":"Document","definitions":[]}}'),
  {
    name: 'variables nested a million deep',
    body: `{"query":"{ __typename }","variables":{"x":${'['.repeat(1_000_000)}${']'.repeat(1_000_000)}}}`,
    ...{ status: 400, code: 'LIMIT_EXCEEDED', limit: 'jsonDepth' },
  },
  {
    name: 'a hundred thousand variables',
    body: `{"query":"{ __typename }","variables":{${times(100_000, (i) => `"v${i}":${i}`).replaceAll(' ', ',')}}}`,
    ...{ status: 400, code: 'LIMIT_EXCEEDED', limit: 'jsonKeys' },
  },
  {
    ...{ name: 'a body beyond the limit', body: `{"query":"{ __typename }","variables":{"x":"${'x'.repeat(11_000_000)}"}}` },
    ...{ status: 413, code: 'LIMIT_EXCEEDED', limit: 'bodyBytes' },
  },
];

const heads: readonly HostileRequest[] = [
  {
    name: 'a head beyond the limit',
    headers: { 'x-long': 'x'.repeat(20_000) },
    body: query,
    status: 431,
    code: 'LIMIT_EXCEEDED',
    limit: 'httpHeaderBytes',
  },
  {
    ...{
      name: 'many headers',
      headers: Object.fromEntries(Array.from({ length: 400 }, (_, i) => [`x-${i}`, 'x'.repeat(50)])),
      body: query,
    },
    ...{ status: 431, code: 'LIMIT_EXCEEDED', limit: 'httpHeaderBytes' },
  },
  {
    name: 'a wrong credential',
    headers: { authorization: `Bearer sbk_${'x'.repeat(5_000)}` },
    body: query,
    status: 401,
    code: 'UNAUTHENTICATED',
  },
];

export const hostileRequests: readonly HostileRequest[] = [...documents, ...bodies, ...heads];

export interface HostileAnswer {
  readonly status: number;
  readonly code: string | undefined;
  readonly limit: string | undefined;
}

/** Sends it as whoever `credential` belongs to, by a dispatcher that may have an address of its own. */
export async function sendHostile(
  url: string,
  credential: string,
  { headers, body }: HostileRequest,
  dispatcher?: Dispatcher,
): Promise<HostileAnswer> {
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { authorization: `Bearer ${credential}`, 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : new Uint8Array(body),
    ...(dispatcher && { dispatcher }),
  });
  const { errors } = (await response.json()) as { errors?: { extensions: { code: string; limit?: { name: string } } }[] };
  const extensions = errors?.[0]?.extensions;
  return { status: response.status, code: extensions?.code, limit: extensions?.limit?.name };
}
