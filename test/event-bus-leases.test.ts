// What a relay does not work on any more it does not keep: turns that fail, claims whose answer is lost, leases that follow each other.
import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { after, before, test, type TestContext } from 'node:test';
import pg from 'pg';
import { sinkLimits } from '#src/eventbus/event-sink.ts';
import type { Database } from '#src/platform/database.ts';
import { newId } from '#src/platform/ids.ts';
import { newSecret } from '#src/webhooks/webhook.ts';
import { eventBus, operatorSink, type Bus, type BusTenant } from './harness/event-bus.ts';
import { eventually } from './harness/eventually.ts';
import { foreignServer, type Answer } from './harness/foreign-server.ts';
import { localOutbound } from './harness/outbound.ts';

// Nothing is given up while these tests run: whoever waits for a sink that does not answer waits for ever.
Object.assign(sinkLimits, { timeoutMs: 600_000 });

let bus: Bus;
before(async () => {
  bus = await eventBus();
});
after(() => bus.close());

const fine: Answer = (_request, response) => void response.writeHead(204).end();
const never: Answer = () => undefined;

async function receiver(t: TestContext, tenant: BusTenant, answer: Answer = fine) {
  const server = await foreignServer(t, answer);
  const { eventSink } = await tenant.write((uow) =>
    bus.services.eventSinks.createEventSink(uow, tenant.admin, { name: `s-${newId()}`, url: server.origin }),
  );
  // Of no concern to the tests that follow.
  t.after(() => bus.rows(`update event_sinks set status = 'paused' where id = $1`, [eventSink.id]));
  return { ids: () => server.requests.map(({ body }) => JSON.parse(body).id as string), id: eventSink.id };
}

/** Ends with the test, also with one that fails: it would take up what the next one leaves. */
async function started(t: TestContext, ...[options, more]: Parameters<Bus['relay']>) {
  const relay = bus.relay({ pollMs: 50, leaseMs: 1_000, ...options }, more);
  t.after(() => relay.stop());
  await relay.start();
}

/** Looks at the feed that are held up. */
const waiting = `select from pg_locks where not granted and relation = 'execution_events'::regclass`;

interface LeaseRow {
  readonly owner: string | null;
  readonly until: Date;
  readonly fence: number;
}
const leaseOf = async (id: string) =>
  (await bus.rows<LeaseRow>('select lease_owner as owner, lease_until as until, fence from event_sinks where id = $1', [id]))[0]!;
const isExtended = async (id: string) => {
  const before = await leaseOf(id);
  await eventually(async () => (await leaseOf(id)).until > before.until, undefined, 5_000);
  assert.equal((await leaseOf(id)).fence, before.fence, 'the same lease');
};

for (const { failing, writes, leaseMs } of [
  { failing: 'record', writes: 1, leaseMs: 600_000 },
  { failing: 'record, nor be given back', writes: 2, leaseMs: 1_000 },
]) {
  test(`a sink whose turn could not ${failing} is taken up again, whatever else the process holds`, async (t) => {
    const tenant = await bus.tenant();
    const hanging = await receiver(t, tenant, never);
    await tenant.emit(newId());
    let left = 0;
    const database: Database = {
      ...bus.db.database,
      write: (...call) => (left-- > 0 ? Promise.reject(new Error('the connection was lost')) : bus.db.database.write(...call)),
    };
    await started(t, { leaseMs }, { database });
    await eventually(() => hanging.ids().length > 0);
    const failed = await receiver(t, tenant);
    left = writes;
    const execution = newId();
    await tenant.emit(execution);
    await eventually(() => failed.ids().length === 2, undefined, 10_000);
    assert.deepEqual(new Set(failed.ids()), new Set([`${execution}:1`]));
    assert.equal(hanging.ids().length, 1, 'it is still held');
  });
}

test('a sink that a process was given without hearing of it is taken up again, whatever else the process holds', async (t) => {
  const tenant = await bus.tenant();
  const hanging = await receiver(t, tenant, never);
  await tenant.emit(newId());
  await bus.settle();
  await started(t);
  await eventually(() => hanging.ids().length > 0);
  const { owner } = await leaseOf(hanging.id);
  const lost = await receiver(t, tenant);
  await bus.rows(`update event_sinks set lease_owner = $2, lease_until = clock_timestamp() + interval '1 s', fence = 1 where id = $1`, [
    ...[lost.id, owner],
  ]);
  await tenant.emit(newId());
  await eventually(() => lost.ids().length === 1, undefined, 10_000);
});

test('a lease that follows another of the same process is kept when the former one has ended', async (t) => {
  const tenant = await bus.tenant();
  const open: ServerResponse[] = [];
  const { id } = await receiver(t, tenant, (_request, response) => void open.push(response));
  await tenant.emit(newId());
  const outbound: typeof localOutbound = {
    ...localOutbound,
    // Says nothing of being told to end.
    fetch: (request) => localOutbound.fetch({ ...request, signal: undefined }),
  };
  await started(t, {}, { outbound });
  await eventually(() => open.length === 1);
  await bus.rows('update event_sinks set lease_until = clock_timestamp(), fence = fence + 1 where id = $1', [id]);
  await eventually(() => open.length === 2);
  open[0]!.writeHead(204).end();
  for (let i = 0; i < 4; i += 1) await isExtended(id);
  assert.equal(open.length, 2);
  open[1]!.writeHead(204).end();
  await eventually(async () => (await leaseOf(id)).owner === null);
});

test('a sink that was renewed while somebody looked stays with its holder', async (t) => {
  const tenant = await bus.tenant();
  const { id } = await receiver(t, tenant);
  await tenant.emit(newId());
  await bus.settle();
  const looking = new pg.Client({ connectionString: bus.db.ownerUrl });
  await looking.connect();
  t.after(() => looking.end());
  await bus.rows('begin');
  await bus.rows('lock table execution_events in access exclusive mode');
  const claimed = looking.query('select id from eventbus.claim($1, 1000, now(), 100, 100, 100, $2)', [newId(), []]);
  await eventually(async () => (await bus.rows(waiting)).length === 1);
  await bus.rows(`update event_sinks set lease_owner = $2, lease_until = clock_timestamp() + interval '1 h' where id = $1`, [id, newId()]);
  await bus.rows('commit');
  assert.deepEqual((await claimed).rows.filter((row) => row.id === id), []); // prettier-ignore
});

test('leases are renewed while every look at the feeds of all tenants waits', async (t) => {
  const operator = await bus.tenant({ isOperator: true });
  const tenant = await bus.tenant();
  const hanging = await receiver(t, tenant, never);
  await receiver(t, operator);
  let response: ServerResponse | undefined;
  const lake = await foreignServer(t, (_request, asked) => void (response = asked));
  const target = { kind: 'webhook', url: lake.origin, secrets: [newSecret()] } as const;
  const sinks = [operatorSink('lake', target, { tenants: [tenant.name] })];
  await started(t, { sinks });
  await tenant.emit(newId());
  await eventually(() => response && hanging.ids().length > 0);
  await bus.rows('begin');
  try {
    await bus.rows('lock table execution_events in access exclusive mode');
    response!.writeHead(204).end();
    await eventually(async () => (await bus.rows(waiting)).length === 2);
    for (let i = 0; i < 4; i += 1) await isExtended(hanging.id);
  } finally {
    await bus.rows('commit');
  }
});
