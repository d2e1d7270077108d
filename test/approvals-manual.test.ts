// What docs/approvals.md shows is run here, and answers as it says.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { randomBytes } from 'node:crypto';
import { Webhook as Verifier } from 'standardwebhooks';
import { toGlobalId } from '#schema/ids.ts';
import { createSealer } from '#src/platform/sealing.ts';
import { ids, testApi, type Api } from './harness/api.ts';
import { foreignServer } from './harness/foreign-server.ts';
import type { Caller } from './harness/graphql.ts';
import { blocksOf } from './harness/manual.ts';
import { localOutbound as outbound } from './harness/outbound.ts';
import type { Authority } from '#src/authority/permission.ts';

const manual = blocksOf('approvals.md');
const [waiting] = manual('What waits for you', 'graphql') as [string];
const [showing] = manual('What is shown', 'graphql') as [string];
const [deciding] = manual('Decide', 'graphql') as [string];
const [many] = manual('Many at once', 'graphql') as [string];
const [absence] = manual('Absence and more time', 'graphql') as [string];
const [editing] = manual('Edit, then approve', 'graphql') as [string];
const [talking] = manual('Ask and comment', 'graphql') as [string];
const [registering] = manual('Webhooks', 'graphql') as [string];
const [receiving] = manual('Webhooks', 'js') as [string];
const [figuring] = manual('Figures', 'graphql') as [string];

let api: Api;
let editor: Authority;
before(async () => {
  const inputSchema = {
    type: 'object',
    required: ['amount'],
    properties: { amount: { type: 'number', maximum: 1_000 }, to: { type: 'string' } },
  };
  api = await testApi({
    remote: { outbound, sealer: createSealer(randomBytes(32)) },
    tools: {
      'bank.pay': { annotations: {}, inputSchema, run: ({ amount }) => `paid ${String(amount)}` },
      'files.write': { annotations: {}, run: () => 'written' },
    },
  });
  editor = await api.home.principal([['reviewer', 'tenant', api.home.tenantId]]);
  const rules = [{ tools: ['bank.*', 'files.*'], reason: 'Payments are signed' }];
  await api.typed().createPolicy({ input: { name: 'payments', kind: 'APPROVAL_REQUIRED', mode: 'ENFORCE', rules } });
  await api.runner({ services: api.services });
});
after(() => api.close());

/** Runs the named operation of a shown document. */
async function ask(document: string, name: string, variables: object = {}, as: Caller = api.reviewer): Promise<any> {
  const one = document.split(/^(?=mutation|query)/m).find((part) => new RegExp(`^(mutation|query) ${name}\\b`).test(part))!;
  const { data, errors } = await api.gql(one, { ...variables }, { as });
  assert.equal(errors, undefined, JSON.stringify(errors));
  return Object.values(data!)[0];
}
const pay = { id: 'pay', tool: 'bank.pay', with: { amount: 500, to: 'p\u0430ypal' } };

test('what is shown: hidden letters are named, with the policy that asks and what the execution is about', async () => {
  const { id } = await api.start(await api.agent([{ id: 'look', transform: '1' }, { ...pay, needs: ['look'] }, { id: 'end', transform: '1', needs: ['pay'] }], { name: 'payer' })); // prettier-ignore
  const shown = await ask(showing, 'show', { id: ids.approval(await api.asked(id)) });
  assert.deepEqual([shown.risk, shown.costMicroUsd, shown.policies], ['HIGH', null, [{ policy: { name: 'payments' }, version: 1 }]]);
  assert.deepEqual(shown.presentation.values, [{ path: 'to', text: 'p⟦U+0430⟧ypal' }, { path: 'amount', text: '500' }]); // prettier-ignore
  assert.equal(shown.presentation.warnings.length, 1);
  assert.deepEqual([shown.context.agentName, shown.context.environmentKind, shown.context.lastSteps, shown.context.nextSteps], ['payer', 'STAGING', [{ stepId: 'look', status: 'SUCCEEDED' }], ['end']]); // prettier-ignore
  await ask(deciding, 'decide', { id: ids.approval(await api.asked(id)), digest: shown.digest });
  assert.equal((await api.finished(id)).status, 'succeeded');
});

test('what waits is a list of what one may decide: not what one has asked for, nor what is decided', async () => {
  const { id } = await api.start(await api.agent([{ id: 'sign', approval: { title: 'Mine to decide?' } }]));
  const approval = ids.approval(await api.asked(id));
  const inbox = async (as: Caller) => (await ask(waiting, 'inbox', {}, as)).edges.map(({ node }: any) => node.id);
  const isThere = async (as: Caller) => (await inbox(as)).includes(approval);
  assert.deepEqual([await isThere(api.reviewer), await isThere(api.operator)], [true, false], 'the operator asks for it');
  assert.deepEqual(await inbox(await api.home.principal([['viewer', 'tenant', api.home.tenantId]])), []);
  await ask(deciding, 'decide', { id: approval, digest: (await ask(showing, 'show', { id: approval })).digest });
  assert.equal(await isThere(api.reviewer), false);
});

test('a file is shown line by line', async () => {
  const { id } = await api.start(await api.agent([{ id: 'write', tool: 'files.write', with: { path: 'a.md', content: 'one\ntwo' } }]));
  const { presentation } = await ask(showing, 'show', { id: ids.approval(await api.asked(id)) });
  assert.deepEqual(presentation.changes, [{ path: 'a.md', comparedWithStepId: null, lines: [{ kind: 'ADDED', text: 'one' }, { kind: 'ADDED', text: 'two' }] }]); // prettier-ignore
});

test('edited by one, approved by another; what the tool does not take is refused with every problem', async () => {
  const { id } = await api.start(await api.agent([pay]));
  const approval = ids.approval(await api.asked(id));
  const { digest } = await ask(showing, 'show', { id: approval });
  const wrong = await ask(editing, 'edit', { id: approval, digest, arguments: { amount: 5_000, to: 1 } }, editor);
  assert.deepEqual([wrong.code, wrong.problems.map(({ path }: { path: string }) => path).sort()], ['VALIDATION_FAILED', ['arguments.amount', 'arguments.to']]); // prettier-ignore
  const { approval: edited } = await ask(editing, 'edit', { id: approval, digest, arguments: { amount: 50, to: 'paypal' } }, editor);
  assert.deepEqual([edited.status, edited.isEdited, edited.arguments, edited.requestedArguments], ['PENDING', true, { amount: 50, to: 'paypal' }, { amount: 500, to: 'p\u0430ypal' }]); // prettier-ignore
  assert.equal((await ask(deciding, 'decide', { id: approval, digest: edited.digest }, editor)).code, 'FORBIDDEN');
  assert.equal((await ask(deciding, 'decide', { id: approval, digest })).code, 'CONFLICT');
  assert.equal((await ask(deciding, 'decide', { id: approval, digest: edited.digest })).approval.status, 'APPROVED');
  assert.equal((await api.finished(id)).status, 'succeeded');
  assert.deepEqual(api.calls.at(-1)!.args, { amount: 50, to: 'paypal' });
});

test('several are decided at once, each for itself, after a look at what could be', async () => {
  const agent = await api.agent([{ id: 'sign', approval: { title: 'Go on?' } }]);
  const [one, two] = [await api.start(agent), await api.start(agent)];
  const items = await Promise.all(
    [one, two].map(async ({ id }) => ({ approvalId: ids.approval(await api.asked(id)), decision: 'APPROVE' })),
  );
  const look = await ask(many, 'decideMany', { items, preflight: true });
  assert.deepEqual(look.results.map(({ approval, refusal }: any) => [approval.status, refusal]), [['PENDING', null], ['PENDING', null]]); // prettier-ignore
  await ask(deciding, 'decide', { id: items[0]!.approvalId, digest: (await ask(showing, 'show', { id: items[0]!.approvalId })).digest });
  const { results } = await ask(many, 'decideMany', { items });
  assert.deepEqual(results.map(({ approval, refusal }: any) => [approval?.status, refusal?.code ?? null]), [['APPROVED', 'CONFLICT'], ['APPROVED', null]]); // prettier-ignore
});

test('a delegate, and more time', async () => {
  const until = new Date(Date.now() + 7 * 86_400_000).toISOString();
  const { delegation } = await ask(absence, 'away', { delegate: toGlobalId('Principal', editor.principalId), until });
  assert.equal(delegation.to.id, toGlobalId('Principal', editor.principalId));
  assert.ok((await ask(absence, 'back', { delegation: delegation.id })).delegation.revokedAt);
  const { id } = await api.start(await api.agent([{ id: 'sign', approval: { title: 'Go on?' } }]));
  const { approval } = await ask(absence, 'moreTime', { id: ids.approval(await api.asked(id)), until });
  assert.equal(approval.expiresAt, until);
  assert.equal((await ask(absence, 'moreTime', { id: ids.approval(await api.asked(id)), until: '2020-01-01T00:00:00Z' })).code, 'VALIDATION_FAILED'); // prettier-ignore
});

test('a question is answered back into the execution', async () => {
  const sign = { id: 'sign_off', approval: { title: 'Go on?' } };
  const { id } = await api.start(await api.agent([sign], { output: '${{ steps.sign_off.output.answers[0].answer }}' }));
  const approval = ids.approval(await api.asked(id));
  const { question } = await ask(talking, 'ask', { id: approval });
  assert.equal((await ask(talking, 'answer', { question: question.id })).code, 'FORBIDDEN', 'not by a reviewer');
  assert.equal((await ask(talking, 'answer', { question: question.id }, api.operator)).answer.text, '2026-117');
  assert.equal((await ask(talking, 'answer', { question: question.id }, api.operator)).code, 'CONFLICT');
  const { comments } = await ask(talking, 'said', { id: approval });
  assert.deepEqual(comments.edges.map(({ node }: any) => [node.kind, node.question?.text ?? null]), [['ANSWER', 'Which invoice is this?'], ['QUESTION', null]]); // prettier-ignore
  const { digest } = await ask(showing, 'show', { id: approval });
  await ask(deciding, 'decide', { id: approval, digest });
  assert.equal((await api.finished(id)).output, '2026-117');
});

test('a webhook is told, and the receiver shown verifies it', { timeout: 30_000 }, async (t) => {
  const told = Promise.withResolvers<void>();
  const server = await foreignServer(t, (_request, response) => {
    response.writeHead(204).end();
    told.resolve();
  });
  const { secret, webhook } = await ask(registering, 'register', { url: `${server.origin}/` }, api.home.adminKey);
  const { id } = await api.start(await api.agent([{ id: 'sign', approval: { title: 'Go on?', risk: 'high' } }]));
  await told.promise;
  const { headers, body } = server.requests[0]!;
  const source = receiving.replace(/^import .*$/m, '').replace('export ', '');
  // oxlint-disable-next-line typescript/no-implied-eval -- the shown example is what is tested
  const messageFor = new Function('Webhook', `${source}; return messageFor;`)(Verifier) as (...args: unknown[]) => string;
  const approval = await api.asked(id);
  assert.equal(messageFor(secret, headers, body), `approval.requested: Go on? (risk high), ${toGlobalId('Approval', approval)}`);
  assert.throws(() => messageFor(secret, headers, body.replace('high', 'low')));
  const { webhooks } = await api.typed().webhooks({}).then((page) => ({ webhooks: page.edges.map(({ node }) => node) })); // prettier-ignore
  assert.equal(webhooks[0]!.id, webhook.id);
  await api.typed().deleteWebhook({ input: { webhookId: webhook.id } });
});

test('figures count what happened here', async () => {
  const figures = await ask(figuring, 'figures');
  assert.ok(figures.decided.approved >= 3);
  assert.ok(figures.pending.waits.count >= 1);
  const policy = figures.byPolicy.find(({ policy: each }: any) => each?.name === 'payments');
  assert.ok(policy.waits.medianMs >= 0);
  assert.ok(figures.byPolicy.some(({ isStep }: any) => isStep));
  assert.ok(figures.byApprover.some(({ approvals }: any) => approvals >= 3));
  assert.deepEqual(figures.bottlenecks[0].share, 100);
});
