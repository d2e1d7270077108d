// Outbound webhooks: told in the transaction of the event, signed as the Standard Webhooks library checks it, tried again, and never a way
// to decide.
import assert from 'node:assert/strict';
import { after, before, describe, it, type TestContext } from 'node:test';
import { Webhook as Verifier } from 'standardwebhooks';
import { toGlobalId } from '#schema/ids.ts';
import type { StepDefinition } from '#src/agents/definition.ts';
import {
  ConflictError,
  ForbiddenError,
  InvalidStateError,
  LimitExceededError,
  NotFoundError,
  ValidationError,
} from '#src/platform/errors.ts';
import type { OutboundRequest, OutboundResult } from '#src/outbound/outbound.ts';
import { newId } from '#src/platform/ids.ts';
import { createLogger } from '#src/platform/logger.ts';
import type { Authority } from '#src/authority/permission.ts';
import { createDelivery } from '#src/webhooks/deliver.ts';
import { tellWebhooks } from '#src/webhooks/tell.ts';
// prettier-ignore
import { apiId, newSecret, retryDelayMs, retryDelaysMs, rotated, signatureHeaders, validSecrets, webhookEvents, webhookLimits } from '#src/webhooks/webhook.ts';
import type { NewWebhook } from '#src/webhooks/webhook-service.ts';
import { foreignServer } from './harness/foreign-server.ts';
import { handEngine, type HandEngine } from './harness/hand-queue.ts';
import { verifySigned } from './harness/standard-webhooks.ts';

let engine: HandEngine;
let admin: Authority;
before(async () => {
  engine = await handEngine({}, { approvalPage: 'https://console.example.com/approvals/{id}' });
  admin = await engine.authority(['admin']);
});
after(() => engine.close());

const write = <T>(work: Parameters<typeof engine.db.database.write<T>>[1]) => engine.db.database.write(engine.tenantId, work);
const webhooks = () => engine.services.webhooks;
const sign: Partial<StepDefinition> = {
  id: 'sign',
  approval: { title: 'Pay?', reason: '', risk: 'high', expiresInMs: 3_600_000, show: { secret: 'hunter2' } },
};
const create = (change: Partial<NewWebhook> = {}, by = admin) =>
  write((uow) => webhooks().createWebhook(uow, by, { name: `w-${newId()}`, url: 'https://hooks.example.com/', events: [...webhookEvents], ...change })); // prettier-ignore
const remove = (webhookId: string) => write((uow) => webhooks().deleteWebhook(uow, admin, webhookId));
const deliveries = async (webhookId: string) => [...(await write((uow) => webhooks().deliveriesOf(uow, [webhookId], {})))[0]!.rows];
async function asked() {
  const { id } = await engine.start(await engine.agent([sign]));
  await engine.work();
  const [page] = await write((uow) => engine.services.approvals.approvalsOfExecutions(uow, admin, [id], {}));
  return { id, approval: page!.rows[0]! };
}
/** A receiver that answers with these statuses in turn, the last one for ever, and a webhook that tells it. */
async function receiver(t: TestContext, statuses: number[], change: Partial<NewWebhook> = {}) {
  const server = await foreignServer(t, (_request, response) => {
    response.writeHead(statuses.length > 1 ? statuses.shift()! : statuses[0]!, { location: 'https://elsewhere.example.com/' }).end();
  });
  const { webhook, secret } = await create({ url: `${server.origin}/hook`, ...change });
  t.after(() => remove(webhook.id).catch(() => undefined));
  return { server, webhook, secret };
}

describe('a webhook', () => {
  it('is told what happens to an approval, signed, without the arguments, with a page to open', async (t) => {
    const { server, webhook, secret } = await receiver(t, [204]);
    const { id, approval } = await asked();
    await write((uow) => engine.services.approvals.decide(uow, engine.reviewer, { approvalId: approval.id, decision: 'approve' }));
    await engine.work();
    assert.deepEqual(server.requests.map(({ method, url }) => `${method} ${url}`), ['POST /hook', 'POST /hook']); // prettier-ignore
    const [requested, decided] = server.requests.map((request) => verifySigned(secret, request));
    assert.deepEqual([requested.type, decided.type], ['approval.requested', 'approval.decided']);
    assert.deepEqual([requested.data.approvalId, requested.data.executionId], [toGlobalId('Approval', approval.id), toGlobalId('Execution', id)]); // prettier-ignore
    assert.deepEqual([requested.data.title, requested.data.risk, requested.data.digest, requested.data.stage], ['Pay?', 'high', approval.digest, { number: 1, of: 1, name: null, quorum: 1 }]); // prettier-ignore
    assert.equal(requested.data.page, `https://console.example.com/approvals/${encodeURIComponent(toGlobalId('Approval', approval.id))}`);
    assert.deepEqual([decided.data.status, decided.data.decidedBy], ['approved', toGlobalId('Principal', engine.reviewer.principalId)]);
    assert.ok(!server.requests.some(({ body }) => body.includes('hunter2')));
    const rows = await deliveries(webhook.id);
    assert.deepEqual(rows.map(({ event, status, attempts }) => [event, status, attempts]), [['approval.decided', 'delivered', 1], ['approval.requested', 'delivered', 1]]); // prettier-ignore
    assert.equal(server.requests[0]!.headers['webhook-id'], rows[1]!.id);
    for (const wrong of [
      { body: `${server.requests[0]!.body} ` },
      { headers: { ...server.requests[0]!.headers, 'webhook-id': newId() } },
    ]) {
      assert.throws(() => verifySigned(secret, { ...server.requests[0]!, ...wrong }));
    }
  });

  it('hears only of what it asked for, and nothing while it is switched off', async (t) => {
    const { server, webhook, secret } = await receiver(t, [200], {
      events: ['approval.cancelled', 'approval.expired', 'approval.expired'],
    });
    const one = await asked();
    await engine.cancel(one.id);
    await asked();
    await engine.work();
    engine.clock.advance(3_600_000);
    await engine.work();
    assert.deepEqual(server.requests.map((request) => verifySigned(secret, request).type), ['approval.cancelled', 'approval.expired']); // prettier-ignore
    await write((uow) => webhooks().updateWebhook(uow, admin, { webhookId: webhook.id, enabled: false }));
    await engine.cancel((await asked()).id);
    await engine.work();
    assert.equal(server.requests.length, 2);
  });

  it('that is switched off ends what is to be tried again; switched on, that can be sent', async (t) => {
    const { server, webhook } = await receiver(t, [500, 200], { events: ['approval.requested'] });
    const enable = (enabled: boolean) => write((uow) => webhooks().updateWebhook(uow, admin, { webhookId: webhook.id, enabled }));
    await asked();
    await engine.work();
    await enable(false);
    engine.clock.advance(60_000);
    await engine.work();
    const [ended] = await deliveries(webhook.id);
    assert.deepEqual([ended!.status, server.requests.length], ['failed', 1]);
    assert.match(ended!.lastError!, /switched off/);
    const again = () => write((uow) => webhooks().redeliver(uow, admin, ended!.id));
    await assert.rejects(again(), InvalidStateError);
    await enable(true);
    await again();
    await engine.work();
    assert.deepEqual([(await deliveries(webhook.id))[0]!.status, server.requests.length], ['delivered', 2]);
  });

  it('of an archived tenant hears nothing; restored, at once what had waited, tries that were to come later included', async (t) => {
    const { server, webhook } = await receiver(t, [500, 200], { events: ['approval.requested'] });
    const operator: Authority = { ...admin, tenantId: newId(), isOperatorTenant: true };
    const tenant = { tenantId: engine.tenantId };
    await asked();
    await engine.work();
    await write((uow) => engine.services.tenantArchive.archiveTenant(uow, operator, tenant));
    await asked();
    engine.clock.advance(3_600_000);
    await engine.work();
    const statuses = async () => (await deliveries(webhook.id)).map(({ status }) => status);
    assert.deepEqual([await statuses(), server.requests.length], [['pending', 'pending'], 1]);
    await write((uow) => engine.services.tenantArchive.restoreTenant(uow, operator, tenant));
    await engine.work();
    assert.deepEqual([await statuses(), server.requests.length], [['delivered', 'delivered'], 3]);
  });

  it('that is removed takes its deliveries along, and nothing is sent any more', async (t) => {
    const { server, webhook } = await receiver(t, [500], { events: ['approval.requested'] });
    await asked();
    await engine.work();
    const before = server.requests.length;
    await remove(webhook.id);
    assert.deepEqual(await deliveries(webhook.id), []);
    engine.clock.advance(60_000);
    await engine.work();
    await asked();
    await engine.work();
    assert.equal(server.requests.length, before);
    await assert.rejects(remove(webhook.id), NotFoundError);
  });

  it('is told of a policy that fell back, signed, without a page of an approval to open', async (t) => {
    const { server, secret } = await receiver(t, [200], { events: ['policy.fell_back'] });
    await write((uow) => Promise.resolve(tellWebhooks(uow, 'policy.fell_back', [{ name: 'no-mail', version: 2 }], engine.clock.now())));
    await engine.work();
    const [told] = server.requests.map((request) => verifySigned(secret, request));
    assert.deepEqual([server.requests.length, told.type, told.data], [1, 'policy.fell_back', { name: 'no-mail', version: 2 }]);
  });

  it('hears nothing of what was rolled back', async (t) => {
    const { server } = await receiver(t, [200]);
    const { approval } = await asked();
    await engine.work();
    const seen = server.requests.length;
    const fails = write(async (uow) => {
      await engine.services.approvals.decide(uow, engine.reviewer, { approvalId: approval.id, decision: 'reject' });
      throw new Error('rolled back');
    });
    await assert.rejects(fails, /rolled back/);
    await engine.work();
    assert.equal(server.requests.length, seen);
  });

  it('that fails is tried again with the same id, later and later, until it has failed for good', async (t) => {
    const { server, webhook } = await receiver(t, [500], { events: ['approval.requested'] });
    await asked();
    await engine.work();
    const moments = [engine.clock.now().getTime()];
    for (const delay of retryDelaysMs) {
      engine.clock.advance(delay * 0.94);
      await engine.work();
      assert.equal(server.requests.length, moments.length, 'not yet');
      engine.clock.advance(delay * 0.12);
      await engine.work();
      moments.push(engine.clock.now().getTime());
      assert.equal(server.requests.length, moments.length);
    }
    const [failed] = await deliveries(webhook.id);
    assert.deepEqual([failed!.status, failed!.attempts, failed!.lastError], ['failed', retryDelaysMs.length + 1, 'answered 500']);
    assert.equal(new Set(server.requests.map(({ headers }) => headers['webhook-id'])).size, 1);
    engine.clock.advance(30 * 86_400_000);
    await engine.work();
    assert.equal(server.requests.length, moments.length);
  });

  it('that comes back is told, and what had failed can be sent again', async (t) => {
    const { server, webhook } = await receiver(t, [503, 200], { events: ['approval.requested'] });
    await asked();
    await engine.work();
    engine.clock.advance(10_000);
    await engine.work();
    const [delivery] = await deliveries(webhook.id);
    assert.deepEqual([delivery!.status, delivery!.attempts, delivery!.lastError], ['delivered', 2, null]);
    const again = await write((uow) => webhooks().redeliver(uow, admin, delivery!.id));
    assert.deepEqual([again.status, again.attempts], ['pending', 0]);
    await assert.rejects(
      write((uow) => webhooks().redeliver(uow, admin, delivery!.id)),
      InvalidStateError,
    );
    await engine.work();
    assert.equal(server.requests.length, 3);
    assert.equal((await deliveries(webhook.id))[0]!.status, 'delivered');
  });

  it('that redirects, is gone, or leads into the operator’s network is not followed', async (t) => {
    const moved = await receiver(t, [302], { events: ['approval.requested'] });
    const gone = await receiver(t, [410], { events: ['approval.requested'] });
    const inside = await create({ url: 'http://10.0.0.1/', events: ['approval.requested'] });
    t.after(() => remove(inside.webhook.id));
    await asked();
    await engine.work();
    const errorOf = async (id: string) => (await deliveries(id))[0]!;
    assert.match((await errorOf(moved.webhook.id)).lastError!, /answered 302; redirects are not followed/);
    assert.equal((await errorOf(gone.webhook.id)).status, 'failed');
    assert.equal((await write((uow) => webhooks().webhooksByIds(uow, admin, [gone.webhook.id])))[0]!.enabled, false);
    const refused = await errorOf(inside.webhook.id);
    assert.deepEqual([refused.status, refused.attempts], ['pending', 1]);
    assert.match(refused.lastError!, /^10\.0\.0\.1 is refused \(private\)/);
  });

  it('whose process dies after sending is told again, with the same id; a late record changes nothing', async (t) => {
    const { server, webhook } = await receiver(t, [200], { events: ['approval.requested'] });
    await asked();
    const { id } = (await deliveries(webhook.id))[0]!;
    if ((await deliveries(webhook.id))[0]!.status === 'delivered') await write((uow) => webhooks().redeliver(uow, admin, id));
    const open = await write((uow) => webhooks().openDelivery(uow, id));
    await engine.work();
    await write((uow) => webhooks().recordAttempt(uow, open!, { kind: 'failed', reason: 'late', isGone: false }));
    assert.deepEqual((await deliveries(webhook.id)).map(({ status, lastError }) => [status, lastError]), [['delivered', null]]); // prettier-ignore
    assert.ok(server.requests.length > 0);
    assert.equal(await write((uow) => webhooks().openDelivery(uow, id)), null);
  });

  it('that is slow holds its part of a process only, and is given up after ten seconds like any failure', async (t) => {
    const { webhook } = await receiver(t, [200], { events: ['approval.requested'] });
    const { clock, db, tenantId } = engine;
    const asks = Promise.withResolvers<OutboundRequest>();
    const silent = Promise.withResolvers<OutboundResult>();
    const outbound = { fetch: (request: OutboundRequest) => (asks.resolve(request), silent.promise) };
    const deliver = createDelivery({ clock, database: db.database, webhooks: webhooks(), outbound, logger: createLogger({ level: 'silent' }), maxAtOnce: 1 }); // prettier-ignore
    const payloads: { tenantId: string; deliveryId: string }[] = [];
    for (const _ of [1, 2]) {
      await write(async (uow) => tellWebhooks(uow, 'approval.requested', [{ title: 'x' }], clock.now()));
      const told = (await deliveries(webhook.id)).find(({ id }) => payloads.every(({ deliveryId }) => deliveryId !== id))!;
      payloads.push({ tenantId, deliveryId: told.id });
    }
    const first = deliver(payloads[0]!);
    const { timeoutMs, maxRedirects, maxBytes } = await asks.promise;
    assert.deepEqual([timeoutMs, maxRedirects, maxBytes], [10_000, 0, 1_048_576]);
    await deliver(payloads[1]!);
    const before = await engine.later();
    assert.ok(before.includes(1_000), 'the other steps back');
    silent.resolve({ ok: false, code: 'OUTBOUND_TIMEOUT', message: 'no answer within 10 s', retryable: true, dispatched: true });
    await first;
    const [slow, other] = await Promise.all(
      payloads.map(async ({ deliveryId }) => (await deliveries(webhook.id)).find(({ id }) => id === deliveryId)),
    );
    assert.deepEqual([other!.attempts, slow!.attempts, slow!.status, slow!.lastError], [0, 1, 'pending', 'no answer within 10 s']);
    assert.ok(
      (await engine.later()).some((ms) => ms > 4_000 && ms < 6_000),
      'it is tried again',
    );
  });

  it('forgets deliveries that ended long ago', async (t) => {
    const { webhook } = await receiver(t, [200], { events: ['approval.requested'] });
    await asked();
    await engine.work();
    engine.clock.advance(webhookLimits.keptDays * 86_400_000 + 1);
    await asked();
    await engine.work();
    assert.equal((await deliveries(webhook.id)).length, 1);
  });

  it('gets a new secret, and for a day signatures by both', async (t) => {
    const { server, webhook, secret } = await receiver(t, [200], { events: ['approval.requested'] });
    const { secret: next } = await write((uow) => webhooks().rotateWebhookSecret(uow, admin, webhook.id));
    assert.notEqual(next, secret);
    await asked();
    await engine.work();
    for (const each of [secret, next]) assert.equal(verifySigned(each, server.requests[0]!).type, 'approval.requested');
    engine.clock.advance(webhookLimits.overlapMs);
    await asked();
    await engine.work();
    const last = server.requests.at(-1)!;
    assert.throws(() => verifySigned(secret, last));
    assert.equal(verifySigned(next, last).type, 'approval.requested');
    const [stored] = await write((uow) => uow.rows<{ secret: string }>('select secret from webhooks where id = $1', [webhook.id]));
    assert.ok(!stored!.secret.includes(next.slice(6, 20)));
  });

  it('signs by each replaced secret for its own day, and refuses one more than can sign', async (t) => {
    const { server, webhook, secret: first } = await receiver(t, [200], { events: ['approval.requested'] });
    const rotate = async () => (await write((uow) => webhooks().rotateWebhookSecret(uow, admin, webhook.id))).secret;
    const second = await rotate();
    engine.clock.advance(webhookLimits.overlapMs / 2);
    const third = await rotate();
    await asked();
    await engine.work();
    for (const each of [first, second, third]) verifySigned(each, server.requests.at(-1)!);
    engine.clock.advance(webhookLimits.overlapMs / 2);
    await asked();
    await engine.work();
    for (const each of [second, third]) verifySigned(each, server.requests.at(-1)!);
    assert.throws(() => verifySigned(first, server.requests.at(-1)!));
    for (let kept = 1; kept < webhookLimits.previousSecrets; kept += 1) await rotate();
    const until = new Date(engine.clock.now().getTime() + webhookLimits.overlapMs / 2).toISOString();
    await assert.rejects(rotate(), (error: Error) => error instanceof InvalidStateError && error.message.includes(`after ${until}`));
    engine.clock.advance(webhookLimits.overlapMs / 2);
    await rotate();
  });

  it('keeps the day of a secret that was replaced when only one was kept', () => {
    const previous = { secret: newSecret(), until: new Date(1_000).toISOString() };
    const stored = { current: newSecret(), previous };
    assert.deepEqual(validSecrets(stored, new Date(999)), [stored.current, previous.secret]);
    assert.deepEqual(validSecrets(rotated(stored, new Date(999)), new Date(999)).slice(1), [stored.current, previous.secret]);
    assert.deepEqual(validSecrets(stored, new Date(1_000)), [stored.current]);
  });
});

describe('managing webhooks', () => {
  it('is for admins of the tenant; to everybody else they do not exist', async (t) => {
    const { webhook } = await create();
    t.after(() => remove(webhook.id));
    const others = [engine.operator, engine.reviewer, { ...admin, grants: [{ role: 'admin', kind: 'project', scopeId: engine.projectId }] } as Authority]; // prettier-ignore
    for (const by of others) {
      await assert.rejects(create({}, by), ForbiddenError);
      await assert.rejects(
        write((uow) => webhooks().updateWebhook(uow, by, { webhookId: webhook.id, enabled: false })),
        ForbiddenError,
      );
      await assert.rejects(
        write((uow) => webhooks().rotateWebhookSecret(uow, by, webhook.id)),
        ForbiddenError,
      );
      await assert.rejects(
        write((uow) => webhooks().deleteWebhook(uow, by, webhook.id)),
        ForbiddenError,
      );
      await assert.rejects(
        write((uow) => webhooks().redeliver(uow, by, newId())),
        ForbiddenError,
      );
      assert.deepEqual(await write((uow) => webhooks().webhooksByIds(uow, by, [webhook.id])), []);
      assert.deepEqual((await write((uow) => webhooks().listWebhooks(uow, by, {}))).rows, []);
    }
    for (const id of [newId(), 'nonsense']) {
      await assert.rejects(
        write((uow) => webhooks().deleteWebhook(uow, admin, id)),
        NotFoundError,
      );
      await assert.rejects(
        write((uow) => webhooks().redeliver(uow, admin, id)),
        NotFoundError,
      );
    }
  });

  it('refuses what cannot work, every problem at once, and more than the limit', async (t) => {
    const bad = create({ name: ' ', url: 'ftp://x', events: [] });
    await assert.rejects(bad, (error: Error) => error instanceof ValidationError && error.problems.map(({ path }) => path).join() === 'name,url,events'); // prettier-ignore
    for (const url of ['https://user:pass@example.com/', 'https://example.com/#x', 'not a url'])
      await assert.rejects(create({ url }), ValidationError);
    await assert.rejects(create({ name: 'x'.repeat(webhookLimits.nameLength + 1) }), ValidationError);
    const made = [await create({ name: 'x'.repeat(webhookLimits.nameLength) })];
    await assert.rejects(create({ name: made[0]!.webhook.name }), ConflictError);
    while (made.length < webhookLimits.perTenant) made.push(await create());
    await assert.rejects(create(), LimitExceededError);
    t.after(async () => void (await Promise.all(made.map(({ webhook }) => remove(webhook.id)))));
  });
});

it('signatures are those of the Standard Webhooks library, and ids those of the API', () => {
  const secret = `whsec_${Buffer.from('a secret of some length, 32 bytes').toString('base64')}`;
  const signed = { id: 'msg_1', at: new Date('2026-11-21T10:00:00.900Z'), body: '{"a":"é"}' };
  assert.equal(signatureHeaders([secret], signed)['webhook-signature'], new Verifier(secret).sign(signed.id, signed.at, signed.body));
  const id = newId();
  assert.equal(apiId('Approval', id), toGlobalId('Approval', id));
  assert.deepEqual([retryDelayMs(1, 0), retryDelayMs(1, 0.5), retryDelayMs(retryDelaysMs.length + 1, 0)], [4_750, 5_000, null]);
});
