// Who loses a place and keeps the rest is told nothing of it from the next batch on, also where nobody looks at rights but before a batch.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { newId } from '#src/platform/ids.ts';
import type { Authority } from '#src/authority/permission.ts';
import { ids, testApi, type Api } from './harness/api.ts';

let api: Api;
before(async () => {
  api = await testApi({ tools: {}, recheckMs: 3_600_000 });
  await api.runner({ services: api.services });
});
after(() => api.close());

async function losesProduction({ principalId }: Authority): Promise<void> {
  const { home, people } = api;
  const find = `select id from role_grants where principal_id = $1 and scope_id = $2`;
  const [grant] = await home.read((uow) => uow.rows<{ id: string }>(find, [principalId, home.production]));
  await home.write((uow) => people.grants.revokeRole(uow, home.admin, { grantId: grant!.id }));
}

test('of audit events', async () => {
  const { home } = api;
  const places = { staging: home.staging, production: home.production };
  const person = await home.principal([['admin', 'environment', home.staging], ['admin', 'environment', home.production]]); // prettier-ignore
  const stream = api.subscribe('subscription { auditTrail { events { action } caughtUp } }', {}, { as: person });
  const next = async () => (await stream.next()).value!.data!['auditTrail'] as { caughtUp: boolean; events: { action: string }[] };
  const happens = (action: string, place: keyof typeof places) =>
    home.write(async (uow) => {
      const origin = { address: null, userAgent: null, traceId: newId() };
      const entry = { action, subject: null, beforeDigest: null, afterDigest: null };
      api.services.audit.record(uow, home.admin, { ...entry, place: { projectId: home.project, environmentId: places[place] }, origin });
    });
  assert.equal((await next()).caughtUp, true);
  await happens('before', 'production');
  assert.deepEqual((await next()).events, [{ action: 'before' }]);
  await losesProduction(person);
  await happens('lost', 'production');
  assert.deepEqual((await next()).events, []);
  await happens('kept', 'staging');
  assert.deepEqual((await next()).events, [{ action: 'kept' }]);
  await stream.return!();
});

test('of approvals, not even that there is one', async () => {
  const { home } = api;
  const agentId = await api.agent([{ id: 'ask', approval: { title: 'Go on?', risk: 'low' } }], { environments: [home.staging, home.production] }); // prettier-ignore
  const person = await home.principal([['viewer', 'environment', home.staging], ['viewer', 'environment', home.production]]); // prettier-ignore
  const stream = api.subscribe('subscription { approvalRequests { changes { type approval { id } } } }', {}, { as: person });
  const next = async () => (await stream.next()).value!.data!['approvalRequests'].changes as object[];
  const asks = async (environmentId: string) => {
    const { id } = await api.start(agentId, { environmentId });
    return { type: 'APPROVAL_REQUESTED', approval: { id: ids.approval(await api.asked(id)) } };
  };
  assert.deepEqual(await next(), []);
  const before = await asks(home.production);
  assert.deepEqual(await next(), [before]);
  await losesProduction(person);
  await asks(home.production);
  assert.deepEqual(await next(), []);
  const kept = await asks(home.staging);
  assert.deepEqual(await next(), [kept]);
  await stream.return!();
});
