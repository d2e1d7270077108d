// GraphQL over Server-Sent Events by hand: asks, and keeps what comes as it comes.
import type { TestServer } from './graphql.ts';

export interface Asking {
  readonly method?: 'GET' | 'POST';
  readonly key?: string | null;
  readonly headers?: Record<string, string>;
  readonly url?: string;
}

/** Asks, and reads the stream as it comes, split at the empty lines. */
export async function askStream(
  server: Pick<TestServer, 'url' | 'people'>,
  body: Record<string, unknown>,
  { method = 'POST', key = server.people.operator.adminKey, headers = {}, url = server.url }: Asking = {},
) {
  const abort = new AbortController();
  const query = new URLSearchParams(
    Object.entries(body).map(([name, value]) => [name, typeof value === 'string' ? value : JSON.stringify(value)]),
  );
  const response = await fetch(`${url}/graphql/stream${method === 'GET' ? `?${query.toString()}` : ''}`, {
    method,
    signal: abort.signal,
    headers: {
      accept: 'text/event-stream',
      ...(key !== null && { authorization: `Bearer ${key}` }),
      ...(method === 'POST' && { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(method === 'POST' && { body: JSON.stringify(body) }),
  });
  const blocks: string[] = [];
  const results: StreamResult[] = [];
  let arrived = Promise.withResolvers<void>();
  let isOver = false;
  const done = (async () => {
    let rest = '';
    const decoder = new TextDecoder();
    for await (const chunk of response.body!) {
      const parts = (rest + decoder.decode(chunk, { stream: true })).split('\n\n');
      rest = parts.pop()!;
      blocks.push(...parts);
      results.push(...resultsOf(parts));
      arrived.resolve();
      arrived = Promise.withResolvers();
    }
  })().finally(() => {
    isOver = true;
    arrived.resolve();
  });
  done.catch(() => undefined);
  return {
    response,
    blocks,
    done,
    results: () => results,
    async until(holds: () => boolean) {
      while (!holds()) {
        if (isOver) throw new Error(`the stream ended: ${JSON.stringify(blocks)}`);
        await arrived.promise;
      }
    },
    leave: () => abort.abort(),
  };
}
export interface StreamResult {
  readonly data?: Record<string, any> | null;
  readonly errors?: readonly { readonly message: string; readonly extensions: Record<string, any> }[];
}

/** What the events `next` of a stream carry. */
export const resultsOf = (blocks: readonly string[]): StreamResult[] =>
  blocks.filter((block) => block.startsWith('event: next')).map((block) => JSON.parse(/^data: (.*)$/m.exec(block)![1]!) as StreamResult);
