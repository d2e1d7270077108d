// The relay from the feed to signed webhooks, turned by hand: envelope, order, filters, retries, dead letters, secrets, pause.
import assert from 'node:assert/strict';
import { after, before, describe, it, type TestContext } from 'node:test';
import { CloudEvent, HTTP } from 'cloudevents';
import { toGlobalId } from '#schema/ids.ts';
import { envelopeOf } from '#src/eventbus/cloud-event.ts';
import type { NewEventSink } from '#src/eventbus/event-sink-service.ts';
import { eventDelayMs, healthOf, sinkDelayMs, sinkLimits } from '#src/eventbus/event-sink.ts';
import { countDeliveries } from '#src/eventbus/relay-record.ts';
import { createTurns } from '#src/eventbus/relay-turns.ts';
import { tenantCursor } from '#src/events/cursor.ts';
import type { Database, UnitOfWork } from '#src/platform/database.ts';
import { CursorExpiredError, InvalidCursorError, ValidationError } from '#src/platform/errors.ts';
import { newId } from '#src/platform/ids.ts';
import type { Authority } from '#src/authority/permission.ts';
import { webhookLimits } from '#src/webhooks/webhook.ts';
import { eventBus, turnableClock, type Bus, type BusTenant } from './harness/event-bus.ts';
import { foreignServer, type ForeignServer } from './harness/foreign-server.ts';
import { verifySigned } from './harness/standard-webhooks.ts';

const clock = turnableClock();
let bus: Bus;
let relay: ReturnType<Bus['relay']>;
before(async () => {
  bus = await eventBus(clock);
  relay = bus.relay();
});
after(() => bus.close());

const work = async () => {
  await bus.settle();
  await relay.work();
};
const sinks = () => bus.services.eventSinks;
const create = (tenant: BusTenant, change: Partial<NewEventSink> = {}) =>
  tenant.write((uow) => sinks().createEventSink(uow, tenant.admin, { name: `s-${newId()}`, url: 'https://hooks.example.com/', ...change }));
const idOf = ({ body }: { body: string }): string => JSON.parse(body).id;
const idsOf = (server: ForeignServer) => server.requests.map(idOf);
const health = async (tenant: BusTenant, id: string) => (await tenant.write((uow) => sinks().healthOfSinks(uow, [id])))[0]!;
const deliveries = async (tenant: BusTenant, id: string) =>
  (await tenant.write((uow) => sinks().eventDeliveriesOf(uow, [id], {})))[0]!.rows;

/** A tenant with one sink at a server that answers each event with the status that `answer` gives. */
async function receiver(t: TestContext, answer: (id: string) => number = () => 204, change: Partial<NewEventSink> = {}) {
  const tenant = await bus.tenant();
  const server = await foreignServer(t, (_request, response, body) => void response.writeHead(answer(JSON.parse(body).id)).end());
  const { eventSink, secret } = await create(tenant, { url: `${server.origin}/events`, ...change });
  t.after(() => tenant.write((uow) => sinks().deleteEventSink(uow, tenant.admin, eventSink.id)).catch(() => undefined));
  return { tenant, server, secret, id: eventSink.id };
}

describe('what is sent', () => {
  it('is a CloudEvent, signed as the Standard Webhooks library checks it, with ids of the API', async (t) => {
    const { tenant, server, secret } = await receiver(t);
    const execution = newId();
    await tenant.emit(execution, 2);
    await work();
    assert.deepEqual(idsOf(server), [`${execution}:1`, `${execution}:2`]);
    const request = server.requests[1]!;
    assert.equal(verifySigned(secret, request).type, 'dev.signalbox.execution.started');
    assert.throws(() => verifySigned(secret, { ...request, body: `${request.body} ` }));
    assert.equal(request.headers['webhook-id'], `${execution}:2`);
    const event = HTTP.toEvent({ headers: request.headers, body: request.body }) as CloudEvent<any>;
    assert.ok(event.validate());
    assert.deepEqual([event.source, event.subject, event['partitionkey'], event['tenantid']], [`/tenants/${tenant.id}`, `executions/${execution}`, execution, toGlobalId('Tenant', tenant.id)]); // prettier-ignore
    assert.deepEqual(event.data, { executionId: toGlobalId('Execution', execution), sequence: 2 });
  });

  it('shows payloads as the API does: global ids, null where no step or item is meant', () => {
    const [tenantId, executionId, approvalId, projectId, decidedBy] = [newId(), newId(), newId(), newId(), newId()];
    const event = { tenantId, executionId, sequence: 7, occurredAt: new Date(0), transactionId: '1', projectId, environmentId: null };
    const data = { stepId: '', itemIndex: -1, approvalId, decidedBy };
    const parsed = JSON.parse(envelopeOf({ ...event, type: 'approval.approved', data }).body);
    assert.ok(new CloudEvent(parsed).validate());
    assert.equal(parsed.projectid, toGlobalId('Project', projectId));
    assert.equal('environmentid' in parsed, false);
    assert.deepEqual(parsed.data, {
      ...{ executionId: toGlobalId('Execution', executionId), sequence: 7, stepId: null, itemIndex: null },
      ...{ approvalId: toGlobalId('Approval', approvalId), decidedBy: toGlobalId('Principal', decidedBy) },
    });
  });

  it('begins now, or with the first event when asked; nothing that an open transaction may still precede', async (t) => {
    const { tenant, server } = await receiver(t);
    const execution = newId();
    const early = await bus.tenant();
    await early.emit(execution, 3);
    const all = await foreignServer(t, (_request, response) => void response.writeHead(200).end());
    const later = await foreignServer(t, (_request, response) => void response.writeHead(200).end());
    await create(early, { url: all.origin, from: 'beginning' });
    await create(early, { url: later.origin });
    await early.emit(execution, 1);
    await bus.db.database.write(tenant.id, async (uow) => {
      await uow.rows('select pg_current_xact_id()');
      await tenant.emit(newId());
      await relay.work();
      assert.equal(server.requests.length, 0);
    });
    await work();
    assert.deepEqual([server.requests.length, idsOf(all).map((id) => id.split(':')[1]), idsOf(later)], [1, ['1', '2', '3', '4'], [`${execution}:4`]]); // prettier-ignore
  });

  it('begins behind a cursor of tenantEvents; one of another stream, or ahead of all history, is refused', async () => {
    const tenant = await bus.tenant();
    const execution = newId();
    await tenant.emit(execution, 3);
    await bus.settle();
    const { epoch, rows } = await tenant.write(async (uow) => ({
      epoch: await bus.services.events.epoch(uow),
      rows: await bus.services.events.tenantAfter(uow, { transactionId: '0', executionId: execution, sequence: 0 }, 10),
    }));
    const { eventSink } = await create(tenant, { after: tenantCursor('tenant', epoch, rows[0]!) });
    assert.equal((await health(tenant, eventSink.id)).lagEvents, 2);
    const refused = (input: Partial<NewEventSink>, kind: new (...args: never[]) => Error) => assert.rejects(create(tenant, input), kind);
    await refused({ after: tenantCursor('audit', epoch, rows[0]!) }, InvalidCursorError);
    await refused({ after: tenantCursor('tenant', newId(), rows[0]!) }, CursorExpiredError);
    await refused({ after: tenantCursor('tenant', epoch, { ...rows[0]!, transactionId: '999999999' }) }, CursorExpiredError);
    await refused({ after: tenantCursor('tenant', epoch, rows[0]!), from: 'now' }, ValidationError);
  });

  it('is what the sink wants: types, and never what happens in another tenant', async (t) => {
    const { tenant, server } = await receiver(t, undefined, { types: ['execution.succeeded'] });
    const other = await receiver(t);
    await tenant.emit(newId(), 3);
    const wanted = newId();
    await tenant.emit(wanted, 1, 'execution.succeeded');
    await work();
    assert.deepEqual(idsOf(server), [`${wanted}:1`]);
    assert.equal(other.server.requests.length, 0);
    assert.equal((await health(tenant, (await deliveriesSink(tenant)).id)).lagEvents, 0);
  });

  it('is what happens in its project and environment only', async (t) => {
    const tenant = await bus.tenant();
    const [project, environment, elsewhere, agent, inside, outside] = Array.from({ length: 6 }, newId) as [string, string, string, string, string, string]; // prettier-ignore
    await tenant.write(async (uow) => {
      await uow.rows(`insert into projects (id, tenant_id, name, created_at) values ($1, $2, 'p', now())`, [project, tenant.id]);
      for (const [id, name] of [[environment, 'a'], [elsewhere, 'b']]) await uow.rows(`insert into environments (id, tenant_id, project_id, name, kind, created_at) values ($1, $2, $3, $4, 'staging', now())`, [id, tenant.id, project, name]); // prettier-ignore
    });
    for (const [id, place] of [[inside, environment], [outside, elsewhere]]) await tenant.write((uow) => uow.rows(`insert into executions (id, tenant_id, project_id, environment_id, agent_id, agent_version_id, status, inputs, labels, request_digest, requested_by, requested_roles, created_at) values ($1, $2, $3, $4, $5, $5, 'queued', '{}', '{}', '', $5, '{}', now())`, [id, tenant.id, project, place, agent])); // prettier-ignore
    const server = await foreignServer(t, (_request, response) => void response.writeHead(200).end());
    await create(tenant, { url: server.origin, projectId: project, environmentId: environment });
    for (const execution of [outside, inside, newId()]) await tenant.emit(execution);
    await work();
    assert.deepEqual(idsOf(server), [`${inside}:1`]);
    assert.equal(JSON.parse(server.requests[0]!.body).environmentid, toGlobalId('Environment', environment));
  });
});

const deliveriesSink = async (tenant: BusTenant) => (await tenant.write((uow) => sinks().listEventSinks(uow, tenant.admin, {}))).rows[0]!;

describe('an event that is not taken', () => {
  it('holds up its execution alone, is tried again with the same id, later and later, and then all follows in order', async (t) => {
    const [poor, fine] = [newId(), newId()];
    let refuse = true;
    const { tenant, server, id } = await receiver(t, (event) => (refuse && event === `${poor}:2` ? 400 : 200));
    for (const count of [3, 2]) for (const execution of [poor, fine]) await tenant.emit(execution, count);
    await work();
    const of = (execution: string) => idsOf(server).filter((each) => each.startsWith(execution)).map((each) => Number(each.split(':')[1])); // prettier-ignore
    assert.deepEqual([of(fine), of(poor)], [[1, 2, 3, 4, 5], [1, 2]]); // prettier-ignore
    const [held] = await deliveries(tenant, id);
    assert.deepEqual([held!.status, held!.sequence, held!.attempts, held!.lastError], ['pending', 2, 1, 'answered 400']);
    const standing = await health(tenant, id);
    assert.deepEqual([standing.health, standing.lagEvents, standing.pendingExecutions], ['retrying', 4, 1]);
    clock.advance(eventDelayMs(1, 0.5) * 0.9);
    await work();
    assert.deepEqual(of(poor), [1, 2], 'not yet');
    clock.advance(eventDelayMs(1, 0.5));
    await work();
    clock.advance(eventDelayMs(2, 0.5) * 0.5);
    await work();
    assert.deepEqual(of(poor), [1, 2, 2], 'later than before');
    refuse = false;
    await tenant.emit(poor, 1);
    clock.advance(eventDelayMs(2, 0.5));
    await work();
    assert.deepEqual(of(poor), [1, 2, 2, 2, 3, 4, 5, 6]);
    assert.deepEqual([(await deliveries(tenant, id)).length, (await health(tenant, id)).health], [0, 'healthy']);
  });

  it('is given up after its attempts; what follows goes on; it is sent again when asked, alone or with all others', async (t) => {
    const [one, two] = [newId(), newId()];
    let refuse = true;
    const { tenant, server, id } = await receiver(t, (event) => (refuse && event.endsWith(':2') ? 422 : 200), { maxAttempts: 2 });
    for (const execution of [one, two]) await tenant.emit(execution, 3);
    await work();
    assert.equal(idsOf(server).filter((each) => each.endsWith(':3')).length, 0);
    clock.advance(60_000);
    await work();
    assert.equal(idsOf(server).filter((each) => each.endsWith(':3')).length, 2);
    const dead = await deliveries(tenant, id);
    assert.deepEqual(dead.map(({ status, sequence, attempts, lastError }) => [status, sequence, attempts, lastError]), [['dead_lettered', 2, 2, 'answered 422'], ['dead_lettered', 2, 2, 'answered 422']]); // prettier-ignore
    assert.deepEqual([(await health(tenant, id)).deadLetters, (await health(tenant, id)).lagEvents], [2, 0]);
    const sent = server.requests.length;
    clock.advance(86_400_000);
    await work();
    assert.equal(server.requests.length, sent, 'for good');
    const again = await tenant.write((uow) => sinks().redeliverEvent(uow, tenant.admin, dead[0]!.id));
    assert.equal(again.status, 'redelivering');
    await work();
    clock.advance(60_000);
    await work();
    assert.equal((await deliveries(tenant, id)).filter(({ status }) => status === 'dead_lettered').length, 2, 'given up once more');
    refuse = false;
    const { redelivering, hasMore } = await tenant.write((uow) => sinks().redeliverEvents(uow, tenant.admin, id));
    await work();
    assert.equal(hasMore, false);
    assert.deepEqual([redelivering, (await deliveries(tenant, id)).length, server.requests.length], [2, 0, sent + 4]);
  });

  it('is given up when it has waited too long, whatever the reason; the sink itself is asked with one event at a time', async (t) => {
    const { tenant, server, id } = await receiver(t, () => 503, { maxAgeSeconds: 60 });
    for (let i = 0; i < 12; i += 1) await tenant.emit(newId());
    await work();
    const first = server.requests.length;
    assert.ok(first <= sinkLimits.concurrency, `${first} at once`);
    assert.deepEqual([(await health(tenant, id)).failures, (await deliveries(tenant, id)).length], [1, 12]);
    await work();
    assert.equal(server.requests.length, first, 'it is left alone for a while');
    for (let failures = 1; failures < 3; failures += 1) {
      clock.advance(sinkDelayMs(failures, 0.5));
      await work();
    }
    assert.equal(server.requests.length, first + 2);
    assert.deepEqual([(await health(tenant, id)).health, (await health(tenant, id)).lastError], ['failing', 'answered 503']);
    const dead = async () => (await deliveries(tenant, id)).filter(({ status }) => status === 'dead_lettered').length;
    for (let round = 0; round < 40 && (await dead()) < 12; round += 1) {
      clock.advance(61_000);
      await work();
    }
    assert.deepEqual([await dead(), (await health(tenant, id)).lagEvents], [12, 0]);
  });

  for (const kind of ['are not wanted', 'wait for it'] as const) {
    it(`is all that a failing sink is asked with, in its time, while events come that ${kind}: it fails on until something is taken`, async (t) => {
      let up = false;
      const { tenant, server, id } = await receiver(t, () => (up ? 200 : 503), { types: ['execution.succeeded'] });
      // The event waits as long as it can, the sink half as long: it may be asked before there is something to ask it with.
      const spreads = [1, 0];
      const unequal = bus.relay({}, { random: () => (spreads.push(spreads.shift()!), spreads.at(-1)!) });
      const turn = async () => {
        await bus.settle();
        await unequal.work();
      };
      const execution = newId();
      await tenant.emit(execution, 1, 'execution.succeeded');
      await turn();
      for (let failures = 1; failures < 5; failures += 1) {
        const asked = server.requests.length;
        if (kind === 'wait for it') await tenant.emit(execution, 3, 'execution.succeeded');
        else await tenant.emit(newId(), 3);
        clock.advance(sinkDelayMs(failures, 0));
        await turn();
        const { failures: known, retryAt, lagEvents } = await health(tenant, id);
        assert.deepEqual([server.requests.length, known, retryAt, lagEvents], [asked, failures, clock.now(), kind === 'wait for it' ? 1 + 3 * failures : 1]); // prettier-ignore
        const [sink] = await bus.rows('select from event_sinks where id = $1 and eventbus.has_news(event_sinks)', [id]);
        assert.equal(sink, undefined, 'it has read on');
        clock.advance(eventDelayMs(failures, 1) - sinkDelayMs(failures, 0));
        await turn();
        assert.deepEqual([server.requests.length, (await health(tenant, id)).failures], [asked + 1, failures + 1]);
      }
      assert.equal((await health(tenant, id)).health, 'failing');
      clock.advance(sinkDelayMs(5, 0));
      for (let i = 0; i < 2; i += 1) await tenant.emit(newId(), 1, 'execution.started');
      const other = [newId(), newId()];
      for (const each of other) await tenant.emit(each, 1, 'execution.succeeded');
      const asked = server.requests.length;
      await turn();
      assert.deepEqual([idsOf(server).slice(asked), (await health(tenant, id)).failures], [[`${other[0]}:1`], 6], 'one, behind unwanted ones'); // prettier-ignore
      up = true;
      clock.advance(120_000);
      await turn();
      const standing = await health(tenant, id);
      assert.deepEqual([standing.health, standing.failures, standing.retryAt, standing.lagEvents], ['healthy', 0, null, 0]);
      await unequal.stop();
    });
  }

  it('is sent again with a thousand others at a time, the oldest first, so that nobody waits for long', async () => {
    const tenant = await bus.tenant();
    const { id } = (await create(tenant)).eventSink;
    const newest = newId();
    for (const [count, execution] of [[sinkLimits.redelivered, null], [1, newest]] as const) await bus.rows(
      `insert into event_deliveries (id, tenant_id, sink_id, event_tenant_id, execution_id, sequence, type, status, attempts, created_at, dead_lettered_at)
       select uuidv7(), $1, $2, $1, coalesce($4::uuid, gen_random_uuid()), 1, 'execution.started', 'dead_lettered', 50, now(), now() from generate_series(1, $3::int)`,
      [tenant.id, id, count, execution]); // prettier-ignore
    const again = () => tenant.write((uow) => sinks().redeliverEvents(uow, tenant.admin, id));
    const first = await again();
    assert.deepEqual([first.redelivering, first.hasMore], [sinkLimits.redelivered, true]);
    const left = await bus.rows(`select execution_id from event_deliveries where sink_id = $1 and status = 'dead_lettered'`, [id]);
    assert.deepEqual(left, [{ execution_id: newest }]);
    for (const count of [1, 0]) {
      const { redelivering, hasMore } = await again();
      assert.deepEqual([redelivering, hasMore], [count, false]);
    }
    await tenant.write((uow) => sinks().deleteEventSink(uow, tenant.admin, id));
  });

  it('and was given up is kept for thirty days', async (t) => {
    const { tenant, id } = await receiver(t, (event) => (event.endsWith(':1') ? 400 : 200), { maxAttempts: 1 });
    const [execution, later] = [newId(), newId()];
    await tenant.emit(execution);
    await work();
    const dead = async () => (await deliveries(tenant, id)).map((each) => each.executionId);
    clock.advance(sinkLimits.keptDays * 86_400_000);
    await tenant.emit(later);
    await work();
    assert.deepEqual(await dead(), [later, execution]);
    clock.advance(1);
    await tenant.emit(later);
    await work();
    assert.deepEqual(await dead(), [later]);
  });

  it('and was given up is not read any more when others are due', async () => {
    const tenant = await bus.tenant();
    const { id } = (await create(tenant)).eventSink;
    for (const [count, status] of [[5_000, 'dead_lettered'], [3, 'pending'], [3, 'redelivering']] as const) await bus.rows(
      `insert into event_deliveries (id, tenant_id, sink_id, event_tenant_id, execution_id, sequence, type, status, attempts, created_at, next_attempt_at)
       select uuidv7(), $1, $2, $1, gen_random_uuid(), 1, 'execution.started', $4, 50, now(), now() from generate_series(1, $3::int)`,
      [tenant.id, id, count, status]); // prettier-ignore
    await bus.rows('analyze event_deliveries');
    const [owner, plans, written] = [newId(), [] as string[], [] as Promise<void>[]];
    await bus.rows('update event_sinks set lease_owner = $2 where id = $1', [id, owner]);
    const explaining = (uow: UnitOfWork): UnitOfWork => {
      const explain = async (sql: string, params?: readonly unknown[]) =>
        void plans.push((await uow.rows<Record<string, string>>(`explain analyze ${sql}`, params)).map((line) => line['QUERY PLAN']).join('\n')); // prettier-ignore
      const rows: UnitOfWork['rows'] = async (sql, params) => {
        await explain(sql, params);
        return uow.rows(sql, params);
      };
      return { ...uow, rows, write: (sql, params) => void written.push(explain(sql, params)) };
    };
    const database: Database = {
      ...bus.db.database,
      read: (tenantId, read) => bus.db.database.read(tenantId, (uow) => read(explaining(uow))),
    };
    const turn = await createTurns({ database, pool: { query: () => assert.fail() } as never, owner }).next({ id, tenantId: tenant.id, fence: 0 }, clock.now()); // prettier-ignore
    await tenant.write(async (uow) => {
      countDeliveries(explaining(uow), id);
      await Promise.all(written);
    });
    const [row] = await bus.rows('select pending from event_sinks where id = $1', [id]);
    assert.deepEqual([turn!.lines.length, row], [6, { pending: 3 }]);
    const text = plans.join('\n');
    assert.match(text, /using event_deliveries_due/);
    assert.doesNotMatch(text, /Seq Scan on event_deliveries|Rows Removed by Filter: \d{3}/);
    await tenant.write((uow) => sinks().deleteEventSink(uow, tenant.admin, id));
  });

  it('does not stop the sink that comes back: everything arrives, in order, and it is healthy', async (t) => {
    let up = false;
    const { tenant, server, id } = await receiver(t, () => (up ? 200 : 503));
    const executions = Array.from({ length: 10 }, newId);
    for (let round = 0; round < 30; round += 1) await tenant.emit(executions[round % 10]!);
    await work();
    clock.advance(60_000);
    await work();
    up = true;
    const before = server.requests.length;
    clock.advance(60_000);
    await work();
    const taken = server.requests.slice(before).map(idOf);
    assert.equal(new Set(taken).size, 30);
    for (const execution of executions) assert.deepEqual(taken.filter((each) => each.startsWith(execution)), [1, 2, 3].map((n) => `${execution}:${n}`)); // prettier-ignore
    assert.deepEqual([(await health(tenant, id)).health, (await health(tenant, id)).lagEvents], ['healthy', 0]);
  });

  it('by a receiver that is gone pauses the sink with the reason; one that leads inside is never reached', async (t) => {
    const gone = await receiver(t, () => 410);
    const inside = await receiver(t, undefined, { url: 'http://10.0.0.1/' });
    for (const { tenant } of [gone, inside]) await tenant.emit(newId());
    await work();
    const paused = await deliveriesSink(gone.tenant);
    assert.deepEqual([paused.status, /never listen again/.test(paused.pausedReason!)], ['paused', true]);
    assert.match((await health(inside.tenant, inside.id)).lastError!, /^10\.0\.0\.1 is refused \(private\)/);
  });
});

describe('a sink', () => {
  it('whose secret is replaced twice within a day gets signatures by all three', async (t) => {
    const { tenant, server, secret, id } = await receiver(t);
    const rotate = async () => (await tenant.write((uow) => sinks().rotateEventSinkSecret(uow, tenant.admin, id))).secret;
    const all = [secret, await rotate(), await rotate()];
    await tenant.emit(newId());
    await work();
    for (const each of all) assert.equal(verifySigned(each, server.requests[0]!).specversion, '1.0');
  });

  it('that is paused gets nothing, and all of it once it is resumed; removed, nothing any more', async (t) => {
    const { tenant, server, id } = await receiver(t);
    const execution = newId();
    await tenant.write((uow) => sinks().pauseEventSink(uow, tenant.admin, id, 'holidays'));
    await tenant.emit(execution, 2);
    await work();
    assert.deepEqual([server.requests.length, (await health(tenant, id)).health, (await health(tenant, id)).lagEvents], [0, 'paused', 2]);
    await tenant.write((uow) => sinks().resumeEventSink(uow, tenant.admin, id));
    await work();
    assert.equal(server.requests.length, 2);
    await tenant.write((uow) => sinks().deleteEventSink(uow, tenant.admin, id));
    await tenant.emit(execution, 2);
    await work();
    assert.equal(server.requests.length, 2);
  });

  it('of an archived tenant gets nothing, and all of it once that is restored', async (t) => {
    const { tenant, server } = await receiver(t);
    const operator: Authority = { ...tenant.admin, tenantId: newId(), isOperatorTenant: true };
    const execution = newId();
    await tenant.emit(execution, 2);
    await tenant.write((uow) => bus.services.tenantArchive.archiveTenant(uow, operator, { tenantId: tenant.id }));
    await tenant.emit(execution, 1);
    await work();
    assert.equal(server.requests.length, 0);
    await tenant.write((uow) => bus.services.tenantArchive.restoreTenant(uow, operator, { tenantId: tenant.id }));
    await work();
    assert.deepEqual(idsOf(server), [1, 2, 3].map((sequence) => `${execution}:${sequence}`)); // prettier-ignore
  });

  it('gets a new secret, and for a day signatures by both; neither is stored in the clear', async (t) => {
    const { tenant, server, secret, id } = await receiver(t);
    const { secret: next } = await tenant.write((uow) => sinks().rotateEventSinkSecret(uow, tenant.admin, id));
    assert.notEqual(next, secret);
    await tenant.emit(newId());
    await work();
    for (const each of [secret, next]) assert.equal(verifySigned(each, server.requests[0]!).specversion, '1.0');
    clock.advance(webhookLimits.overlapMs);
    await tenant.emit(newId());
    await work();
    assert.throws(() => verifySigned(secret, server.requests[1]!));
    assert.equal(verifySigned(next, server.requests[1]!).specversion, '1.0');
    const [row] = await bus.rows<{ secret: string }>('select secret from event_sinks where id = $1', [id]);
    assert.ok(![secret, next].some((each) => row!.secret.includes(each.slice(6, 20))));
  });
});

it('delays double up to their end, spread between half and all; standings are told from what is known', () => {
  assert.deepEqual([eventDelayMs(1, 0), eventDelayMs(1, 1), eventDelayMs(5, 1), eventDelayMs(999, 1)], [500, 1_000, 16_000, 900_000]);
  assert.deepEqual([sinkDelayMs(1, 0), sinkDelayMs(4, 1), sinkDelayMs(999, 1)], [500, 8_000, 60_000]);
  const standing = { status: 'active', failures: 0, pending: 0, lagSeconds: 300 } as const;
  assert.deepEqual(
    [{}, { pending: 1 }, { failures: 2 }, { failures: 3 }, { lagSeconds: 301 }, { status: 'paused', failures: 9 } as const].map((each) =>
      healthOf({ ...standing, ...each }),
    ),
    ['healthy', 'retrying', 'retrying', 'failing', 'failing', 'paused'],
  );
});
