// The stream of approvals as approvers watch it: what is pending, then every change once and in commit order; cursors, rights, filters.
import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import type { Services } from '#src/app.ts';
import { executionCursor, readTenantCursor, tenantCursor } from '#src/events/cursor.ts';
import type { UnitOfWork } from '#src/platform/database.ts';
import { newId } from '#src/platform/ids.ts';
import { cursorOf } from '#src/platform/page.ts';
import type { RiskClass } from '#src/tools/tool.ts';
import { ids, testApi, type Api } from './harness/api.ts';
import type { Caller } from './harness/graphql.ts';
import type { Home } from './harness/people.ts';

let api: Api;
before(async () => {
  api = await testApi({ tools: { 'test.echo': { run: ({ value }) => value } } });
  await api.runner({ services: api.services });
});
after(() => api.close());
/** Ended after each test, so that one that fails does not hold up the next. */
const watched: AsyncIterator<unknown>[] = [];
const uncommitted = new Set<() => Promise<unknown>>();
afterEach(async () => {
  for (const commit of uncommitted) await commit();
  await api.home.write((uow) => uow.rows(`update approvals set status = 'cancelled' where status = 'pending'`));
  for (const results of watched.splice(0)) await results.return!();
  while (api.services.feed.size > 0) await turn();
});

const subscription = `subscription ($filter: ApprovalStreamFilter, $after: String) { approvalRequests(filter: $filter, after: $after) {
  cursor caughtUp changes { type approval { id status stepId } } } }`;

interface Batch {
  readonly cursor: string;
  readonly caughtUp: boolean;
  readonly changes: readonly { readonly type: string; readonly approval: { id: string; status: string; stepId: string } | null }[];
}

/** Watches in the background; `leave` to end. Changes read as `type stepId`. */
function watch({ filter, after: cursor, as }: { filter?: object; after?: string | undefined; as?: Caller } = {}) {
  const results = api.subscribe(subscription, { filter, after: cursor }, as === undefined ? {} : { as });
  watched.push(results);
  const batches: Batch[] = [];
  let error: { message: string; extensions: { code: string } } | null = null;
  let told = Promise.withResolvers<void>();
  const done = (async () => {
    for await (const { data, errors } of results) {
      error = errors?.[0] ?? null;
      if (data?.['approvalRequests']) batches.push(data['approvalRequests'] as Batch);
      told.resolve();
      told = Promise.withResolvers();
    }
  })();
  const changes = () => batches.flatMap((batch) => batch.changes).map(({ type, approval }) => `${type} ${approval?.stepId}`);
  return {
    batches,
    changes,
    error: async () => (await done, error),
    async until(holds: () => boolean) {
      while (!holds()) {
        const ended = await Promise.race([told.promise, done.then(() => true)]);
        if (ended && !holds())
          throw new Error(`the stream ended after [${changes().join()}]: ${JSON.stringify(error)} ${JSON.stringify(api.logs.slice(-2))}`);
      }
    },
    async opened() {
      await this.until(() => batches.at(-1)?.caughtUp === true);
      return this;
    },
    async leave() {
      await results.return!();
      await done;
      return changes();
    },
  };
}

interface Waiting {
  readonly home?: Home;
  readonly environmentId?: string;
  readonly teamId?: string | null;
  readonly services?: Services;
}

/** A waiting execution that no runner knows of; its approvals are asked for by the test, each in the transaction it likes. */
async function waiting({ home = api.home, environmentId = home.staging, teamId = null, services = api.services }: Waiting = {}) {
  const agentId = await api.agent([{ id: 'a', transform: '1' }], { home });
  const executionId = newId();
  const placed = { projectId: home.project, environmentId, teamId, agentId };
  await home.write((uow) =>
    uow.rows(
      `insert into executions (id, tenant_id, project_id, environment_id, team_id, agent_id, agent_version_id, status, inputs, labels,
         request_digest, requested_by, requested_roles, created_at)
       select $1, $2, $3, $4, $5, $6, v.id, 'waiting', '{}', '{}', '', $7, '{}', now() from agent_versions v where v.agent_id = $6`,
      [executionId, home.tenantId, home.project, environmentId, teamId, agentId, home.admin.principalId],
    ),
  );
  let sequence = 0;
  async function ask(uow: UnitOfWork, stepId: string, risk: RiskClass = 'low'): Promise<string> {
    const subject = { tenantId: home.tenantId, executionId, stepId, itemIndex: null, agentVersionDigest: 'v', tool: null, toolDigest: null, arguments: null, policies: [] }; // prettier-ignore
    const { id, expiresAt } = await services.approvals.request(uow, { ...placed, source: 'step', title: 't', reason: 'r', risk, subject, requestedBy: home.admin.principalId, expiresInMs: 3_600_000 }); // prettier-ignore
    const data = { stepId, itemIndex: -1, approvalId: id, expiresAt: expiresAt.toISOString() };
    await services.events.append(uow, executionId, ++sequence, [{ type: 'approval.requested', data }]);
    return id;
  }
  return { agentId, executionId, ask, asks: (stepId: string, risk?: RiskClass) => home.write((uow) => ask(uow, stepId, risk)) };
}

const transaction = <T>(home: Home, work: (uow: UnitOfWork) => Promise<T>) => {
  const [begun, end] = [Promise.withResolvers<T>(), Promise.withResolvers<void>()];
  const over = home.write(async (uow) => {
    begun.resolve(await work(uow));
    await end.promise;
  });
  const commit = () => (uncommitted.delete(commit), end.resolve(), over);
  uncommitted.add(commit);
  return { begun: begun.promise, commit };
};

/** Nothing that is committed is hidden any more by an older transaction, such as one of another database of this server. */
async function settled(): Promise<void> {
  const look = `select coalesce(max(transaction_id::text::numeric), 0) < pg_snapshot_xmin(pg_current_snapshot())::text::numeric as settled
    from execution_events`;
  while (!(await api.home.read((uow) => uow.rows<{ settled: boolean }>(look)))[0]!.settled) await turn();
}

test('what is pending first, then each change once: approved, rejected, expired, withdrawn', async () => {
  const { home, reviewer } = api;
  const agentId = await api.agent([{ id: 'ask', approval: { title: 'May I?', expiresIn: '1s' } }]);
  const patient = await api.agent([{ id: 'wait_for_it', approval: { title: 'May I?' } }]);
  const executions = [];
  for (let count = 0; count < 3; count++) {
    executions.push((await api.start(patient)).id);
    await api.happened(executions[count]!, 'approval.requested');
  }
  await settled();
  const watching = await watch().opened();
  const pending = watching.batches[0]!;
  assert.deepEqual([pending.caughtUp, pending.changes.map(({ type, approval }) => [type, approval?.status])], [false, Array.from({ length: 3 }, () => ['APPROVAL_REQUESTED', 'PENDING'])]); // prettier-ignore
  const [first, second] = pending.changes.map(({ approval }) => approval!.id);
  const client = api.typed(reviewer);
  await client.decideApproval({ input: { approvalId: second!, decision: 'APPROVE' } });
  await api.happened(executions[1]!, 'approval.approved');
  await client.decideApproval({ input: { approvalId: first!, decision: 'REJECT' } });
  await api.happened(executions[0]!, 'approval.rejected');
  await api.typed(home.adminKey).cancelExecution({ input: { executionId: ids.execution(executions[2]!) } });
  await api.finished((await api.start(agentId)).id);
  await watching.until(() => watching.changes().length === 8);
  const seen = watching.batches.flatMap((batch) => batch.changes).slice(3);
  assert.deepEqual(
    seen.map(({ type }) => type),
    ['APPROVAL_APPROVED', 'APPROVAL_REJECTED', 'APPROVAL_CANCELLED', 'APPROVAL_REQUESTED', 'APPROVAL_EXPIRED'],
  );
  assert.deepEqual([seen[0]!.approval!.id, seen[1]!.approval!.id], [second, first]);
  assert.deepEqual([seen[0]!.approval!.status, seen[4]!.approval!.status], ['APPROVED', 'EXPIRED']);
  await watching.leave();
});

test('of a start, and of a call of an agent that runs elsewhere, what is said comes like that of steps; it names no step', async () => {
  const { home, services } = api;
  const agentId = await api.agent([{ id: 'a', transform: '1' }], { tools: ['custom.pay'] });
  const rules = [{ actions: ['execution.start', 'tool.call'] }];
  const policy = { name: 'asks', kind: 'approval_required', mode: 'enforce', scope: { agentId }, rules } as const;
  await home.write((uow) => services.policies.createPolicy(uow, home.admin, policy));
  const watching = await watch({ filter: { agentId: ids.agent(agentId) } }).opened();
  const started = await api.start(agentId);
  const start = await api.asked(started.id);
  const request = { agentId, environmentId: home.staging, tool: 'custom.pay', arguments: {}, idempotencyKey: 'k' };
  const call = await home.write((uow) => services.toolCalls.authorizeToolCall(uow, api.operator, request));
  for (const approvalId of [start, call.approvalId!]) {
    await home.write((uow) => services.approvalComments.comment(uow, api.reviewer, { approvalId, text: 'hm' }));
  }
  await watching.until(() => watching.changes().length === 4);
  assert.deepEqual(watching.changes().toSorted(), ['APPROVAL_COMMENTED null', 'APPROVAL_COMMENTED null', 'APPROVAL_REQUESTED null', 'APPROVAL_REQUESTED null']); // prettier-ignore
  await watching.leave();
  await api.typed(home.adminKey).cancelExecution({ input: { executionId: ids.execution(started.id) } });
  const query = `subscription ($id: ID!) { executionEvents(executionId: $id) { events { type ... on StepEvent { stepId itemIndex } } } }`;
  const events: object[] = [];
  for await (const { data } of api.subscribe(query, { id: ids.execution(started.id) }))
    events.push(...(data as any).executionEvents.events);
  const none = { stepId: null, itemIndex: null };
  assert.deepEqual(events.slice(1, -1), ['APPROVAL_REQUESTED', 'APPROVAL_COMMENTED', 'APPROVAL_CANCELLED'].map((type) => ({ type, ...none }))); // prettier-ignore
});

test('an empty stream says at once that it is caught up', async () => {
  const watching = await watch({ filter: { agentId: ids.agent(newId()) } }).opened();
  assert.deepEqual(await watching.leave(), []);
  assert.equal(watching.batches.length, 1);
});

test('a transaction that is open hides what others commit after it, and then everything comes in order, each once', async () => {
  const { asks, ask } = await waiting();
  const early = await watch().opened();
  const open = transaction(api.home, (uow) => ask(uow, 'slow'));
  await open.begun;
  await asks('quick');
  await asks('quicker');
  const late = await watch().opened();
  assert.deepEqual([late.changes(), early.changes()], [[], []], 'pending, but not settled: they come as changes');
  await open.commit();
  await asks('last');
  for (const watching of [early, late]) {
    await watching.until(() => watching.changes().length === 4);
    assert.deepEqual(
      watching.changes(),
      ['slow', 'quick', 'quicker', 'last'].map((step) => `APPROVAL_REQUESTED ${step}`),
    );
    await watching.leave();
  }
});

test('coming back with the cursor of any batch gives exactly what followed it', async () => {
  const { asks } = await waiting();
  const watching = await watch().opened();
  for (let count = 1; count <= 6; count++) {
    await asks(`s${count}`);
    await watching.until(() => watching.changes().length === count);
  }
  const all = watching.changes();
  await watching.leave();
  let told = 0;
  for (const { cursor, changes } of watching.batches) {
    told += changes.length;
    const again = await watch({ after: cursor }).opened();
    assert.deepEqual(await again.leave(), all.slice(told));
  }
});

test('hundreds that are pending come in batches, in commit order however old the requests are', async () => {
  const [{ ask }, { ask: askEarly }] = [await waiting(), await waiting()];
  // The transaction that began first asks last: its id is the newest, its place the first.
  const open = transaction(api.home, async (uow) => {
    await uow.rows('select pg_current_xact_id()');
    return uow;
  });
  const uow = await open.begun;
  await api.home.write(async (later) => {
    for (let count = 0; count < 515; count++) await ask(later, `b${count}`);
  });
  const newest = await askEarly(uow, 'a');
  await open.commit();
  await settled();
  const watching = await watch().opened();
  const pending = watching.batches.filter((batch) => batch.changes.length > 0);
  assert.deepEqual(
    pending.map((batch) => [batch.changes.length, batch.caughtUp]),
    [[500, false], [16, false]], // prettier-ignore
  );
  const expected = ['a', ...Array.from({ length: 515 }, (_, count) => `b${count}`)].map((step) => `APPROVAL_REQUESTED ${step}`);
  assert.deepEqual(watching.changes(), expected);
  assert.equal(pending[0]!.changes[0]!.approval!.id, ids.approval(newest));
  await watching.leave();
  const again = await watch({ after: pending[0]!.cursor }).opened();
  assert.deepEqual(await again.leave(), expected.slice(500), 'who is cut off in between misses nothing');
});

test('everybody sees what they may see; without approval.read it is FORBIDDEN, and losing the right ends the stream', async () => {
  const { home } = api;
  const [staging, production, teams] = [
    await waiting(),
    await waiting({ environmentId: home.production }),
    await waiting({ environmentId: home.production, teamId: home.team }),
  ];
  const foreign = await waiting({ home: api.people.other });
  const viewers = {
    staging: await home.principal([['viewer', 'environment', home.staging]]),
    project: await home.principal([['reviewer', 'project', home.project]]),
    elsewhere: await home.principal([['viewer', 'project', home.otherProject]]),
    team: await home.principal([['viewer', 'team', home.team]]),
    foreign: api.people.other.admin,
  };
  await staging.asks('before');
  await settled();
  const watching = Object.fromEntries(await Promise.all(Object.entries(viewers).map(async ([name, as]) => [name, await watch({ as }).opened()] as const))); // prettier-ignore
  await production.asks('p');
  await foreign.asks('f');
  await teams.asks('t');
  await staging.asks('s');
  await watching['project']!.until(() => watching['project']!.changes().length === 4);
  await watching['foreign']!.until(() => watching['foreign']!.changes().length === 1);
  await watching['staging']!.until(() => watching['staging']!.changes().length === 2);
  await watching['team']!.until(() => watching['team']!.changes().length === 1);
  const steps = (name: string) => watching[name]!.changes().map((change) => change.replace('APPROVAL_REQUESTED ', ''));
  assert.deepEqual(Object.keys(viewers).map(steps), [['before', 's'], ['before', 'p', 't', 's'], [], ['t'], ['f']]);
  await home.write((uow) => uow.rows('delete from role_grants where principal_id = $1', [viewers.project.principalId]));
  await staging.asks('after');
  assert.equal((await watching['project']!.error())?.extensions.code, 'FORBIDDEN');
  assert.equal(steps('project').length, 4);
  for (const name of ['staging', 'elsewhere', 'team', 'foreign']) await watching[name]!.leave();
  const service = await home.principal([['service', 'tenant', home.tenantId]]);
  const refused = await watch({ as: service }).error();
  assert.deepEqual([refused?.extensions.code, /approval\.read/.test(refused!.message)], ['FORBIDDEN', true]);
});

test('each filter narrows what is pending and what follows; ids of another type are refused', async () => {
  const [one, two] = [await waiting(), await waiting({ environmentId: api.home.production })];
  await one.asks('one', 'high');
  await two.asks('two', 'low');
  await settled();
  const filters: [filter: object, steps: string[]][] = [
    [{}, ['one', 'two', 'one+', 'two+']],
    [{ risk: ['HIGH', 'CRITICAL'] }, ['one', 'two+']],
    [{ risk: [] }, []],
    [{ environmentId: ids.environment(api.home.production) }, ['two', 'two+']],
    [{ agentId: ids.agent(one.agentId) }, ['one', 'one+']],
    [{ executionId: ids.execution(two.executionId), risk: ['LOW'] }, ['two']],
    [{ executionId: ids.execution(newId()) }, []],
  ];
  const watching = await Promise.all(filters.map(([filter]) => watch({ filter }).opened()));
  await one.asks('one+', 'low');
  await two.asks('two+', 'critical');
  await watching[0]!.until(() => watching[0]!.changes().length === 4);
  for (const [index, [filter, steps]] of filters.entries()) {
    await watching[index]!.until(() => watching[index]!.changes().length === steps.length);
    assert.deepEqual((await watching[index]!.leave()).map((change) => change.split(' ')[1]), steps, JSON.stringify(filter)); // prettier-ignore
  }
  for (const field of ['environmentId', 'agentId', 'executionId']) {
    const error = await watch({ filter: { [field]: ids.approval(newId()) } }).error();
    assert.deepEqual([error?.extensions.code, error!.message.includes(`filter.${field}`)], ['VALIDATION_FAILED', true]);
  }
});

test('a cursor that does not fit is refused with the reason, and stalls nobody else', async () => {
  const { asks, executionId } = await waiting();
  const epoch = await api.home.read((uow) => api.services.events.epoch(uow));
  const raw = (...parts: string[]) => Buffer.from(['approvals', ...parts].join(':')).toString('base64url');
  const far = { transactionId: String(2n ** 62n), executionId, sequence: 1 };
  const cases: [cursor: string, code: string, message: RegExp][] = [
    ['nonsense', 'INVALID_CURSOR', /is not a cursor of a stream/],
    [cursorOf('approvals', newId()), 'INVALID_CURSOR', /damaged/],
    [executionCursor(epoch, executionId, 1), 'INVALID_CURSOR', /belongs to the stream "execution", not to "approvals"/],
    [raw(epoch, '1', '-'.repeat(36), '1'), 'INVALID_CURSOR', /damaged/],
    [raw(epoch, String(2n ** 63n), executionId, '1'), 'INVALID_CURSOR', /damaged/],
    [raw(epoch, '-1', executionId, '1'), 'INVALID_CURSOR', /damaged/],
    [raw(epoch, '1', executionId, '2147483648'), 'INVALID_CURSOR', /damaged/],
    [raw(newId(), '1', executionId, '1'), 'CURSOR_EXPIRED', /no longer exists/],
    [tenantCursor('approvals', epoch, far), 'CURSOR_EXPIRED', /ahead of the history/],
  ];
  for (const [cursor, code, message] of cases) {
    const watching = watch({ after: cursor });
    const error = await watching.error();
    assert.deepEqual([error?.extensions.code, watching.batches], [code, []], cursor);
    assert.match(error!.message, message);
  }
  const watching = await watch().opened();
  const { transactionId } = readTenantCursor(watching.batches.at(-1)!.cursor, 'approvals', epoch);
  assert.ok(BigInt(transactionId) < 2n ** 40n);
  await asks('served');
  await watching.until(() => watching.changes().includes('APPROVAL_REQUESTED served'));
  await watching.leave();
});

test('what another process commits is found although no hint tells of it', async () => {
  const { asks } = await waiting({ services: api.elsewhere() });
  const watching = await watch().opened();
  for (const step of ['first', 'second']) {
    await asks(step);
    await watching.until(() => watching.changes().includes(`APPROVAL_REQUESTED ${step}`));
  }
  assert.equal((await watching.leave()).length, 2);
});
