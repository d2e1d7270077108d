// The events of an execution as a client watches them: history, then live, to the end; cursors, rights, and other processes.
import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import pg from 'pg';
import { isFinalEvent } from '#src/events/catalogue.ts';
import { executionCursor, tenantCursor } from '#src/events/cursor.ts';
import { cursorOf } from '#src/platform/page.ts';
import { newId } from '#src/platform/ids.ts';
import { holdTool, ids, testApi, type Api } from './harness/api.ts';
import type { Caller } from './harness/graphql.ts';

const hold = holdTool();
let api: Api;
before(async () => {
  api = await testApi({
    tools: {
      'test.echo': { run: ({ value }) => value },
      'test.hold': hold.tool,
    },
  });
  await api.runner({ services: api.services });
});
after(() => api.close());
/** Ended after each test, so that one that fails does not hold up the next. */
const watched: AsyncIterator<unknown>[] = [];
afterEach(async () => {
  for (const results of watched.splice(0)) await results.return!();
  while (api.services.feed.size > 0) await turn();
});

const subscription = `subscription ($id: ID!, $after: String) { executionEvents(executionId: $id, after: $after) {
  cursor caughtUp events { sequence type occurredAt ... on StepEvent { stepId } } } }`;

interface Failure {
  readonly message: string;
  readonly extensions: { readonly code: string };
}
interface Seen {
  readonly batches: { cursor: string; caughtUp: boolean; events: { sequence: number; type: string }[] }[];
  readonly sequences: number[];
  error: Failure | null;
}

/** Watches to the end, an error, or until `enough`. `seen` may be looked at meanwhile. */
function watch(executionId: string, { after: cursor, as, enough = () => false }: WatchOptions = {}) {
  const seen: Seen = { batches: [], sequences: [], error: null };
  const options = as === undefined ? {} : { as };
  const results = api.subscribe(subscription, { id: ids.execution(executionId), after: cursor }, options);
  watched.push(results);
  let told = Promise.withResolvers<void>();
  const done = (async () => {
    try {
      for await (const { data, errors } of results) {
        if (errors) seen.error = errors[0]!;
        const batch = data?.['executionEvents'];
        if (batch) {
          seen.batches.push(batch);
          seen.sequences.push(...batch.events.map((event: { sequence: number }) => event.sequence));
        }
        told.resolve();
        told = Promise.withResolvers();
        if (enough(seen)) break;
      }
    } catch (error) {
      seen.error = (error as Failure[])[0]!;
    }
    return seen;
  })();
  return {
    seen,
    done,
    async until(holds: (seen: Seen) => boolean) {
      while (!holds(seen)) {
        const ended = await Promise.race([told.promise, done.then(() => true)]);
        if (ended && !holds(seen)) throw new Error(`the stream ended after ${seen.sequences.join()}: ${JSON.stringify(seen.error)}`);
      }
    },
  };
}
interface WatchOptions {
  readonly after?: string | undefined;
  readonly as?: Caller;
  readonly enough?: (seen: Seen) => boolean;
}

const upTo = (last: number, from = 1) => Array.from({ length: last - from + 1 }, (_, index) => from + index);
const epoch = () => api.home.read((uow) => api.services.events.epoch(uow));
const cursorAt = async (executionId: string, sequence: number) => executionCursor(await epoch(), executionId, sequence);

/** Runs until it holds; `key` lets it go on. */
async function holding(key = newId()): Promise<{ id: string; agentId: string; key: string }> {
  const agentId = await api.agent([{ id: 'hold', tool: 'test.hold', with: { key } }]);
  const { id } = await api.start(agentId);
  await api.happened(id, 'step.started');
  return { id, agentId, key };
}

test('history, then live, then the end after the final event', async () => {
  const { id, key } = await holding();
  const watching = watch(id);
  await watching.until(({ batches }) => batches.length === 1);
  const [history] = watching.seen.batches;
  assert.deepEqual([history!.caughtUp, history!.events.map(({ type }) => type)], [true, ['EXECUTION_QUEUED', 'EXECUTION_STARTED', 'STEP_QUEUED', 'STEP_STARTED']]); // prettier-ignore
  hold.release(key);
  const { batches, sequences, error } = await watching.done;
  assert.deepEqual([error, sequences], [null, upTo(6)]);
  assert.equal(batches.at(-1)!.events.at(-1)!.type, 'EXECUTION_SUCCEEDED');
  assert.equal(batches.at(-1)!.cursor, await cursorAt(id, 6));
});

test('from every cursor: the rest, each event once, and the end; also at the very end', async () => {
  const agentId = await api.agent([{ id: 'a', tool: 'test.echo', with: { value: 1 } }, { id: 'b', needs: ['a'], transform: '1' }]); // prettier-ignore
  const { id } = await api.start(agentId);
  const { lastSequence } = await api.finished(id);
  const all = await api.events(id);
  assert.ok(lastSequence >= 7 && isFinalEvent(all.at(-1)!.type));
  for (let from = 0; from <= lastSequence; from++) {
    const { sequences, error, batches } = await watch(id, { after: from === 0 ? undefined : await cursorAt(id, from) }).done;
    assert.deepEqual([error, sequences], [null, upTo(lastSequence, from + 1)]);
    assert.equal(batches.at(-1)!.caughtUp, true);
    assert.equal(batches.at(-1)!.cursor, await cursorAt(id, lastSequence));
  }
});

test('many who join at any moment, go away and come back with their cursor see every event once, in order', async () => {
  const agentId = await api.agent([{ id: 'many', forEach: '[1..250]', concurrency: 8, tool: 'test.echo', with: { value: '${{ item }}' } }]);
  const { id } = await api.start(agentId);
  const final = api.happened(id);
  /** Leaves after a few batches and comes back with the last cursor, as one who loses the connection. */
  async function unsteady(patience: number): Promise<number[]> {
    const sequences: number[] = [];
    let cursor: string | undefined;
    for (;;) {
      const seen = await watch(id, { after: cursor, enough: ({ batches }) => batches.length >= patience }).done;
      assert.equal(seen.error, null);
      sequences.push(...seen.sequences);
      cursor = seen.batches.at(-1)?.cursor ?? cursor;
      if (isFinalEvent(seen.batches.at(-1)?.events.at(-1)?.type.toLowerCase().replace('_', '.') ?? '')) return sequences;
    }
  }
  const watchers: Promise<number[]>[] = [];
  for (const [moment, size] of [100, 300, 501, 700].entries()) {
    watchers.push(watch(id).done.then(({ sequences }) => sequences), unsteady(moment + 1)); // prettier-ignore
    await watch(id, { enough: ({ sequences }) => sequences.length >= size }).done;
  }
  const all = await final;
  assert.ok(all.length > 750);
  for (const sequences of await Promise.all(watchers)) assert.deepEqual(sequences, upTo(all.length));
});

test('a cursor that does not fit is refused with the reason', async () => {
  const agentId = await api.agent([{ id: 'a', transform: '1' }]);
  const { id } = await api.start(agentId);
  const other = await api.start(agentId);
  await Promise.all([api.finished(id), api.finished(other.id)]);
  const { lastSequence } = await api.finished(id);
  const raw = (text: string) => Buffer.from(text).toString('base64url');
  const known = await epoch();
  const position = { transactionId: '1', executionId: id, sequence: 1 };
  const cases: [cursor: string, code: string, message: RegExp][] = [
    [await cursorAt(other.id, 1), 'INVALID_CURSOR', /belongs to another execution; leave it out/],
    [await cursorAt(newId(), 1), 'INVALID_CURSOR', /belongs to another execution/],
    [tenantCursor('approvals', known, position), 'INVALID_CURSOR', /belongs to the stream "approvals", not to "execution"/],
    [cursorOf('executions', id), 'INVALID_CURSOR', /is not a cursor of a stream/],
    ['', 'INVALID_CURSOR', /"" is not a cursor of a stream/],
    ['garbage!', 'INVALID_CURSOR', /"garbage!" is not a cursor of a stream/],
    ['x'.repeat(5_000), 'INVALID_CURSOR', /"x{80}" is not a cursor/],
    [`${await cursorAt(id, 1)}!`, 'INVALID_CURSOR', /damaged/],
    [raw(`execution:${known}:${id}`), 'INVALID_CURSOR', /damaged/],
    [raw(`execution:${known}:${id}:-1`), 'INVALID_CURSOR', /damaged/],
    [raw(`execution:${known}:${id}:1e3`), 'INVALID_CURSOR', /damaged/],
    [raw(`execution:${known}:${id}:99999999999`), 'INVALID_CURSOR', /damaged/],
    [raw(`execution:${known}:${id}:1:1`), 'INVALID_CURSOR', /damaged/],
    [raw(`execution:${known}:${'-'.repeat(36)}:1`), 'INVALID_CURSOR', /damaged/],
    [executionCursor(newId(), id, 1), 'CURSOR_EXPIRED', /a history that no longer exists/],
    [await cursorAt(id, lastSequence + 1), 'CURSOR_EXPIRED', /ahead of the history/],
  ];
  for (const [cursor, code, message] of cases) {
    const { error, batches } = await watch(id, { after: cursor }).done;
    assert.deepEqual([error?.extensions.code, batches], [code, []], cursor);
    assert.match(error!.message, message);
  }
});

test('a restored database that is given another epoch as deploy.md says: old cursors expire, streams without one go on', async () => {
  const { id } = await api.start(await api.agent([{ id: 'a', transform: '1' }]));
  await api.finished(id);
  const old = await cursorAt(id, 2);
  const owner = new pg.Client({ connectionString: api.ownerUrl });
  await owner.connect();
  await owner.query('update stream_epoch set epoch = gen_random_uuid()');
  await owner.end();
  assert.equal((await watch(id, { after: old }).done).error?.extensions.code, 'CURSOR_EXPIRED');
  const { error, sequences, batches } = await watch(id).done;
  assert.deepEqual([error, sequences.length > 2], [null, true]);
  assert.deepEqual((await watch(id, { after: batches[0]!.cursor }).done).error, null);
});

test('an execution that is absent, foreign or not visible gives the same answer; without any right it is FORBIDDEN', async () => {
  const { id } = await api.start(await api.agent([{ id: 'a', transform: '1' }]));
  const { home } = api;
  const seenBy = async (as: Caller, executionId = id) => (await watch(executionId, { as }).done).error;
  const absent = newId();
  const expected = (executionId: string) => ['NOT_FOUND', `there is no execution "${executionId}"`];
  const invisibleTo: Caller[] = [
    await home.principal([['viewer', 'environment', home.production]]),
    await home.principal([['viewer', 'project', home.otherProject]]),
    await home.principal([['viewer', 'team', home.team]]),
    api.people.other.admin,
  ];
  for (const [as, executionId] of [[api.operator, absent], ...invisibleTo.map((as) => [as, id] as const)] as const) {
    const error = await seenBy(as, executionId);
    assert.deepEqual([error?.extensions.code, error?.message], expected(executionId));
  }
  const error = await seenBy(await home.principal());
  assert.deepEqual([error?.extensions.code, /execution\.read/.test(error!.message)], ['FORBIDDEN', true]);
  const wrongType = (await api.subscribe(subscription, { id: ids.agent(id) }).next()).value;
  assert.equal(wrongType.errors![0]!.extensions.code, 'VALIDATION_FAILED');
  assert.match(wrongType.errors![0]!.message, /type Agent; expected a global id of type Execution/);
  for (const [role, kind, scopeId] of [
    ['viewer', 'environment', home.staging],
    ['service', 'project', home.project],
  ] as const) {
    const as = await home.principal([[role, kind, scopeId]]);
    assert.deepEqual((await watch(id, { as }).done).error, null);
  }
});

test('who loses the right hears why within about a second, and nothing that happens later', async () => {
  const { home } = api;
  const { id, key } = await holding();
  const viewer = () => home.principal([['viewer', 'environment', home.staging]]);
  const [granted, moved, disabled] = [await viewer(), await viewer(), await viewer()];
  const apiKey = await home.write((uow) => api.people.apiKeys.createApiKey(uow, home.admin, { name: newId(), roles: ['viewer'] }));
  const watching = { granted: watch(id, { as: granted }), moved: watch(id, { as: moved }), disabled: watch(id, { as: disabled }), key: watch(id, { as: apiKey.token }), stays: watch(id) }; // prettier-ignore
  for (const each of Object.values(watching)) await each.until(({ batches }) => batches.length === 1);
  const began = performance.now();
  await home.write(async (uow) => {
    await uow.rows('delete from role_grants where principal_id = any($1::uuid[])', [[granted.principalId, moved.principalId]]);
    await api.people.grants.grantRole(uow, home.admin, { role: 'viewer', scopeKind: 'environment', scopeId: home.production, principalId: moved.principalId }); // prettier-ignore
    await api.people.principals.disablePrincipal(uow, home.admin, { principalId: disabled.principalId });
    await api.people.apiKeys.revokeApiKey(uow, home.admin, { apiKeyId: apiKey.apiKey.id });
  });
  const codes = { granted: 'FORBIDDEN', moved: 'NOT_FOUND', disabled: 'UNAUTHENTICATED', key: 'UNAUTHENTICATED' };
  for (const [who, code] of Object.entries(codes)) {
    const { error, sequences } = await watching[who as keyof typeof codes].done;
    assert.deepEqual([who, error?.extensions.code, sequences], [who, code, upTo(4)]);
  }
  assert.ok(performance.now() - began < 3_000);
  hold.release(key);
  const { error, sequences } = await watching.stays.done;
  assert.deepEqual([error, sequences], [null, upTo(6)]);
  assert.equal(watching.granted.seen.sequences.length, 4);
});

test('an event that is committed right after the right was lost is not delivered', async () => {
  const { id, key } = await holding();
  const viewer = await api.home.principal([['viewer', 'tenant', api.home.tenantId]]);
  const watching = watch(id, { as: viewer });
  await watching.until(({ batches }) => batches.length === 1);
  await api.home.write((uow) => uow.rows('delete from role_grants where principal_id = $1', [viewer.principalId]));
  hold.release(key);
  const { error, sequences } = await watching.done;
  assert.deepEqual([error?.extensions.code, sequences], ['FORBIDDEN', upTo(4)]);
});

test('what another process commits is found although no hint tells of it', async () => {
  const { id, agentId } = await holding();
  const watching = watch(id);
  await watching.until(({ batches }) => batches.length === 1);
  const other = api.elsewhere();
  await api.home.write((uow) => other.executions.cancelExecution(uow, api.operator, { executionId: id, reason: 'from elsewhere' }));
  assert.deepEqual((await watching.done).sequences, upTo(5));
  const { id: started } = await api.home.write((uow) => other.executions.startExecution(uow, api.operator, { agentId, environmentId: api.home.staging })); // prettier-ignore
  const seen = watch(started, { enough: ({ sequences }) => sequences.includes(4) });
  assert.deepEqual((await seen.done).sequences.slice(0, 4), upTo(4));
  await api.home.write((uow) => other.executions.cancelExecution(uow, api.operator, { executionId: started }));
});

test('the typed client follows an execution through a runner of another process', async () => {
  const own = await testApi({ tools: { 'test.echo': { run: ({ value }) => value } } });
  try {
    await own.runner();
    const id = ids.execution((await own.start(await own.agent([{ id: 'a', tool: 'test.echo', with: { value: 7 } }]))).id);
    const types: string[] = [];
    for await (const batch of own.typed().executionEvents({ executionId: id }))
      types.push(...batch.events.map(({ __typename }) => __typename));
    assert.deepEqual(types, ['ExecutionQueued', 'ExecutionStarted', 'StepQueued', 'StepStarted', 'StepSucceeded', 'ExecutionSucceeded']);
  } finally {
    await own.close();
  }
});
