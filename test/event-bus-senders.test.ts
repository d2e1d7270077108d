// What sinks of the operator answer, at real servers: acknowledgements that get lost, events that are refused, who signs on and how.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it, type TestContext } from 'node:test';
import { jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { Redis } from 'ioredis';
import { natsSender, type NatsTarget } from '#src/eventbus/send-nats.ts';
import { redisSender } from '#src/eventbus/send-redis.ts';
import { connection, SendError, type Sender } from '#src/eventbus/sender.ts';
import { newId } from '#src/platform/ids.ts';
import { newSecret } from '#src/webhooks/webhook.ts';
import { freePort, startDaemon } from './harness/daemon.ts';
import { eventBus, operatorSink, type Bus, type BusTenant } from './harness/event-bus.ts';
import { eventually } from './harness/eventually.ts';
import { foreignServer } from './harness/foreign-server.ts';
import { kafkaMock } from './harness/kafka-mock.ts';
import { kafkaProxy } from './harness/kafka-proxy.ts';
import { verifySigned } from './harness/standard-webhooks.ts';

const never = new AbortController().signal;
const event = (body = '{}', executionId = newId()) => ({ id: `${executionId}:1`, tenantId: newId(), executionId, type: 'execution.started', body }); // prettier-ignore
const opened = (t: TestContext, sender: Sender): Sender => {
  t.after(() => sender.close());
  return sender;
};
function folder(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'signalbox-senders-'));
  t.after(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

describe('by the relay', () => {
  let bus: Bus;
  let operator: BusTenant;
  before(async () => {
    bus = await eventBus();
    operator = await bus.tenant({ isOperator: true });
  });
  after(() => bus.close());
  const sinkOf = async (name: string) => (await bus.rows<{ failures: number; last_error: string | null }>('select failures, last_error from event_sinks where name = $1', [name]))[0]!; // prettier-ignore

  it('what Kafka has not acknowledged is sent again; what it refuses is kept apart, on the same connection', async (t) => {
    const kafka = await kafkaMock('events');
    t.after(() => kafka.stop());
    const proxy = await kafkaProxy(kafka.broker, 'events');
    t.after(() => proxy.close());
    const relay = bus.relay({ pollMs: 50, sinks: [operatorSink('kafka', { kind: 'kafka', brokers: [proxy.broker], topic: 'events', tls: false })] }); // prettier-ignore
    await relay.start();
    const idsOf = (execution: string) => kafka.records.filter(({ key }) => key === execution).map(({ value }) => JSON.parse(value).id);
    const execution = newId();
    proxy.answers.push('cut');
    await operator.emit(execution, 3);
    await eventually(() => idsOf(execution).length === 4, () => idsOf(execution)); // prettier-ignore
    assert.deepEqual(idsOf(execution), [1, 1, 2, 3].map((sequence) => `${execution}:${sequence}`)); // prettier-ignore
    await eventually(async () => (await sinkOf('kafka')).failures === 0);

    const [before, [poor, others]] = [proxy.connections, [newId(), Array.from({ length: 7 }, newId)]];
    proxy.answers.push({ code: 10 });
    await operator.emit(poor);
    await eventually(async () => /message larger than the max message size/.test((await sinkOf('kafka')).last_error ?? ''));
    for (const each of others) await operator.emit(each);
    await eventually(() => others.every((each) => idsOf(each).length > 0) && idsOf(poor).length === 2);
    assert.equal(proxy.connections, before);
    const [{ failures, last_error: error }] = [await sinkOf('kafka')];
    assert.equal(failures, 0, error!);
    await relay.stop();
  });

  it('a webhook of the operator is signed by its secret and, during a rotation, the one before', async (t) => {
    const server = await foreignServer(t, (_request, response) => void response.writeHead(204).end());
    const secrets = [newSecret(), newSecret()];
    const relay = bus.relay({ sinks: [operatorSink('hook', { kind: 'webhook', url: server.origin, secrets })] });
    await relay.work();
    const execution = newId();
    await operator.emit(execution);
    await bus.settle();
    await relay.work();
    assert.equal(server.requests.length, 1);
    for (const each of secrets) assert.equal(verifySigned(each, server.requests[0]!).id, `${execution}:1`);
  });
});

it('a connection that cannot be opened is opened anew, whatever the error says of events', async () => {
  let opened = 0;
  const open = async () => assert.fail(`${(opened += 1)}`);
  const { use } = connection(open, () => undefined, () => true); // prettier-ignore
  for (const message of ['1', '2'])
    await assert.rejects(
      use(never, async () => undefined),
      { blame: 'sink', message },
    );
});

describe('NATS', () => {
  async function nats(t: TestContext, settings: string, login: Pick<NatsTarget, 'user' | 'password' | 'token'>) {
    const [path, port] = [folder(t), await freePort()];
    writeFileSync(join(path, 'nats.conf'), `listen: 127.0.0.1:${port}\njetstream { store_dir: "${path}" }\n${settings}\n`);
    const server = await startDaemon('nats-server', ['-c', join(path, 'nats.conf')], port);
    t.after(() => server.stop('SIGKILL'));
    const { user, password: pass, token } = login;
    const client = await connect({ servers: `127.0.0.1:${port}`, ...(user && { user, pass }), ...(token && { token }) });
    t.after(() => client.close());
    const streams = (await jetstreamManager(client)).streams;
    await streams.add({ name: 'EVENTS', subjects: ['events.>'], max_msg_size: 4_096 });
    const kept = async () => (await streams.info('EVENTS')).state.messages;
    return { target: { servers: [`127.0.0.1:${port}`], subject: 'events', tls: false }, kept };
  }

  for (const [size, whose] of [
    [9_000, 'the server'],
    [5_000, 'the stream'],
  ] as const) {
    // prettier-ignore
    it(`an event too large for ${whose} is refused alone: those on their way with it arrive`, async (t) => {
      const { target, kept } = await nats(t, 'max_payload: 8KB', {});
      const sender = opened(t, natsSender(target));
      const sent = await Promise.allSettled([...Array.from({ length: 7 }, () => event()), event('x'.repeat(size))].map((each) => sender.send(each, never))); // prettier-ignore
      assert.deepEqual(sent.map(({ status }) => status), [...Array.from({ length: 7 }, () => 'fulfilled'), 'rejected']); // prettier-ignore
      const { reason } = sent[7] as PromiseRejectedResult;
      assert.ok(reason instanceof SendError);
      assert.equal(reason.blame, 'event', reason.message);
      assert.equal(await kept(), 7);
    });
  }

  for (const [settings, login] of [
    ['authorization { user: relay, password: secret }', { user: 'relay', password: 'secret' }],
    ['authorization { token: secret }', { token: 'secret' }],
  ] as const) {
    it(`takes events by ${Object.keys(login).join(' and ')} only`, async (t) => {
      const { target, kept } = await nats(t, settings, login);
      await opened(t, natsSender({ ...target, ...login })).send(event(), never);
      assert.equal(await kept(), 1);
      const wrong = opened(t, natsSender({ ...target, ...login, ...('token' in login ? { token: 'x' } : { password: 'x' }) }));
      await assert.rejects(
        wrong.send(event(), never),
        (error: SendError) => error.blame === 'sink' && /authorization/i.test(error.message),
      );
    });
  }
});

describe('Redis', () => {
  it('keeps about as many entries as it is to, by user and password', async (t) => {
    const port = await freePort();
    const server = await startDaemon(
      'redis-server',
      ['--port', `${port}`, '--dir', folder(t), '--save', '', '--requirepass', 'secret'],
      port,
    );
    t.after(() => server.stop('SIGKILL'));
    const redis = new Redis(port, '127.0.0.1', { password: 'secret' });
    t.after(() => redis.disconnect());
    await redis.call('ACL', 'SETUSER', 'relay', 'on', '>other', '~events', '+xadd', '+client', '+info');
    const target = { url: `redis://127.0.0.1:${port}`, stream: 'events', username: 'relay', password: 'other' };
    const sender = opened(t, redisSender({ ...target, maxLength: 100 }));
    const events = Array.from({ length: 500 }, () => event());
    for (const each of events) await sender.send(each, never);
    const kept = (await redis.xrange('events', '-', '+')).map(([, fields]) => fields[1]);
    assert.ok(kept.length >= 100 && kept.length < 300, `${kept.length} are kept`);
    assert.deepEqual(kept, events.slice(-kept.length).map(({ id }) => id)); // prettier-ignore
    const wrong = opened(t, redisSender({ ...target, password: 'x' }));
    await assert.rejects(wrong.send(event(), never), (error: SendError) => error.blame === 'sink');
  });
});
