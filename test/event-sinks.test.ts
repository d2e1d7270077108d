// Managing event sinks: who may, what is refused, limits, what the operator's are like, and how the whole event bus stands.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { NewEventSink } from '#src/eventbus/event-sink-service.ts';
import { sinkDefaults, sinkLimits } from '#src/eventbus/event-sink.ts';
import {
  ConflictError,
  ForbiddenError,
  InvalidStateError,
  LimitExceededError,
  NotFoundError,
  ValidationError,
} from '#src/platform/errors.ts';
import { newId } from '#src/platform/ids.ts';
import type { UnitOfWork } from '#src/platform/database.ts';
import type { Authority } from '#src/authority/permission.ts';
import { eventBus, operatorSink, turnableClock, type Bus, type BusTenant } from './harness/event-bus.ts';

const clock = turnableClock();
let bus: Bus;
let operator: BusTenant;
before(async () => {
  bus = await eventBus(clock);
  operator = await bus.tenant({ isOperator: true });
});
after(() => bus.close());

const sinks = () => bus.services.eventSinks;
const create = (tenant: BusTenant, change: Partial<NewEventSink> = {}, by: Authority = tenant.admin) =>
  tenant.write((uow) => sinks().createEventSink(uow, by, { name: `s-${newId()}`, url: 'https://hooks.example.com/', ...change }));
const health = (tenant: BusTenant, by = tenant.admin) => tenant.write((uow) => sinks().eventBusHealth(uow, by));
const pathsOf =
  (...paths: string[]) =>
  (error: Error) => {
    assert.ok(error instanceof ValidationError, String(error));
    assert.deepEqual(error.problems.map(({ path }) => path), paths); // prettier-ignore
    return true;
  };

describe('managing event sinks', () => {
  it('is for admins of the tenant; operators see them; to everybody else they do not exist', async () => {
    const tenant = await bus.tenant();
    const { eventSink } = await create(tenant);
    const { id } = eventSink;
    const deadLetter = newId();
    await bus.rows(
      `insert into event_deliveries (id, tenant_id, sink_id, event_tenant_id, execution_id, sequence, type, status, attempts, created_at, dead_lettered_at)
       values ($1, $2, $3, $2, $4, 1, 'execution.started', 'dead_lettered', 50, now(), now())`,
      [deadLetter, tenant.id, id, newId()],
    );
    const ofProject: Authority = { ...tenant.admin, grants: [{ role: 'admin', kind: 'project', scopeId: newId() }] };
    const attempts = (by: Authority): ((uow: UnitOfWork) => Promise<unknown>)[] => [
      (uow) => sinks().createEventSink(uow, by, { name: 'x', url: 'https://hooks.example.com/' }),
      (uow) => sinks().updateEventSink(uow, by, { eventSinkId: id, name: 'y' }),
      (uow) => sinks().pauseEventSink(uow, by, id, ''),
      (uow) => sinks().resumeEventSink(uow, by, id),
      (uow) => sinks().rotateEventSinkSecret(uow, by, id),
      (uow) => sinks().deleteEventSink(uow, by, id),
      (uow) => sinks().redeliverEvent(uow, by, deadLetter),
      (uow) => sinks().redeliverEvents(uow, by, id),
    ];
    const seen = async (by: Authority) => [
      (await tenant.write((uow) => sinks().eventSinksByIds(uow, by, [id]))).length,
      (await tenant.write((uow) => sinks().listEventSinks(uow, by, {}))).rows.length,
      (await health(tenant, by)).sinks.length,
    ];
    for (const by of [tenant.with(['operator']), tenant.with(['reviewer', 'agent_manager', 'viewer', 'service']), ofProject])
      for (const attempt of attempts(by)) await assert.rejects(tenant.write(attempt), ForbiddenError);
    assert.deepEqual(await seen(tenant.with(['operator'])), [1, 1, 1]);
    assert.deepEqual(await seen(tenant.with(['reviewer', 'agent_manager', 'viewer', 'service'])), [0, 0, 0]);
    assert.deepEqual(await seen(ofProject), [0, 0, 0]);
    const elsewhere = await bus.tenant();
    for (const attempt of attempts(elsewhere.admin).slice(1)) await assert.rejects(elsewhere.write(attempt), NotFoundError);
    await assert.rejects(tenant.write((uow) => sinks().deleteEventSink(uow, tenant.admin, 'nonsense')), NotFoundError); // prettier-ignore
    const again = await tenant.write((uow) => sinks().redeliverEvent(uow, tenant.admin, deadLetter));
    assert.equal(again.status, 'redelivering', 'it is there, for its own tenant');
  });

  it('refuses what cannot work, every problem at once, and takes each limit', async () => {
    const tenant = await bus.tenant();
    const most = { name: 'x'.repeat(sinkLimits.nameLength), maxAttempts: sinkLimits.maxAttempts, maxAgeSeconds: sinkLimits.maxAgeSeconds };
    const above = { name: `${most.name}x`, url: 'ftp://x', maxAttempts: most.maxAttempts + 1, maxAgeSeconds: most.maxAgeSeconds + 1 };
    await assert.rejects(create(tenant, above), pathsOf('name', 'url', 'maxAttempts', 'maxAgeSeconds'));
    const below = { name: ' ', url: 'https://u:p@example.com/', maxAttempts: 0, maxAgeSeconds: sinkLimits.minAgeSeconds - 1 };
    await assert.rejects(create(tenant, below), pathsOf('name', 'url', 'maxAttempts', 'maxAgeSeconds'));
    const { eventSink } = await create(tenant, most);
    await create(tenant, { maxAttempts: 1, maxAgeSeconds: sinkLimits.minAgeSeconds });
    await assert.rejects(create(tenant, { name: most.name }), ConflictError);
    for (const place of [{ projectId: newId() }, { environmentId: newId() }]) await assert.rejects(create(tenant, place), NotFoundError);
    const pause = (reason: string) => tenant.write((uow) => sinks().pauseEventSink(uow, tenant.admin, eventSink.id, reason));
    await assert.rejects(pause('x'.repeat(sinkLimits.reasonLength + 1)), pathsOf('reason'));
    assert.equal((await pause('x'.repeat(sinkLimits.reasonLength))).status, 'paused');
    for (let count = 2; count < sinkLimits.perTenant; count += 1) await create(tenant);
    await assert.rejects(create(tenant), LimitExceededError);
  });

  it('refuses an environment of another project, for which nothing would ever be sent', async () => {
    const tenant = await bus.tenant();
    const [one, two, environment] = [newId(), newId(), newId()];
    await tenant.write(async (uow) => {
      for (const id of [one, two]) await uow.rows(`insert into projects (id, tenant_id, name, created_at) values ($1, $2, $3, now())`, [id, tenant.id, id]); // prettier-ignore
      await uow.rows(
        `insert into environments (id, tenant_id, project_id, name, kind, created_at) values ($1, $2, $3, 'a', 'staging', now())`,
        [environment, tenant.id, one],
      );
    });
    await assert.rejects(create(tenant, { projectId: two, environmentId: environment }), pathsOf('environmentId'));
    assert.equal((await create(tenant, { projectId: one, environmentId: environment })).eventSink.environmentId, environment);
  });

  it('changes what is given, and empties filters by null', async () => {
    const tenant = await bus.tenant();
    const { eventSink } = await create(tenant, { types: ['execution.failed', 'execution.failed'] });
    assert.deepEqual([eventSink.types, eventSink.maxAttempts], [['execution.failed'], sinkDefaults.maxAttempts]);
    const update = (change: object) =>
      tenant.write((uow) => sinks().updateEventSink(uow, tenant.admin, { eventSinkId: eventSink.id, ...change }));
    assert.deepEqual((await update({ maxAttempts: 3 })).types, ['execution.failed']);
    const emptied = await update({ types: null, url: 'https://other.example.com/' });
    assert.deepEqual([emptied.types, emptied.maxAttempts, emptied.url], [[], 3, 'https://other.example.com/']);
  });
});

describe('sinks of the operator', () => {
  const target = { kind: 'kafka', brokers: ['127.0.0.1:1'], topic: 'events', tls: false } as const;
  const known = async () => (await operator.write((uow) => sinks().listEventSinks(uow, operator.admin, {}))).rows;

  it('are rows of the first tenant from the first runner that has them, follow the configuration, and are changed there only', async () => {
    await bus.relay({ sinks: [operatorSink('lake', target)] }).work();
    const [made] = await known();
    assert.deepEqual([made!.name, made!.origin, made!.kind, made!.url, made!.tenants], ['lake', 'operator', 'kafka', 'kafka://127.0.0.1:1/events', null]); // prettier-ignore
    const place = () => bus.rows('select transaction_id, sequence from event_sinks where id = $1', [made!.id]);
    const before = await place();
    await bus
      .relay({ sinks: [operatorSink('lake', target, { tenants: ['acme'], types: ['execution.failed'], from: 'beginning' })] })
      .work();
    const [changed] = await known();
    assert.deepEqual([changed!.id, changed!.tenants, changed!.types], [made!.id, ['acme'], ['execution.failed']]);
    assert.deepEqual(await place(), before);
    const change = operator.write((uow) => sinks().updateEventSink(uow, operator.admin, { eventSinkId: made!.id, name: 'pond' }));
    await assert.rejects(change, InvalidStateError);
    await assert.rejects(operator.write((uow) => sinks().rotateEventSinkSecret(uow, operator.admin, made!.id)), InvalidStateError); // prettier-ignore
    assert.equal((await operator.write((uow) => sinks().pauseEventSink(uow, operator.admin, made!.id, ''))).status, 'paused');
    await operator.write((uow) => sinks().deleteEventSink(uow, operator.admin, made!.id));
    assert.deepEqual(await known(), []);
  });

  it('are not seen by other tenants, whose events they get', async () => {
    const tenant = await bus.tenant();
    await bus.relay({ sinks: [operatorSink('pond', target, { tenants: [tenant.name] })] }).work();
    await operator.emit(newId(), 5);
    await tenant.emit(newId(), 3);
    await bus.settle();
    assert.equal((await health(tenant)).sinks.length, 0);
    const [standing] = (await health(operator)).sinks;
    assert.deepEqual([standing!.lagEvents, standing!.health], [3, 'healthy']);
    await operator.write((uow) => sinks().deleteEventSink(uow, operator.admin, standing!.sinkId));
  });
});

describe('how far a sink is behind', () => {
  const hour = 3_600;
  const lagOf = async (tenant: BusTenant) => {
    const [{ lagEvents, lagSeconds, health: state } = assert.fail('no sink')] = (await health(tenant)).sinks;
    return [lagEvents, lagSeconds, state];
  };

  it('is told by the oldest event of any tenant, however many newer ones another has', async () => {
    const [busy, quiet] = [await bus.tenant(), await bus.tenant()];
    const target = { kind: 'kafka', brokers: ['127.0.0.1:1'], topic: 'events', tls: false } as const;
    await bus.relay({ sinks: [operatorSink('lake', target, { tenants: [busy.name, quiet.name] })] }).work();
    await quiet.emit(newId());
    clock.advance(hour * 1_000);
    await bus.settle();
    assert.deepEqual(await lagOf(operator), [1, hour, 'failing']);
    await busy.emit(newId(), sinkLimits.counted);
    await bus.settle();
    assert.deepEqual(await lagOf(operator), [sinkLimits.counted, hour, 'failing']);
    const [{ id } = assert.fail('no sink')] = (await operator.write((uow) => sinks().listEventSinks(uow, operator.admin, {}))).rows;
    await operator.write((uow) => sinks().deleteEventSink(uow, operator.admin, id));
  });

  it('counts what it wants, however much it does not want comes first', async () => {
    const tenant = await bus.tenant();
    const { eventSink } = await create(tenant, { types: ['execution.failed'] });
    await tenant.emit(newId(), sinkLimits.counted);
    await bus.settle();
    clock.advance(hour * 1_000);
    assert.deepEqual(await lagOf(tenant), [0, 0, 'healthy']);
    await tenant.emit(newId(), 1, 'execution.failed');
    clock.advance(hour * 1_000);
    await bus.settle();
    assert.deepEqual(await lagOf(tenant), [1, hour, 'failing']);
    // With 100 to be counted, 1,000 are looked at: the next one counts as the oldest, and so it would if nobody wanted it.
    const behind = async (most: number) => (await bus.rows<{ events: number; age: number; isCapped: boolean }>('select events, extract(epoch from $3 - oldest)::int as age, is_capped as "isCapped" from eventbus.lag($1, $2)', [eventSink.id, most, clock.now()]))[0]; // prettier-ignore
    assert.deepEqual(await behind(101), { events: 1, age: hour, isCapped: false });
    assert.deepEqual(await behind(100), { events: 0, age: hour, isCapped: true });
    assert.deepEqual(await behind(99), { events: 0, age: 2 * hour, isCapped: true });
  });
});

it('the event bus stands as its worst sink does; lags are counted up to their bound, and those of paused sinks left out', async () => {
  const tenant = await bus.tenant();
  assert.deepEqual(await health(tenant), { health: 'healthy', lagEvents: 0, lagSeconds: 0, deadLetters: 0, isCapped: false, sinks: [] });
  const { eventSink: paused } = await create(tenant);
  await tenant.write((uow) => sinks().pauseEventSink(uow, tenant.admin, paused.id, ''));
  assert.equal((await health(tenant)).health, 'paused');
  await tenant.emit(newId(), 2);
  clock.advance(10_000);
  await bus.settle();
  const { eventSink } = await create(tenant, { from: 'beginning' });
  const of = async (id: string) => (await health(tenant)).sinks.find(({ sinkId }) => sinkId === id)!;
  assert.deepEqual([(await of(paused.id)).lagEvents, (await of(eventSink.id)).lagSeconds], [2, 10]);
  assert.deepEqual([(await health(tenant)).lagEvents, (await health(tenant)).health], [2, 'healthy']);
  await tenant.emit(newId(), sinkLimits.counted - 2);
  clock.advance(300_000);
  await bus.settle();
  const stands = async () => {
    const { lagEvents, lagSeconds, isCapped, ...whole } = await health(tenant);
    return [lagEvents, lagSeconds, isCapped, whole.health];
  };
  assert.deepEqual(await stands(), [sinkLimits.counted, 310, false, 'failing']);
  await tenant.emit(newId());
  await bus.settle();
  assert.deepEqual(await stands(), [sinkLimits.counted, 310, true, 'failing']);
});
