// The queue through the API and the typed client: priorities, limits, how it stands, bulk cancel, dead letters; who may, and what it costs.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { parseGlobalId, toGlobalId } from '#schema/ids.ts';
import { newId } from '#src/platform/ids.ts';
import { testApi, type Api } from './harness/api.ts';
import { eventually } from './harness/eventually.ts';

let api: Api;
before(async () => {
  api = await testApi({
    tools: {
      'queue.fail': {
        run: () => {
          throw new Error('always');
        },
      },
      'queue.odd': {
        run: ({ n }) => {
          if ((n as number) % 2 === 1) throw new Error('odd');
          return n;
        },
      },
    },
  });
});
after(() => api.close());

const agentOf = (id: string) => toGlobalId('Agent', id);
const nothing = [{ id: 'nothing', transform: '1' }];
const deadLetters = `query ($first: Int, $after: String, $filter: DeadLetterFilter) {
  deadLetters(first: $first, after: $after, filter: $filter) {
    edges { cursor node { stepId itemIndex failedAt failure { code message } attempts { number status } execution { id agent { name } } } }
    pageInfo { hasNextPage endCursor }
  }
}`;

describe('the queue', () => {
  it('takes a priority at the start, shows it and when it was let in, and refuses one out of range by field', async () => {
    const client = api.typed(api.operator);
    const agentId = agentOf(await api.agent(nothing));
    const environmentId = toGlobalId('Environment', api.home.staging);
    const { execution } = await client.startExecution({ input: { agentId, environmentId, priority: 2 } });
    assert.equal(execution.priority, 2);
    assert.ok(execution.admittedAt);
    const refused = await api.gql(
      `mutation ($input: StartExecutionInput!) { startExecution(input: $input) { __typename ... on ValidationError { problems { path expected } } } }`,
      { input: { agentId, environmentId, priority: 10 } },
    );
    assert.deepEqual(refused.data!['startExecution'], {
      __typename: 'ValidationError',
      problems: [{ path: 'priority', expected: 'a whole number from 1 (first) to 9' }],
    });
  });

  it('is limited, shown and cleared by those who may', async () => {
    const client = api.typed(api.operator);
    const bare = await api.agent(nothing);
    const scopeId = agentOf(bare);
    const { limit } = await client.setConcurrencyLimit({ input: { scopeId, maxRunning: 0 } });
    assert.deepEqual([limit!.scope, limit!.maxRunning, limit!.agent!.id, limit!.project], ['AGENT', 0, scopeId, null]);
    await api.start(bare, { priority: 3 });
    await api.start(bare);
    const queueStatus = await client.queueStatus();
    assert.deepEqual(queueStatus.backlog, [
      { priority: 3, count: 1 },
      { priority: 5, count: 1 },
    ]);
    assert.ok(queueStatus.oldestWaitingSince);
    const concurrencyLimits = await client.concurrencyLimits({ scopeId });
    assert.deepEqual(
      concurrencyLimits.edges.map(({ node }) => node.id),
      [limit!.id],
    );

    const { operation } = await client.cancelExecutions({ input: { filter: { agentId: scopeId }, reason: 'mistake' } });
    assert.deepEqual([operation.status, operation.cancelled], ['QUEUED', 0]);
    const runner = await api.runner();
    const now = await eventually(async () => {
      const found = (await client.bulkOperation({ id: operation.id }))!;
      return found.status === 'FINISHED' && found;
    });
    assert.deepEqual([now.matched, now.cancelled, now.failed, now.reason], [2, 2, 0, 'mistake']);
    await runner.stop();
    assert.deepEqual((await client.queueStatus()).backlog, []);
    assert.equal((await client.setConcurrencyLimit({ input: { scopeId, maxRunning: null } })).limit, null);
    assert.deepEqual((await client.concurrencyLimits({ scopeId })).edges, []);
  });

  it('counts and shows only what one may read; another tenant sees nothing of it', async () => {
    const bare = await api.agent(nothing);
    await api.typed(api.operator).setConcurrencyLimit({ input: { scopeId: agentOf(bare), maxRunning: 0 } });
    await api.start(bare);
    const elsewhere = await api.home.principal([['operator', 'project', api.home.otherProject]]);
    const foreign = api.people.other.adminKey;
    for (const as of [elsewhere, foreign]) {
      const client = api.typed(as);
      assert.deepEqual(await client.queueStatus(), { backlog: [], admitted: 0, running: 0, oldestWaitingSince: null, isCapped: false });
      assert.deepEqual((await client.concurrencyLimits({})).edges, []);
      for (const typename of ['Agent', 'Tenant']) {
        const scopeId = toGlobalId(typename, typename === 'Agent' ? bare : api.home.tenantId);
        const input = { scopeId, maxRunning: 1 };
        const { data } = await api.gql(
          'mutation ($input: SetConcurrencyLimitInput!) { setConcurrencyLimit(input: $input) { __typename } }',
          { input },
          { as },
        );
        const expected = as === elsewhere && typename === 'Tenant' ? 'ForbiddenError' : 'NotFoundError';
        assert.equal(data!['setConcurrencyLimit'].__typename, expected);
      }
    }
    const { operation } = await api.typed(api.operator).cancelExecutions({ input: { filter: { agentId: agentOf(bare) } } });
    for (const as of [elsewhere, foreign]) assert.equal(await api.typed(as).bulkOperation({ id: operation.id }), null);
    await api.typed(api.operator).setConcurrencyLimit({ input: { scopeId: agentOf(bare), maxRunning: null } });
  });
});

describe('dead letters', () => {
  it('are the steps and items that gave up, newest first, with what they belong to and their tries', async () => {
    const name = `gives-up-${newId()}`;
    const failing = await api.agent([{ id: 'fails', tool: 'queue.fail', with: {}, retry: { maxAttempts: 2, initial: '1ms' } }], { name });
    const partly = await api.agent([
      { id: 'each', forEach: '${{ [0, 1, 2, 3] }}', concurrency: 1, onFailure: 'continue', tool: 'queue.odd', with: { n: '${{ item }}' } },
    ]);
    const early = await api.agent([{ id: 'early', transform: '$error("no")' }]);
    const runner = await api.runner();
    const ids: string[] = [];
    for (const agent of [failing, partly, early]) {
      const { id } = await api.start(agent);
      await api.finished(id);
      ids.push(id);
    }
    await runner.stop();
    const { data } = await api.gql(deadLetters, {}, { as: api.operator });
    const nodes = data!['deadLetters'].edges.map(({ node }: any) => node);
    assert.deepEqual(
      nodes.map(({ stepId, itemIndex, attempts, execution }: any) => [
        stepId,
        itemIndex,
        attempts.map(({ status }: any) => status),
        ids.indexOf(parseGlobalId(execution.id)!.id),
      ]),
      [
        ['early', null, [], 2],
        ['each', 3, ['FAILED'], 1],
        ['each', 1, ['FAILED'], 1],
        ['fails', null, ['FAILED', 'FAILED'], 0],
      ],
    );
    assert.equal(nodes[3].failure.code, 'TOOL_ERROR');
    assert.equal(nodes[3].execution.agent.name, name);

    const of = async (filter: object) =>
      (await api.gql(deadLetters, { filter }, { as: api.operator })).data!['deadLetters'].edges.map(({ node }: any) => node.stepId);
    assert.deepEqual(await of({ agentId: agentOf(partly) }), ['each', 'each']);
    assert.deepEqual(await of({ codes: ['TOOL_ERROR'] }), ['each', 'each', 'fails']);
    assert.deepEqual(await of({ until: nodes[2].failedAt }), ['fails']);
    assert.deepEqual(await of({ since: nodes[0].failedAt }), ['early']);
    assert.deepEqual(await of({ projectId: toGlobalId('Project', api.home.otherProject) }), []);
  });

  it('come in pages that fit together, at a cost that does not grow with them', async () => {
    const seen: string[] = [];
    const counts: number[] = [];
    let cursor: string | null = null;
    do {
      const { result, statements } = await api.countStatements(() =>
        api.gql(deadLetters, { first: 1, after: cursor }, { as: api.operator }),
      );
      counts.push(statements.length);
      const { edges, pageInfo } = result.data!['deadLetters'];
      seen.push(...edges.map(({ node }: any) => `${node.stepId}#${node.itemIndex}`));
      cursor = pageInfo.hasNextPage ? pageInfo.endCursor : null;
    } while (cursor);
    assert.deepEqual(seen, ['early#null', 'each#3', 'each#1', 'fails#null']);
    const { statements } = await api.countStatements(() => api.gql(deadLetters, {}, { as: api.operator }));
    assert.equal(statements.length, counts[0]);
    for (const after of [
      'x',
      Buffer.from('executions:1').toString('base64url'),
      Buffer.from('dead-letters:1.0.a.b').toString('base64url'),
    ]) {
      const { errors } = await api.gql(deadLetters, { after }, { as: api.operator });
      assert.equal(errors![0]!.extensions.code, 'INVALID_CURSOR');
    }
    for (const first of [0, 101]) {
      const { errors } = await api.gql(deadLetters, { first }, { as: api.operator });
      assert.equal(errors![0]!.extensions.code, 'VALIDATION_FAILED');
    }
  });

  it('are read by one index, and only where executions may be read', async () => {
    const elsewhere = await api.home.principal([['viewer', 'project', api.home.otherProject]]);
    for (const as of [elsewhere, api.people.other.adminKey]) {
      assert.deepEqual((await api.gql(deadLetters, {}, { as })).data!['deadLetters'].edges, []);
    }
    const nobody = await api.home.principal();
    assert.equal((await api.gql(deadLetters, {}, { as: nobody })).errors![0]!.extensions.code, 'FORBIDDEN');
    const plan = await api.home.write(async (uow) => {
      await uow.rows('set local enable_seqscan = off');
      const rows = await uow.rows<{ 'QUERY PLAN': string }>(
        `explain select s.step_id from steps s
           where s.tenant_id = $1 and s.status = 'failed' and s.failure_code not in ('ITEM_FAILED', 'ITEMS_FAILED')
           order by s.finished_at desc, s.execution_id desc, s.item_index desc, s.step_id desc limit 21`,
        [uow.tenantId],
      );
      return rows.map((row) => row['QUERY PLAN']).join('\n');
    });
    assert.match(plan, /Index Scan Backward using steps_failed/);
    assert.doesNotMatch(plan, /Sort/);
  });
});
