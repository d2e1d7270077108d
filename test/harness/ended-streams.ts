// A stream that ends because somebody's rights do: over both transports, at the next batch or while nothing happens.
import assert from 'node:assert/strict';
import { createClient } from 'graphql-sse';
import { newId } from '#src/platform/ids.ts';
import { eventually } from './eventually.ts';
import { probe } from './gateway-fields.ts';
import type { TestServer } from './graphql.ts';

interface Result {
  readonly data?: { testTicks: { n: number } } | null;
  readonly errors?: readonly { message: string; extensions: Record<string, unknown> }[];
}
type Open = (server: TestServer, credential: string, name: string) => AsyncIterableIterator<Result>;

const query = 'subscription ($name: String!) { testTicks(name: $name) { n } }';
export const transports: Readonly<Record<string, Open>> = {
  'a WebSocket': (server, credential, name) => server.subscribe(query, { name }, { as: credential }) as never,
  'an event stream': (server, credential, name) =>
    createClient({ url: `${server.url}/graphql/stream`, headers: { authorization: `Bearer ${credential}` }, retryAttempts: 0 }).iterate({
      query,
      variables: { name },
    }) as never,
};

/** Watches, ends the rights, and gives the error that ends the stream; nothing else was told, and its source is stopped. */
export async function endedBy(end: () => Promise<unknown>, open: (name: string) => AsyncIterator<Result>, { isQuiet = false } = {}) {
  const name = newId();
  const results = open(name);
  const first = results.next();
  await eventually(() => probe.sources.has(name));
  const feed = probe.sources.get(name)!;
  feed.push(1);
  assert.equal((await first).value.data!.testTicks.n, 1);
  await end();
  if (!isQuiet) feed.push(2);
  const { value } = (await results.next()) as IteratorYieldResult<Result>;
  assert.equal(value.data ?? null, null);
  // A socket is closed when the credential has ended; the operation was complete before.
  assert.equal((await results.next().catch(() => ({ done: true }))).done, true);
  await eventually(() => feed.isStopped());
  return value.errors![0]!;
}
