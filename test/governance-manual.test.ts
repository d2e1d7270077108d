// What docs/kill-switch.md and docs/audit.md show is run here, over HTTP and WebSocket, and answers as they say.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { toGlobalId } from '#schema/ids.ts';
import { testApi, type Api } from './harness/api.ts';
import type { Caller } from './harness/graphql.ts';
import { blocksOf } from './harness/manual.ts';

const switches = blocksOf('kill-switch.md');
const [engaging] = switches('Engage and release', 'graphql') as [string];
const [why] = switches('What becomes of executions', 'graphql') as [string];
const [ofSwitches] = switches('Follow', 'graphql') as [string];
const [changes] = blocksOf('audit.md')('Read', 'graphql') as [string];
const [follow] = blocksOf('audit.md')('Follow', 'graphql') as [string];
let api: Api;
before(async () => {
  api = await testApi({ tools: { 'mail.send': { run: () => 'sent' } } });
  await api.runner({ services: api.services });
});
after(() => api.close());

/** Runs the named operation of a shown document. */
async function ask(document: string, name: string, variables: object = {}, as: Caller = api.operator): Promise<any> {
  const one = document.split(/^(?=mutation|query)/m).find((part) => new RegExp(`^(mutation|query) ${name}\\b`).test(part))!;
  const { data, errors } = await api.gql(one, { ...variables }, { as });
  assert.equal(errors, undefined, JSON.stringify(errors));
  return Object.values(data!)[0];
}

test('an agent is stopped, says why, and goes on after the release', { timeout: 30_000 }, async () => {
  const agent = await api.agent([{ id: 'act', tool: 'mail.send', with: {} }], { name: 'mailer' });
  const { killSwitch } = await ask(engaging, 'stop', { scope: 'AGENT', scopeId: toGlobalId('Agent', agent) });
  assert.equal(killSwitch.isEngaged, true);
  const { edges } = await ask(engaging, 'engaged');
  assert.deepEqual(edges, [{ node: { scope: 'AGENT', pattern: null, reason: 'It mails customers twice', agent: { name: 'mailer' } } }]);
  const { id } = await api.start(agent);
  await api.happened(id, 'step.halted');
  assert.deepEqual(await ask(why, 'why', { id: toGlobalId('Execution', id) }), {
    status: 'RUNNING',
    steps: [{ stepId: 'act', status: 'QUEUED', haltedBy: { reason: 'It mails customers twice' } }],
    lastEvents: [{ attempt: 0, killSwitchId: killSwitch.id, reason: 'It mails customers twice' }],
  });
  const released = await ask(engaging, 'goOn', { id: killSwitch.id });
  assert.deepEqual(released.killSwitch, { isEngaged: false, releaseReason: 'Version 1.2.1 is out' });
  assert.equal((await api.finished(id)).status, 'succeeded');
  assert.deepEqual((await ask(engaging, 'engaged')).edges, []);
  assert.match((await ask(engaging, 'goOn', { id: killSwitch.id })).message, /released at .* already/);
});

test('whoever watches the execution is told that it was stopped, why, and that it goes on', { timeout: 30_000 }, async () => {
  const agent = await api.agent([{ id: 'act', tool: 'mail.send', with: {} }]);
  const { killSwitch } = await ask(engaging, 'stop', { scope: 'AGENT', scopeId: toGlobalId('Agent', agent) });
  const { id } = await api.start(agent);
  const watch = `subscription ($id: ID!) { executionEvents(executionId: $id) { events { type ... on StepHalted { reason killSwitchId } } } }`;
  const seen: any[] = [];
  for await (const { data, errors } of api.subscribe(watch, { id: toGlobalId('Execution', id) }, { as: api.operator })) {
    assert.equal(errors, undefined, JSON.stringify(errors));
    seen.push(...data!['executionEvents'].events);
    if (seen.at(-1)?.type === 'STEP_HALTED') await ask(engaging, 'goOn', { id: killSwitch.id });
  }
  const told = seen.filter(({ type }) => ['STEP_HALTED', 'STEP_CONTINUED', 'STEP_SUCCEEDED'].includes(type));
  assert.deepEqual(told, [
    { type: 'STEP_HALTED', reason: 'It mails customers twice', killSwitchId: killSwitch.id },
    { type: 'STEP_CONTINUED' },
    { type: 'STEP_SUCCEEDED' },
  ]);
});

test('the typed client engages and releases; mistakes are told by field, and rights are looked at', async () => {
  const client = api.typed(api.operator);
  const { killSwitch } = await client.engageKillSwitch({ input: { scope: 'DESTINATION', pattern: 'API.Example.com.', reason: 'x' } });
  assert.equal(killSwitch.pattern, 'api.example.com');
  const listed = await client.killSwitches({ filter: { engaged: true, scope: 'DESTINATION' } });
  assert.deepEqual(
    listed.edges.map(({ node }) => node.id),
    [killSwitch.id],
  );
  await client.releaseKillSwitch({ input: { killSwitchId: killSwitch.id } });
  await assert.rejects(
    client.engageKillSwitch({ input: { scope: 'PROJECT', scopeId: toGlobalId('Environment', api.home.staging), reason: 'x' } }),
    /scopeId: this is the id of a Environment; the scope PROJECT needs that of a Project/,
  );
  const viewer = await api.home.principal([['viewer', 'tenant', api.home.tenantId]]);
  const { code } = await ask(engaging, 'stop', { scope: 'TENANT' }, viewer);
  assert.equal(code, 'FORBIDDEN');
  const foreign = api.people.other.adminKey;
  assert.equal(
    (await ask(engaging, 'stop', { scope: 'PROJECT', scopeId: toGlobalId('Project', api.home.project) }, foreign)).code,
    'NOT_FOUND',
  );
  assert.equal((await ask(engaging, 'goOn', { id: killSwitch.id }, foreign)).code, 'NOT_FOUND');
  assert.deepEqual((await ask(engaging, 'engaged', {}, foreign)).edges, []);
});

test('switches are told to whoever answers for them, as they are engaged and released', async () => {
  const stream = api.subscribe(ofSwitches, {}, { as: api.reviewer });
  const next = async () => (await stream.next()).value!.data!['auditTrail'].events;
  await next(); // it has begun
  const { killSwitch } = await ask(engaging, 'stop', { scope: 'TOOL', pattern: 'told.*' });
  await ask(engaging, 'goOn', { id: killSwitch.id });
  // Both may come at once; and what was committed while another transaction was open may come again.
  const told: any[] = [];
  while (told.length < 2) told.push(...(await next()).filter(({ subjectId }: any) => subjectId === killSwitch.id));
  assert.deepEqual(
    told.map(({ action, principal }) => [action, principal !== null]),
    [
      ['engageKillSwitch', true],
      ['releaseKillSwitch', true],
    ],
  );
  await stream.return!();
});

test('what was done is read and followed', async () => {
  const principalId = toGlobalId('Principal', api.operator.principalId);
  const { edges } = await ask(changes, 'changes', { principalId, actions: ['engageKillSwitch', 'releaseKillSwitch'] }, api.reviewer);
  const [released, engaged] = edges.map(({ node }: any) => node);
  assert.deepEqual([released.action, engaged.action, released.subjectType], ['releaseKillSwitch', 'engageKillSwitch', 'KillSwitch']);
  assert.deepEqual([released.subjectId, released.beforeDigest], [engaged.subjectId, engaged.afterDigest]);
  const stream = api.subscribe(follow, {}, { as: api.reviewer });
  await stream.next(); // it has begun
  const { killSwitch } = await ask(engaging, 'stop', { scope: 'TOOL', pattern: 'nothing.*' });
  const told: any[] = [];
  while (told.length === 0) {
    const { events } = (await stream.next()).value!.data!['auditTrail'];
    told.push(...events.filter(({ subjectId }: any) => subjectId === killSwitch.id));
  }
  assert.deepEqual(told, [{ action: 'engageKillSwitch', subjectId: killSwitch.id }]);
  await stream.return!();
});
