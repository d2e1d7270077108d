// Every mutation of the schema, run once so that it succeeds: one audit event with who, what, from where, in which trace, and digests of
// before and after. Refused, or repeated with nothing left to change: none.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import pg from 'pg';
import { getNamedType, isObjectType, isUnionType, type GraphQLField, type GraphQLObjectType } from 'graphql';
import { schema } from '#gateway/schema.ts';
import { parseGlobalId, toGlobalId } from '#schema/ids.ts';
import { createOutbound } from '#src/outbound/guard.ts';
import { newId } from '#src/platform/ids.ts';
import { createSealer } from '#src/platform/sealing.ts';
import { testApi, type Api } from './harness/api.ts';
import type { Caller } from './harness/graphql.ts';
import { httpMcp, type HttpMcp } from './harness/mcp/http-server.ts';
import { placeCases, slug, type MutationCase, type MutationWorld } from './harness/mutation-cases.ts';
import { sinkCases } from './harness/mutation-cases-sinks.ts';
import { queuedCases, workCases } from './harness/mutation-cases-work.ts';

let api: Api;
let world: MutationWorld;
let mcp: HttpMcp;
let stranger: Caller;
before(async () => {
  const annotations = { readOnlyHint: true };
  mcp = await httpMcp({ tools: { echo: { run: () => 'echo' } } });
  api = await testApi({
    tools: { 'files.read': { annotations, run: () => null }, 'files.write': { annotations: {}, run: () => null } },
    remote: { outbound: createOutbound({ allow: [mcp.host] }), sealer: createSealer(randomBytes(32)) },
  });
  stranger = await api.home.principal([]);
  let running: Promise<unknown> | undefined;
  world = {
    api,
    toolServerUrl: mcp.url,
    name: slug,
    make: async (mutation, input, as) => (await done(mutation, input, as)).id,
    async answer(mutation, input, selection, as = api.home.adminKey) {
      const { answer } = await call(mutation, input, as, selection);
      return answer;
    },
    runner: async () => void (await (running ??= api.runner({ services: api.services }))),
  };
});
after(async () => {
  await api?.close();
  await mcp?.stop();
});

const mutations = schema.getMutationType()!.getFields();
const cases: Readonly<Record<string, MutationCase>> = { ...queuedCases, ...placeCases, ...workCases, ...sinkCases };
const titled = (name: string) => `${name.slice(0, 1).toUpperCase()}${name.slice(1)}`;

/** What changed, as it is returned: its field, its type, and what to select of it. */
function returnedOf(mutation: string) {
  const union = getNamedType(mutations[mutation]!.type);
  assert.ok(isUnionType(union), mutation);
  const success = union.getTypes().find(({ name }) => name === `${titled(mutation)}Success`) as GraphQLObjectType;
  const fields = Object.values(success.getFields());
  const hasId = ({ type }: GraphQLField<unknown, unknown>) => {
    const named = getNamedType(type);
    return isObjectType(named) && 'id' in named.getFields();
  };
  const { field: wanted } = cases[mutation]!;
  const field = fields.find(({ name }) => name === wanted) ?? fields.find(hasId) ?? fields[0]!;
  const type = getNamedType(field.type);
  if (!isObjectType(type)) return { field: field.name, type: titled(field.name.replace(/Id$/, '')), selection: field.name };
  return { field: field.name, type: type.name, selection: `${field.name} { ${hasId(field) ? 'id' : '__typename'} }` };
}

let traces = 0;
async function call(mutation: string, input: object, as: Caller, selection = returnedOf(mutation).selection) {
  const traceId = (++traces).toString(16).padStart(32, '0');
  const title = titled(mutation);
  const query = `mutation ($input: ${title}Input!) { ${mutation}(input: $input) { __typename ... on Error { code message } ... on ${title}Success { ${selection} } } }`;
  const credential = typeof as === 'string' ? as : `test-principal-${as!.tenantId}/${as!.principalId}`;
  const response = await fetch(`${api.url}/graphql`, {
    method: 'POST',
    headers: {
      ...{ authorization: `Bearer ${credential}`, 'content-type': 'application/json', 'user-agent': 'audit-test/1' },
      traceparent: `00-${traceId}-00f067aa0ba902b7-01`,
    },
    body: JSON.stringify({ query, variables: { input } }),
  });
  const { data, errors } = await response.json();
  const answer = data?.[mutation] ?? null;
  // Of every tenant: a tenant that was created has its own.
  const events = await rowsOfTrace(traceId);
  return { isDone: answer?.__typename === `${title}Success`, answer, said: JSON.stringify(errors ?? answer), traceId, events };
}
async function done(mutation: string, input: object, as: Caller = api.home.adminKey) {
  const { isDone, answer, said } = await call(mutation, input, as);
  assert.ok(isDone, `${mutation}: ${said}`);
  const first = answer[returnedOf(mutation).field];
  return { id: typeof first === 'string' ? first : (first?.id ?? null) };
}

async function rowsOfTrace(traceId: string): Promise<any[]> {
  const tenants = await owner(`select id from tenants`);
  const all: any[] = [];
  for (const { id } of tenants) {
    all.push(
      ...(await api.database.read(id, (uow) =>
        uow.rows('select * from audit_events where tenant_id = $1 and trace_id = $2', [id, traceId]),
      )),
    );
  }
  return all;
}
async function owner(sql: string): Promise<any[]> {
  const client = new pg.Client({ connectionString: api.ownerUrl });
  await client.connect();
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}

describe('a mutation', () => {
  it('has a case here, whichever the schema has', () => {
    assert.deepEqual(Object.keys(cases).sort(), Object.keys(mutations).sort());
  });

  for (const [name, { input: prepare, as = () => api.home.adminKey, change, again, subject, subjects }] of Object.entries(cases)) {
    it(`${name}: leaves one event, and none when it is refused or changes nothing`, { timeout: 60_000 }, async () => {
      const input = await prepare(world);
      const refused = await call(name, input, stranger);
      assert.equal(refused.isDone, false, refused.said);
      assert.deepEqual(refused.events, []);

      const caller = as(world);
      const { isDone, answer, said, events, traceId } = await call(name, input, caller);
      assert.ok(isDone, said);
      const first = returnedOf(name);
      const value = answer[first.field];
      const named = subject?.(input);
      const type = named?.type ?? first.type;
      const ids: readonly string[] = subjects?.(input) ?? [typeof value === 'string' ? value : value.id];
      assert.equal(events.length, ids.length);
      for (const event of events) {
        const principalId = typeof caller === 'string' ? api.home.admin.principalId : caller!.principalId;
        assert.deepEqual(
          [event.action, event.principal_id, event.address, event.user_agent, event.trace_id],
          [name, principalId, '127.0.0.1', 'audit-test/1', traceId],
        );
        assert.equal(event.subject_type, subjects ? parseGlobalId(ids[0]!)!.typename : type);
        if (named) assert.deepEqual([event.subject_id, event.subject_name], [null, named.name]);
        const digests = [event.before_digest, event.after_digest].map((digest) => digest !== null && /^[0-9a-f]{64}$/.test(digest));
        assert.deepEqual(digests, [change !== 'created', change !== 'gone'], `${event.before_digest} → ${event.after_digest}`);
        assert.equal(event.before_digest === event.after_digest, change === 'touched');
      }
      if (!named) {
        const changed = new Set(events.map((event) => event.subject_id));
        assert.deepEqual(changed, new Set(ids.map((id) => parseGlobalId(id)!.id)));
      }

      const repeated = await call(name, input, caller);
      assert.equal(repeated.isDone, again !== 'refused', repeated.said);
      assert.equal(repeated.events.length, again === 'another' ? 1 : 0, `the same again: ${repeated.events.length} events`);
    });
  }
});

describe('many approvals decided at once', () => {
  const sign = (terms: object = {}) => ({ id: 'sign', approval: { title: 'Go on?', risk: 'low', expiresIn: '1h', ...terms } });
  const asked = async (terms?: object) => {
    await world.runner();
    return toGlobalId('Approval', await api.asked((await api.start(await api.agent([sign(terms)]))).id));
  };

  it('leave an event about each that changed, votes that end nothing included, and none about the others', async () => {
    const [plain, shared, done] = [
      await asked(),
      await asked({ approvers: { stages: [{ approvers: [{ role: 'reviewer' }], quorum: 2 }] } }),
      await asked(),
    ];
    const item = (approvalId: string) => ({ approvalId, decision: 'APPROVE' });
    assert.ok((await call('decideApproval', item(done), api.reviewer)).isDone);
    const items = [plain, shared, done, toGlobalId('Approval', newId())].map(item);
    const looked = await call('decideApprovals', { items, preflight: true }, api.reviewer);
    assert.ok(looked.isDone, looked.said);
    assert.deepEqual(looked.events, []);
    const { isDone, events, said } = await call('decideApprovals', { items }, api.reviewer);
    assert.ok(isDone, said);
    assert.deepEqual(new Set(events.map((event) => toGlobalId(event.subject_type, event.subject_id))), new Set([plain, shared]));
    for (const event of events) assert.ok(event.before_digest && event.after_digest && event.project_id);
    assert.deepEqual((await call('decideApprovals', { items }, api.reviewer)).events, []);
  });
});
