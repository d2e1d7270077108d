// Relays that share sinks: no double work, death between delivery and record, a lease that was lost, sinks that hang or refuse everything.
import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { join } from 'node:path';
import { after, before, test, type TestContext } from 'node:test';
import { sinkLimits } from '#src/eventbus/event-sink.ts';
import { createHints } from '#src/events/hints.ts';
import { newId } from '#src/platform/ids.ts';
import { eventBus, type Bus, type BusTenant } from './harness/event-bus.ts';
import { eventually } from './harness/eventually.ts';
import { foreignServer, type Answer } from './harness/foreign-server.ts';

// Nothing is given up while these tests run: whoever waits for a sink that does not answer waits for ever.
Object.assign(sinkLimits, { timeoutMs: 600_000 });

let bus: Bus;
before(async () => {
  bus = await eventBus();
});
after(() => bus.close());

/** Leaves all requests unanswered until it is opened. */
function gated() {
  const waiting: ServerResponse[] = [];
  let isOpen = false;
  const end = (response: ServerResponse) => void response.writeHead(204).end();
  return {
    waiting,
    answer: ((_request, response) => void (isOpen ? end(response) : waiting.push(response))) satisfies Answer,
    open() {
      isOpen = true;
      waiting.forEach(end);
    },
  };
}

const fine: Answer = (_request, response) => void response.writeHead(204).end();
async function receiver(t: TestContext, tenant: BusTenant, answer: Answer = fine) {
  const server = await foreignServer(t, answer);
  const { eventSink } = await tenant.write((uow) =>
    bus.services.eventSinks.createEventSink(uow, tenant.admin, { name: `s-${newId()}`, url: server.origin }),
  );
  return { ids: () => server.requests.map(({ body }) => JSON.parse(body).id as string), id: eventSink.id };
}
const inOrder = (ids: readonly string[], executions: readonly string[], count: number) => {
  for (const execution of executions) {
    const own = [...new Set(ids.filter((id) => id.startsWith(execution)))];
    assert.deepEqual(
      own,
      Array.from({ length: count }, (_, index) => `${execution}:${index + 1}`),
    );
  }
};

test('several relays share the sinks: every event once, each execution in order, however many write', async (t) => {
  const tenants = await Promise.all([bus.tenant(), bus.tenant()]);
  const sinks = await Promise.all(tenants.flatMap((tenant) => [receiver(t, tenant), receiver(t, tenant)]));
  const relays = [bus.relay({ pollMs: 50 }), bus.relay({ pollMs: 50 })];
  await Promise.all(relays.map((relay) => relay.start()));
  const executions = tenants.map(() => Array.from({ length: 3 }, newId));
  await Promise.all(tenants.flatMap((tenant, index) => executions[index]!.map(async (execution) => {
    for (let i = 0; i < 6; i += 1) await tenant.emit(execution);
  }))); // prettier-ignore
  await eventually(() => sinks.every(({ ids }) => ids().length >= 18));
  await bus.settle();
  for (const relay of relays) await relay.work();
  for (const [index, { ids }] of sinks.entries()) {
    assert.equal(ids().length, 18, 'none twice');
    inOrder(ids(), executions[Math.floor(index / 2)]!, 6);
  }
  await Promise.all(relays.map((relay) => relay.stop()));
});

test('a relay that is killed between delivery and record: another sends the same ids again, and nothing is lost', async (t) => {
  const tenant = await bus.tenant();
  let seen = 0;
  const child = fork(join(import.meta.dirname, 'harness/relay-process.ts'), [bus.db.ownerUrl, bus.db.appRole, '500']);
  t.after(() => child.kill('SIGKILL'));
  const { ids } = await receiver(t, tenant, (_request, response) => {
    seen += 1;
    response.writeHead(200).end(() => seen === 5 && child.kill('SIGKILL'));
  });
  await once(child, 'message');
  const executions = Array.from({ length: 4 }, newId);
  const ended = once(child, 'exit');
  await bus.db.database.write(tenant.id, async (uow) => {
    // All at once, so that they are one turn of the relay.
    for (const execution of executions) await bus.services.events.append(uow, execution, 1, Array.from({ length: 5 }, () => ({ type: 'execution.started', data: {} }))); // prettier-ignore
  });
  assert.equal((await ended)[1], 'SIGKILL');
  const before = [...ids()];
  assert.ok(before.length < 20);
  const relay = bus.relay({ pollMs: 50, leaseMs: 500 });
  await relay.start();
  await eventually(() => new Set(ids().slice(before.length)).size === 20);
  inOrder(ids().slice(before.length), executions, 5);
  assert.ok(before.every((id) => ids().slice(before.length).includes(id)));
  await relay.stop();
});

test('a relay that lost its lease records nothing, whatever it was answered', async (t) => {
  const tenant = await bus.tenant();
  const open: ServerResponse[] = [];
  const { ids, id } = await receiver(t, tenant, (_request, response) => {
    if (open.push(response) > 1) response.writeHead(200).end();
  });
  await tenant.emit(newId());
  await bus.settle();
  const [slow, quick] = [bus.relay(), bus.relay()];
  const late = slow.work();
  await eventually(() => open.length === 1);
  await quick.work();
  assert.equal(open.length, 1, 'the lease holds');
  await bus.rows('update event_sinks set lease_until = now() where id = $1', [id]);
  await quick.work();
  assert.equal(ids().length, 2);
  const state = () =>
    bus.rows('select transaction_id, sequence, fence, failures, last_error, pending from event_sinks where id = $1', [id]);
  const recorded = await state();
  open[0]!.writeHead(400).end();
  await late;
  assert.deepEqual(await state(), recorded);
  assert.deepEqual(await bus.rows('select id from event_deliveries where sink_id = $1', [id]), []);
  assert.equal(new Set(ids()).size, 1);
});

test('a sink that something else has locked keeps no other from being renewed, and is given up once its own lease has run out', async (t) => {
  const tenant = await bus.tenant();
  let answers = false;
  const open: ServerResponse[] = [];
  const locked = await receiver(t, tenant, (_request, response) => void (answers ? response.writeHead(200).end() : open.push(response)));
  const hanging = await receiver(t, tenant, () => undefined);
  await tenant.emit(newId());
  await bus.settle();
  const relay = bus.relay({ pollMs: 50, leaseMs: 1_000 });
  await relay.start();
  await eventually(() => open.length > 0 && hanging.ids().length > 0);
  const leaseOf = async (id: string) =>
    (await bus.rows<{ lease_owner: string; fence: number; lease_until: Date }>('select lease_owner, fence, lease_until from event_sinks where id = $1', [id]))[0]!; // prettier-ignore
  await bus.db.database.write(tenant.id, async (uow) => {
    await uow.rows('select from event_sinks where tenant_id = $1 and id = $2 for update', [tenant.id, locked.id]);
    const before = await leaseOf(hanging.id);
    await eventually(async () => (await leaseOf(hanging.id)).lease_until > before.lease_until);
    const { lease_owner: owner, fence } = await leaseOf(locked.id);
    const renew = (asked: string, of: number) => bus.rows('select * from eventbus.renew($1, 1000, $2, $3)', [owner, [asked], [of]]);
    assert.deepEqual(await renew(locked.id, fence), [{ id: locked.id, fence, renewed: false }]);
    assert.deepEqual(await renew(locked.id, fence - 1), [], 'a former lease of the same process');
    await eventually(() => open.every(({ destroyed }) => destroyed));
    answers = true;
  });
  const taken = () => bus.rows('select failures, last_error from event_sinks where id = $1 and last_success_at is not null', [locked.id]);
  await eventually(async () => (await taken()).length === 1);
  assert.deepEqual(await taken(), [{ failures: 0, last_error: null }]);
  await relay.stop();
});

test('sinks that hang or refuse delay no other, and hold no more than their bounds', async (t) => {
  const tenant = await bus.tenant();
  let refuses = true;
  const gate = gated();
  const hanging = await receiver(t, tenant, gate.answer);
  const refusing = await receiver(t, tenant, (_request, response) => void response.writeHead(refuses ? 400 : 200).end());
  const good = await receiver(t, tenant);
  const executions = Array.from({ length: sinkLimits.batch + 10 }, newId);
  await bus.db.database.write(tenant.id, async (uow) => {
    for (const execution of executions) await bus.services.events.append(uow, execution, 1, [{ type: 'execution.started', data: {} }]);
  });
  await bus.settle();
  const relay = bus.relay({ pollMs: 50 });
  await relay.start();
  await eventually(() => good.ids().length === executions.length);
  await eventually(() => hanging.ids().length === sinkLimits.concurrency);
  const pendingOf = async (id: string) =>
    (await bus.rows<{ pending: number }>('select pending from event_sinks where id = $1', [id]))[0]!.pending;
  await eventually(async () => (await pendingOf(refusing.id)) > 0);
  assert.equal(await pendingOf(refusing.id), sinkLimits.batch, 'the feed waits with the rest');
  refuses = false;
  await eventually(() => new Set(refusing.ids()).size === executions.length);
  assert.equal(hanging.ids().length, sinkLimits.concurrency, 'its first requests are still unanswered');
  gate.open();
  await eventually(() => new Set(hanging.ids()).size === executions.length);
  await relay.stop();
});

for (const { kind, tenants: count, failures, asked } of [
  { kind: 'failed last', tenants: 10, failures: 3, asked: 32 },
  { kind: 'hang for the first time', tenants: 7, failures: 0, asked: 70 },
]) {
  test(`more sinks that ${kind} than a process has places for: one that works is not delayed`, async (t) => {
    const gate = gated();
    const server = await foreignServer(t, gate.answer);
    const tenants = await Promise.all(Array.from({ length: count }, () => bus.tenant()));
    for (const tenant of tenants) for (let i = 0; i < sinkLimits.perTenant; i += 1) await tenant.write((uow) => bus.services.eventSinks.createEventSink(uow, tenant.admin, { name: `s-${i}`, url: server.origin })); // prettier-ignore
    await bus.rows('update event_sinks set failures = $1 where url = $2', [failures, server.origin]);
    const mine = await bus.tenant();
    const good = await receiver(t, mine);
    const execution = newId();
    for (const tenant of tenants) await tenant.emit(newId());
    await bus.settle();
    const relay = bus.relay({ pollMs: 50 });
    await relay.start();
    await eventually(() => server.requests.length === asked);
    for (let i = 1; i <= 5; i += 1) {
      await mine.emit(execution);
      await eventually(() => good.ids().length === i);
    }
    assert.equal(server.requests.length, asked, 'none of them was answered');
    gate.open();
    await eventually(() => new Set(server.requests.map(({ headers, body }) => JSON.stringify([headers['webhook-signature'], body]))).size >= count * sinkLimits.perTenant); // prettier-ignore
    await relay.stop();
    await bus.rows(`update event_sinks set status = 'paused' where url = $1`, [server.origin]);
  });
}

test('a sink that is paused while it keeps a request unanswered is let go of, and gets all of it once it is resumed, whatever else the process holds', async (t) => {
  const tenant = await bus.tenant();
  const gate = gated();
  const { ids, id } = await receiver(t, tenant, gate.answer);
  const hanging = await receiver(t, tenant, () => undefined);
  const execution = newId();
  await tenant.emit(execution, 2);
  const relay = bus.relay({ pollMs: 50, leaseMs: 1_000 });
  await relay.start();
  await eventually(() => gate.waiting.length > 0 && hanging.ids().length > 0);
  await tenant.write((uow) => bus.services.eventSinks.pauseEventSink(uow, tenant.admin, id, ''));
  await eventually(() => gate.waiting.every(({ destroyed }) => destroyed));
  gate.open();
  await tenant.write((uow) => bus.services.eventSinks.resumeEventSink(uow, tenant.admin, id));
  await eventually(() => ids().includes(`${execution}:2`));
  inOrder(ids(), [execution], 2);
  assert.equal(hanging.ids().length, 1, 'it is still held');
  await relay.stop();
});

test('what its own process commits a relay hears of without looking; what others commit it finds by looking', async (t) => {
  const tenant = await bus.tenant();
  const [execution, other] = [newId(), newId()];
  const { ids } = await receiver(t, tenant);
  const hearing = bus.relay({ pollMs: 2_000_000_000 });
  await hearing.start();
  /** It has looked, and will not by itself. */
  const isQuiet = async () => {
    const sessions = await bus.rows<{ quiet: boolean }>(
      `select state = 'idle' and clock_timestamp() - state_change > interval '300 ms' as quiet from pg_stat_activity
       where application_name = 'signalbox-relay' and datname = current_database()`,
    );
    return sessions.every(({ quiet }) => quiet);
  };
  await eventually(isQuiet);
  // One that an older transaction of another test file hides when it is told of is not seen then: the next one is.
  while (ids().length === 0) {
    await tenant.emit(execution);
    await eventually(isQuiet);
  }
  assert.equal(ids()[0], `${execution}:1`);
  await hearing.stop();
  const looking = bus.relay({ pollMs: 50 }, { hints: createHints() });
  await looking.start();
  await eventually(async () => (await bus.rows('select from event_sinks where lease_owner is not null')).length === 0);
  await tenant.emit(other);
  await eventually(() => ids().includes(`${other}:1`));
  await looking.stop();
});
