// Sinks of the operator at real servers: Redis, NATS JetStream, and Kafka as librdkafka's mock cluster speaks it.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { jetstreamManager, type JetStreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { CloudEvent } from 'cloudevents';
import { Redis } from 'ioredis';
import { sinkLimits } from '#src/eventbus/event-sink.ts';
import type { Relay } from '#src/eventbus/relay.ts';
import { newId } from '#src/platform/ids.ts';
import { freePort, startDaemon, type Daemon } from './harness/daemon.ts';
import { eventBus, operatorSink, type Bus, type BusTenant } from './harness/event-bus.ts';
import { eventually } from './harness/eventually.ts';
import { kafkaMock, type KafkaMock } from './harness/kafka-mock.ts';

// Nothing is given up while these tests run: whoever waits for a sink that does not answer waits for ever.
Object.assign(sinkLimits, { timeoutMs: 600_000 });

let bus: Bus;
let tenant: BusTenant;
let other: BusTenant;
let redisServer: Daemon;
let natsServer: Daemon;
let kafka: KafkaMock;
let startRedis: () => Promise<void>;
let startNats: () => Promise<void>;
let redis: Redis;
let streams: JetStreamManager;
let relay: Relay;
const closing = new AsyncDisposableStack();

before(async () => {
  bus = await eventBus();
  closing.defer(() => bus.close());
  const operator = await bus.tenant({ isOperator: true });
  [tenant, other] = [await bus.tenant(), await bus.tenant()];
  const folder = mkdtempSync(join(tmpdir(), 'signalbox-nats-'));
  closing.defer(() => rmSync(folder, { recursive: true, force: true }));
  const [redisPort, natsPort] = [await freePort(), await freePort()];
  startRedis = async () =>
    void (redisServer = await startDaemon('redis-server', ['--port', `${redisPort}`, '--dir', folder, '--appendonly', 'yes', '--appendfsync', 'always', '--requirepass', 'secret'], redisPort)); // prettier-ignore
  startNats = async () =>
    void (natsServer = await startDaemon('nats-server', ['-a', '127.0.0.1', '-p', `${natsPort}`, '-js', '-sd', folder], natsPort));
  [kafka] = await Promise.all([kafkaMock('events'), startRedis(), startNats()]);
  closing.defer(() => redisServer.stop('SIGKILL'));
  closing.defer(() => natsServer.stop('SIGKILL'));
  closing.defer(() => kafka.stop());
  redis = new Redis(redisPort, '127.0.0.1', { password: 'secret' });
  redis.on('error', () => undefined);
  closing.defer(() => redis.disconnect());
  const nats = await connect({ servers: `127.0.0.1:${natsPort}`, reconnectTimeWait: 50, maxReconnectAttempts: -1 });
  closing.defer(() => nats.close());
  streams = await jetstreamManager(nats, { timeout: 1_000 });
  await streams.streams.add({ name: 'EVENTS', subjects: ['signalbox.events.>'] });
  const url = `redis://127.0.0.1:${redisPort}`;
  relay = bus.relay({
    pollMs: 100,
    sinks: [
      operatorSink('redis', { kind: 'redis', url, password: 'secret', stream: 'events' }),
      operatorSink('trimmed', { kind: 'redis', url, password: 'secret', stream: 'trimmed', maxLength: 1 }, { tenants: [other.name] }),
      operatorSink('nats', { kind: 'nats', servers: [`127.0.0.1:${natsPort}`], subject: 'signalbox.events', tls: false }),
      operatorSink('kafka', { kind: 'kafka', brokers: [kafka.broker], topic: 'events', tls: false }),
    ],
  });
  await relay.start();
  assert.equal((await operator.write((uow) => bus.services.eventSinks.listEventSinks(uow, operator.admin, {}))).rows.length, 4);
});
after(() => closing.disposeAsync());

const inRedis = async (stream = 'events') =>
  (await redis.xrange(stream, '-', '+')).map(([, fields]) => ({ id: fields[1]!, body: fields[3]! }));
const inNats = async () => (await streams.streams.info('EVENTS')).state.messages;
const idsOf = (execution: string, count: number) => Array.from({ length: count }, (_, index) => `${execution}:${index + 1}`);
const first = (ids: readonly string[], execution: string) => [...new Set(ids.filter((id) => id.startsWith(execution)))];

test('every sink gets the events of all tenants, or of those it is for, as CloudEvents, each execution in order', async () => {
  const [mine, theirs] = [newId(), newId()];
  await Promise.all([tenant.emit(mine, 20), other.emit(theirs, 20, 'execution.succeeded')]);
  await eventually(async () => (await inRedis()).length === 40 && (await inNats()) === 40 && kafka.records.length === 40);
  const entries = await inRedis();
  for (const execution of [mine, theirs]) assert.deepEqual(first(entries.map(({ id }) => id), execution), idsOf(execution, 20)); // prettier-ignore
  for (const { id, body } of entries) assert.equal(new CloudEvent(JSON.parse(body)).id, id);
  const record = kafka.records.find(({ key }) => key === mine)!;
  assert.equal(record.contentType, 'application/cloudevents+json; charset=utf-8');
  for (const execution of [mine, theirs]) {
    const records = kafka.records.filter(({ key }) => key === execution);
    assert.deepEqual(records.map(({ value }) => new CloudEvent(JSON.parse(value)).id), idsOf(execution, 20)); // prettier-ignore
  }
  const stored = await streams.streams.getMessage('EVENTS', { last_by_subj: `signalbox.events.${other.id}.execution.succeeded` });
  assert.equal(stored!.header.get('Nats-Msg-Id'), `${theirs}:20`);
  assert.ok(new CloudEvent(stored!.json<object>()).validate());
  await eventually(async () => (await inRedis('trimmed')).at(-1)?.id === `${theirs}:20`);
  const trimmed = await inRedis('trimmed');
  assert.ok(trimmed.every(({ id }) => id.startsWith(theirs)));
});

test('what is sent twice is known by its id: JetStream keeps it once', async () => {
  const before = await inNats();
  const again = (await inRedis()).length;
  await bus.rows(`update event_sinks set transaction_id = '0' where name in ('nats', 'redis')`);
  await eventually(async () => (await inRedis()).length === again + 40);
  const [nats] = await bus.rows<{ moved: boolean }>(`select transaction_id > '0' as moved from event_sinks where name = 'nats'`);
  if (!nats!.moved) await eventually(async () => (await bus.rows<{ moved: boolean }>(`select transaction_id > '0' as moved from event_sinks where name = 'nats'`))[0]!.moved); // prettier-ignore
  assert.equal(await inNats(), before);
});

test('a frozen Redis delays nobody else, and misses nothing once it goes on', async () => {
  const [execution, records, messages] = [newId(), kafka.records.length, await inNats()];
  redisServer.freeze();
  await tenant.emit(execution, 10);
  await eventually(async () => kafka.records.length === records + 10 && (await inNats()) === messages + 10);
  redisServer.thaw();
  await eventually(async () => first((await inRedis()).map(({ id }) => id), execution).length === 10); // prettier-ignore
  assert.deepEqual(first((await inRedis()).map(({ id }) => id), execution), idsOf(execution, 10)); // prettier-ignore
});

test('NATS whose stream does not take the subject says so, and gets what it missed, in order, once it does', async () => {
  const [before, execution] = [await inNats(), newId()];
  const sinkOf = async () => (await bus.rows<{ failures: number; last_error: string }>(`select failures, last_error from event_sinks where name = 'nats'`))[0]!; // prettier-ignore
  await streams.streams.update('EVENTS', { subjects: ['elsewhere.>'] });
  await tenant.emit(execution, 5);
  await eventually(async () => (await sinkOf()).failures > 0);
  assert.ok((await sinkOf()).last_error.length > 0);
  await streams.streams.update('EVENTS', { subjects: ['signalbox.events.>'] });
  await eventually(async () => (await inNats()) === before + 5);
  await eventually(async () => (await sinkOf()).failures === 0);
  const last = await streams.streams.getMessage('EVENTS', { last_by_subj: `signalbox.events.${tenant.id}.execution.started` });
  assert.equal(last!.header.get('Nats-Msg-Id'), `${execution}:5`);
});

/** A server that has just come back answers nothing for a moment. */
async function idsInNats(): Promise<string[]> {
  const { first_seq: from, last_seq: to } = (await streams.streams.info('EVENTS')).state;
  const messages = await Promise.all(
    Array.from({ length: to - from + 1 }, (_, at) => streams.streams.getMessage('EVENTS', { seq: from + at })),
  );
  return messages.map((message) => message!.header.get('Nats-Msg-Id'));
}
const arrived: Record<string, () => Promise<string[]> | string[]> = {
  redis: async () => (await inRedis()).map(({ id }) => id),
  nats: () => idsInNats().catch(() => []),
  kafka: () => kafka.records.map(({ value }) => JSON.parse(value).id as string),
};
const outages: Record<string, { begin(): Promise<void> | void; end(): Promise<void> | void }> = {
  redis: { begin: () => redisServer.stop('SIGKILL'), end: () => startRedis() },
  nats: { begin: () => natsServer.stop('SIGKILL'), end: () => startNats() },
  // Killed, the mock cluster would have forgotten everything.
  kafka: { begin: () => kafka.freeze(), end: () => kafka.thaw() },
};
for (const [name, { begin, end }] of Object.entries(outages)) {
  test(`${name} goes away while events are appended, and comes back: all are there, each execution in order, and no other sink waited`, async () => {
    const executions = [newId(), newId(), newId()];
    const has = async (sink: string, count: number) => {
      const ids = await arrived[sink]!();
      return executions.every((execution) => first(ids, execution).length === count);
    };
    const sinks = Object.keys(arrived);
    for (const execution of executions) await tenant.emit(execution, 5);
    for (const sink of sinks) await eventually(() => has(sink, 5));
    await Promise.all([
      begin(),
      (async () => {
        for (let round = 0; round < 10; round++) for (const execution of executions) await tenant.emit(execution);
      })(),
    ]);
    for (const sink of sinks.filter((each) => each !== name)) await eventually(() => has(sink, 15));
    await end();
    for (const execution of executions) await tenant.emit(execution);
    for (const sink of sinks) {
      await eventually(() => has(sink, 16));
      const ids = await arrived[sink]!();
      for (const execution of executions) assert.deepEqual(first(ids, execution), idsOf(execution, 16), sink);
    }
  });
}
