// Operations by their hash (the protocol of Apollo's automatic persisted queries), and the manifest with which a gateway knows them.
import { textOf } from './document.ts';
import * as documents from './generated/graphql.ts';
import type { Socket } from './stream.ts';

const hashes = new Map<string, Promise<string>>();

/** SHA-256 of the text, in hex. */
function hashOf(text: string): Promise<string> {
  let hash = hashes.get(text);
  if (!hash) hashes.set(text, (hash = digest(text)));
  return hash;
}

async function digest(text: string): Promise<string> {
  const bytes = new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text)));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

export const persistedQuery = async (text: string) => ({ persistedQuery: { version: 1, sha256Hash: await hashOf(text) } });

/** The gateway does not know the hash; nothing was executed. */
export const isUnknownHash = (errors: unknown): boolean =>
  Array.isArray(errors) && errors.some((error) => error?.extensions?.code === 'PERSISTED_QUERY_NOT_FOUND');

/** Subscribes by the hash, and with the text where that is not known. */
export function byHash(subscribe: Socket['subscribe']): Socket['subscribe'] {
  return ({ query, variables }, sink) => {
    let hasLeft = false;
    let leave = () => {};
    const open = (text: string, extensions: Record<string, unknown>, error: (errors: unknown) => void) => {
      if (!hasLeft) leave = subscribe({ query: text, variables, extensions }, { ...sink, error });
    };
    persistedQuery(query).then((extensions) => {
      open('', extensions, (errors) => (isUnknownHash(errors) ? open(query, extensions, sink.error) : sink.error(errors)));
    }, sink.error);
    return () => {
      hasLeft = true;
      leave();
    };
  };
}

export interface OperationsManifest {
  readonly format: 'apollo-persisted-query-manifest';
  readonly version: 1;
  readonly operations: readonly { readonly id: string; readonly name: string; readonly type: string; readonly body: string }[];
}

/** Of all operations of this package, or of documents of your own: for gateways that execute registered operations only. */
export async function operationsManifest(given: readonly { toString(): string }[] = published()): Promise<OperationsManifest> {
  const operations = given.map(async (document) => {
    const body = textOf(document);
    const [, type = 'query', name = ''] = /^\s*(query|mutation|subscription)\s+(\w+)/m.exec(body) ?? [];
    return { id: await hashOf(body), name, type, body };
  });
  return { format: 'apollo-persisted-query-manifest', version: 1, operations: await Promise.all(operations) };
}

const published = () => Object.entries(documents).flatMap(([name, document]) => (name.endsWith('Document') ? [document] : []));
