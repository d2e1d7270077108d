// What becomes of an event that a sink does not take: order, retries, dead letters, what a failing sink is asked with.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { eventDelayMs, sinkDelayMs, sinkLimits } from '#src/eventbus/event-sink.ts';
import { countDeliveries, recordLines } from '#src/eventbus/relay-record.ts';
import { createTurns } from '#src/eventbus/relay-turns.ts';
import type { Database, UnitOfWork } from '#src/platform/database.ts';
import { newId } from '#src/platform/ids.ts';
import type { BusTenant } from './harness/event-bus.ts';
import { bus, clock, create, deliveries, health, idOf, idsOf, onlySink, receiver, sinks, work } from './harness/turned-relay.ts';

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
    const counted = async (most: number) => (await bus.rows('select dead, is_capped from eventbus.lag($1, $2)', [id, most]))[0];
    assert.deepEqual(
      [await counted(12), await counted(11)],
      [
        { dead: 12, is_capped: false },
        { dead: 11, is_capped: true },
      ],
    );
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

  /** So many that were given up at a moment; those that are made first have the lower ids. */
  const givenUp = (tenant: BusTenant, sinkId: string, count: number, at: Date) =>
    bus.rows<{ id: string }>(
      `insert into event_deliveries (id, tenant_id, sink_id, event_tenant_id, execution_id, sequence, type, status, attempts, created_at, dead_lettered_at)
       select uuidv7(), $1, $2, $1, gen_random_uuid(), 1, 'execution.started', 'dead_lettered', 50, now(), $4 from generate_series(1, $3::int) returning id`,
      [tenant.id, sinkId, count, at],
    );

  it('is sent again with a thousand others at a time, those first that were given up longest ago, so that nobody waits for long', async () => {
    const tenant = await bus.tenant();
    const { id } = (await create(tenant)).eventSink;
    const left = () => bus.rows(`select id from event_deliveries where sink_id = $1 and status = 'dead_lettered'`, [id]);
    // It was sent again before, and given up once more.
    const again = await givenUp(tenant, id, 1, clock.now());
    await givenUp(tenant, id, sinkLimits.redelivered, new Date(clock.now().getTime() - 1));
    const redeliver = () => tenant.write((uow) => sinks().redeliverEvents(uow, tenant.admin, id));
    const first = await redeliver();
    assert.deepEqual([first.redelivering, first.hasMore, await left()], [sinkLimits.redelivered, true, again]);
    for (const count of [1, 0]) {
      const { redelivering, hasMore } = await redeliver();
      assert.deepEqual([redelivering, hasMore], [count, false]);
    }
    await tenant.write((uow) => sinks().deleteEventSink(uow, tenant.admin, id));
  });

  it('and was given up long ago is dropped, however many that were given up again since have lower ids', async (t) => {
    const { tenant, id } = await receiver(t);
    const monthAgo = new Date(clock.now().getTime() - sinkLimits.keptDays * 86_400_000);
    await givenUp(tenant, id, 100, monthAgo);
    const old = await givenUp(tenant, id, 101, new Date(monthAgo.getTime() - 1));
    for (const dropped of [100, 101]) {
      await tenant.emit(newId());
      await work();
      const kept = await bus.rows<{ id: string }>('select id from event_deliveries where sink_id = $1 order by id', [id]);
      assert.deepEqual([kept.length, kept.slice(100)], [201 - dropped, old.slice(dropped)]);
    }
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
      recordLines(explaining(uow), { id, tenantId: tenant.id, fence: 0 }, [], clock.now());
      await Promise.all(written);
    });
    const [row] = await bus.rows('select pending from event_sinks where id = $1', [id]);
    assert.deepEqual([turn!.lines.length, row], [6, { pending: 3 }]);
    const text = plans.join('\n');
    for (const index of ['due', 'dead']) assert.match(text, new RegExp(`using event_deliveries_${index}`));
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
    const paused = await onlySink(gone.tenant);
    assert.deepEqual([paused.status, /never listen again/.test(paused.pausedReason!)], ['paused', true]);
    assert.match((await health(inside.tenant, inside.id)).lastError!, /^10\.0\.0\.1 is refused \(private\)/);
  });
});
