// Data that agents declare and grant each other: what the policy says of it, what becomes of executions, and who may grant.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { toGlobalId } from '#schema/ids.ts';
import { newId } from '#src/platform/ids.ts';
import { compileRules } from '#src/rules/compile.ts';
import { maxActiveGrants } from '#src/datagrants/data-service.ts';
import type { GateInput } from '#src/rules/gate.ts';
import { parseRules } from '#src/rules/rules.ts';
import type { Authority } from '#src/authority/permission.ts';
import { testApi, type Api } from './harness/api.ts';
import { toolCall } from './harness/governance.ts';

const everywhere = { projectId: null, environmentId: null, agentId: null, teamId: null, tag: null, tool: null };
const judge = (rules: unknown) =>
  compileRules({ id: 'id', name: 'data', version: 1, kind: 'data_scope', mode: 'enforce', priority: 1, scope: everywhere, rules });
const query = (args: unknown, change: Partial<GateInput> = {}) =>
  toolCall({ arguments: args, agentData: ['dataset:orders', 'dataset:items'], ...change }, { name: 'db.query', capability: 'read' });
const tables = [{ data: { kind: 'dataset', from: 'arguments.table' }, tools: ['db.*'] }];

describe('the judge of data', () => {
  it('lets an agent touch what it declares and what it was granted, and says so', () => {
    const declared = judge(tables)(query({ table: 'orders' }));
    assert.deepEqual([declared?.effect, declared?.reason], ['allow', 'Policy "data": the agent may touch dataset:orders.']);
    assert.equal(judge(tables)(query({ table: 'people' }, { grantedData: ['dataset:people'] }))?.effect, 'allow');
  });

  it('refuses anything else with the way out', () => {
    const refused = judge(tables)(query({ table: 'people' }));
    assert.equal(refused?.effect, 'deny');
    assert.equal(
      refused.reason,
      'Policy "data" (rule 1): the agent "log-triage" neither declares dataset:people nor was granted it. List it in "spec.data" of the definition, or ask the agent that owns it for a grant.',
    );
    assert.equal(judge(tables)(query({ table: 'orders' }, { agentData: undefined, grantedData: undefined }))?.effect, 'deny');
  });

  it('of a list, each one counts', () => {
    assert.equal(judge(tables)(query({ table: ['orders', 'items'] }))?.effect, 'allow');
    assert.equal(judge(tables)(query({ table: ['orders', 'people'] }))?.effect, 'deny');
    const joins = [{ data: { kind: 'dataset', from: 'arguments.joins[*].table' }, tools: ['db.*'] }];
    assert.equal(judge(joins)(query({ joins: [{ table: 'orders' }, { table: 'people' }] }))?.effect, 'deny');
  });

  it('what names no data, or no name of any, is refused: nothing passes unseen', () => {
    for (const table of [
      undefined,
      null,
      5,
      { name: 'orders' },
      '',
      'a b',
      '../orders',
      'orders\u200b',
      'Orders',
      [],
      ['orders', 7],
      'x'.repeat(200),
    ]) {
      assert.equal(judge(tables)(query({ table }))?.effect, 'deny', JSON.stringify(table));
    }
    assert.match(judge(tables)(query({}))!.reason, /cannot tell which data this touches: arguments\.table names nothing/);
  });

  it('every rule that matches counts; where none does, nothing is said', () => {
    const both = [...tables, { data: 'service:db', tools: ['db.*'], message: 'Ask the data team.' }];
    assert.match(judge(both)(query({ table: 'orders' }))!.reason, /neither declares service:db nor was granted it\. Ask the data team\./);
    assert.equal(judge(both)(query({ table: 'orders' }, { grantedData: ['service:db'] }))?.effect, 'allow');
    assert.equal(judge(both)(toolCall()), null);
    assert.equal(judge(tables)(query({ table: 'people' }, { action: 'output.deliver' })), null);
  });

  it('knows requests by their host, and every server of tools as a service', () => {
    const payments = [{ data: 'api:payments', destinations: ['*.payments.example'] }];
    const request = (host: string) =>
      toolCall({ action: 'http.request', destination: { scheme: 'https', host, port: 443, method: 'GET' } }, { name: 'http.request' });
    assert.equal(judge(payments)(request('api.payments.example'))?.effect, 'deny');
    assert.equal(judge(payments)({ ...request('api.payments.example'), agentData: ['api:payments'] })?.effect, 'allow');
    assert.equal(judge(payments)(request('example.com')), null);
    const servers = [{ data: { kind: 'service', from: 'tool.server' }, tools: ['*'] }];
    assert.equal(judge(servers)(query({}, { agentData: ['service:db'] }))?.effect, 'allow');
    assert.equal(judge(servers)(query({}))?.effect, 'deny');
  });

  it('rules that are wrong are refused', () => {
    const parsed = parseRules('data_scope', [
      { data: 'orders' },
      { data: { kind: 'table', from: 'arguments.x' } },
      { data: { kind: 'api', from: 'nowhere' } },
    ]);
    assert.ok(!parsed.ok);
    assert.deepEqual(
      parsed.problems.map(({ path, message }) => `${path}: ${message}`.slice(0, 62)),
      [
        'rules[0].data: must be a reference such as dataset:orders, or {',
        'rules[1].data: must be a reference such as dataset:orders, or {',
        'rules[2].data.from: there is no such path; paths are action, p',
      ].map((text) => text.slice(0, 62)),
    );
  });
});

let api: Api;
let keeper: Authority;
before(async () => {
  api = await testApi({ tools: { 'db.query': { run: ({ table }) => `rows of ${table as string}` } } });
  await api.runner();
  const { home } = api;
  await home.write((uow) => api.services.policies.createPolicy(uow, home.admin, { name: 'data', kind: 'data_scope', rules: tables }));
  keeper = await home.principal([
    ['agent_manager', 'team', home.team],
    ['viewer', 'project', home.project],
  ]);
});
after(() => api.close());

const reads = [{ id: 'read', tool: 'db.query', with: { table: 'orders' } }];
const agentId = (id: string) => toGlobalId('Agent', id);
const grant = `mutation ($input: GrantDataInput!) { grantData(input: $input) { __typename
  ... on GrantDataSuccess { dataGrant { id data reason isInForce revokedAt ownerAgent { id } granteeAgent { id } grantedBy { id } } }
  ... on Error { code message } } }`;
const revoke = `mutation ($input: RevokeDataGrantInput!) { revokeDataGrant(input: $input) { __typename
  ... on RevokeDataGrantSuccess { dataGrant { isInForce revokedBy { id } } } ... on Error { code message } } }`;

async function grantTo(owner: string, grantee: string, more: object = {}, as: Authority = api.home.admin): Promise<any> {
  const input = {
    ownerAgentId: agentId(owner),
    granteeAgentId: agentId(grantee),
    data: 'dataset:orders',
    reason: 'for the report',
    ...more,
  };
  return (await api.gql(grant, { input }, { as })).data!['grantData'];
}
async function revokeFrom(dataGrantId: string, as: Authority = api.home.admin): Promise<any> {
  return (await api.gql(revoke, { input: { dataGrantId } }, { as })).data!['revokeDataGrant'];
}
const outcome = async (id: string) => (await api.finished((await api.start(id)).id)).status;

describe('executions of agents with data', () => {
  it('run with what is declared and granted, are blocked without, and again after the grant was revoked', async () => {
    const [owner, other] = [await api.agent(reads, { data: ['dataset:orders'] }), await api.agent(reads)];
    assert.deepEqual([await outcome(owner), await outcome(other)], ['succeeded', 'blocked']);
    const { dataGrant } = await grantTo(owner, other);
    assert.equal(await outcome(other), 'succeeded');
    const [decision] = await api.home.read((uow) =>
      uow.rows<any>(`select input from decisions where agent_id = $1 and action = 'tool.call' order by id desc limit 1`, [other]),
    );
    assert.deepEqual([decision.input.agentData, decision.input.grantedData], [[], ['dataset:orders']]);
    assert.equal((await revokeFrom(dataGrant.id)).dataGrant.isInForce, false);
    assert.equal(await outcome(other), 'blocked');
  });
});

describe('grants of data', () => {
  it('are given once, listed, and revoked once', async () => {
    const [owner, other] = [await api.agent(reads, { data: ['dataset:orders'] }), await api.agent(reads)];
    const { dataGrant } = await grantTo(owner, other);
    assert.deepEqual(dataGrant, {
      id: dataGrant.id,
      data: 'dataset:orders',
      reason: 'for the report',
      isInForce: true,
      revokedAt: null,
      ownerAgent: { id: agentId(owner) },
      granteeAgent: { id: agentId(other) },
      grantedBy: { id: toGlobalId('Principal', api.home.admin.principalId) },
    });
    assert.equal((await grantTo(owner, other, { reason: 'again' })).dataGrant.id, dataGrant.id);
    const list = 'query ($filter: DataGrantFilter) { dataGrants(filter: $filter) { edges { node { id } } } }';
    const listed = async (filter: object) =>
      (await api.gql(list, { filter }, { as: api.home.admin })).data!['dataGrants'].edges.map(({ node }: any) => node.id);
    assert.deepEqual(await listed({ granteeAgentId: agentId(other) }), [dataGrant.id]);
    assert.deepEqual(await listed({ ownerAgentId: agentId(other) }), []);
    assert.equal((await revokeFrom(dataGrant.id)).__typename, 'RevokeDataGrantSuccess');
    assert.match((await revokeFrom(dataGrant.id)).message, /^the grant was revoked at .* already$/);
    assert.deepEqual([await listed({ ownerAgentId: agentId(owner), inForce: true }), await listed({ ownerAgentId: agentId(owner), inForce: false })], [[], [dataGrant.id]]); // prettier-ignore
    assert.notEqual((await grantTo(owner, other)).dataGrant.id, dataGrant.id);
  });

  it('two at once make one', async () => {
    const [owner, other] = [await api.agent(reads, { data: ['dataset:orders'] }), await api.agent(reads)];
    const both = await Promise.all([grantTo(owner, other), grantTo(owner, other)]);
    assert.equal(new Set(both.map(({ dataGrant }) => dataGrant.id)).size, 1);
  });

  it('of what nobody declares, to oneself, without a reason or of what is no data are refused', async () => {
    const [owner, other] = [await api.agent(reads, { data: ['dataset:orders'] }), await api.agent(reads)];
    const undeclared = await grantTo(owner, other, { data: 'dataset:people' });
    assert.deepEqual([undeclared.code, /no published version .* declares dataset:people; list it/.test(undeclared.message)], ['INVALID_STATE', true]); // prettier-ignore
    assert.match((await grantTo(owner, owner)).message, /granteeAgentId: is the agent that declares the data/);
    const wrong = await grantTo(owner, other, { data: 'orders', reason: ' ' });
    assert.deepEqual([wrong.code, wrong.message], ['VALIDATION_FAILED', 'data: "orders" is no reference to data; reason: is empty']);
    assert.equal((await grantTo(owner, other, { reason: 'x'.repeat(1_000) })).__typename, 'GrantDataSuccess');
    assert.match((await grantTo(owner, other, { reason: 'x'.repeat(1_001) })).message, /has more than 1000 characters/);
  });

  it('are for those who manage the agent that declares the data; who only sees it is refused', async () => {
    const owner = await api.agent(reads, { data: ['dataset:orders'], teamId: api.home.team });
    const other = await api.agent(reads);
    const { dataGrant } = await grantTo(owner, other, {}, keeper);
    assert.ok(dataGrant);
    assert.equal((await grantTo(other, owner, {}, keeper)).code, 'FORBIDDEN');
    const viewer = await api.home.principal([['viewer', 'tenant', api.home.tenantId]]);
    const nowhere = await api.home.principal([['agent_manager', 'project', api.home.otherProject]]);
    assert.equal((await grantTo(owner, other, {}, viewer)).code, 'FORBIDDEN');
    assert.equal((await revokeFrom(dataGrant.id, viewer)).code, 'FORBIDDEN');
    assert.equal((await revokeFrom(dataGrant.id, nowhere)).code, 'NOT_FOUND');
    assert.deepEqual((await revokeFrom(dataGrant.id, keeper)).dataGrant.revokedBy, { id: toGlobalId('Principal', keeper.principalId) });
  });

  it('of and to foreign agents are as absent ones', async () => {
    const own = await api.agent(reads, { data: ['dataset:orders'] });
    const foreign = await api.agent(reads, { data: ['dataset:orders'], home: api.people.other });
    for (const id of [foreign, newId()]) {
      assert.equal((await grantTo(id, own)).message, 'ownerAgentId: there is no such agent, or it is not visible to you');
      assert.equal((await grantTo(own, id)).message, 'granteeAgentId: there is no such agent, or it is not visible to you');
    }
  });

  it('at the limit no more are given until one is revoked', async () => {
    const { home, services } = api;
    const [owner, other, third] = [await api.agent(reads, { data: ['dataset:orders'] }), await api.agent(reads), await api.agent(reads)];
    const { dataGrant } = await grantTo(owner, other);
    const [{ n }] = await home.read((uow) => uow.rows<any>('select count(*)::int as n from data_grants where revoked_at is null'));
    await home.write((uow) =>
      uow.rows(
        `insert into data_grants (id, tenant_id, owner_agent_id, grantee_agent_id, kind, name, reason, granted_by, created_at)
         select gen_random_uuid(), $1, $2, $3, 'dataset', 'n' || n, '', $4, now() from generate_series(1, $5) n`,
        [home.tenantId, owner, other, home.admin.principalId, maxActiveGrants - n],
      ),
    );
    const refused = await grantTo(owner, third);
    assert.deepEqual([refused.code, /at most 10000 grants of data in force/.test(refused.message)], ['LIMIT_EXCEEDED', true]);
    await home.write((uow) => services.data.revokeDataGrant(uow, home.admin, { dataGrantId: parse(dataGrant.id) }));
    assert.equal((await grantTo(owner, third)).__typename, 'GrantDataSuccess');
  });
});

const parse = (globalId: string) => Buffer.from(globalId, 'base64').toString().split(':')[1]!;
