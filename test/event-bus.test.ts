// The relay from the feed to signed webhooks, turned by hand: envelope, order, filters, retries, dead letters, secrets, pause.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CloudEvent, HTTP } from 'cloudevents';
import pg from 'pg';
import { toGlobalId } from '#schema/ids.ts';
import { envelopeOf } from '#src/eventbus/cloud-event.ts';
import type { NewEventSink } from '#src/eventbus/event-sink-service.ts';
import { eventDelayMs, healthOf, sinkDelayMs } from '#src/eventbus/event-sink.ts';
import { tenantCursor } from '#src/events/cursor.ts';
import { CursorExpiredError, InvalidCursorError, ValidationError } from '#src/platform/errors.ts';
import { newId } from '#src/platform/ids.ts';
import type { Authority } from '#src/authority/permission.ts';
import { webhookLimits } from '#src/webhooks/webhook.ts';
import { operatorSink } from './harness/event-bus.ts';
import { foreignServer } from './harness/foreign-server.ts';
import { verifySigned } from './harness/standard-webhooks.ts';
import { bus, clock, create, health, idsOf, onlySink, receiver, relay, sinks, work } from './harness/turned-relay.ts';

const asOwner = async <T>(ask: (owner: pg.Client) => Promise<T>): Promise<T> => {
  const owner = new pg.Client({ connectionString: bus.db.ownerUrl });
  await owner.connect();
  return ask(owner).finally(() => owner.end());
};

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
    assert.equal((await health(tenant, (await onlySink(tenant)).id)).lagEvents, 0);
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

it('a sink of the operator reads the first events of all its tenants together, and of the others nothing but their place', async () => {
  const operator = await bus.tenant({ isOperator: true });
  const tenants = await Promise.all([bus.tenant(), bus.tenant(), bus.tenant()]);
  const target = { kind: 'kafka', brokers: ['127.0.0.1:1'], topic: 'events', tls: false } as const;
  await bus.relay({ sinks: [operatorSink('lake', target, { tenants: tenants.map(({ name }) => name) })] }).work();
  const { id } = await onlySink(operator);
  const executions = tenants.map(newId);
  const [project, environment, agent] = [newId(), newId(), newId()];
  await tenants[0].write((uow) => uow.rows(`insert into executions (id, tenant_id, project_id, environment_id, agent_id, agent_version_id, status, inputs, labels, request_digest, requested_by, requested_roles, created_at) values ($1, $2, $3, $4, $5, $5, 'queued', '{}', '{}', '', $5, '{}', now())`, [executions[0], tenants[0].id, project, environment, agent])); // prettier-ignore
  // Those of the last tenant come behind those of the others.
  for (const [index, count] of [[0, 2], [1, 3], [0, 1], [1, 1], [0, 3], [2, 7]] as const) await tenants[index].emit(executions[index]!, count); // prettier-ignore
  await operator.emit(newId());
  await bus.settle();
  const columns = 'tenant_id, execution_id, sequence, type, data, occurred_at, transaction_id, project_id, environment_id';
  const order = 'order by transaction_id, execution_id, sequence';
  const all = await bus.rows<{ project_id: string | null }>(
    `select ${columns} from execution_events e left join (select id as execution_id, project_id, environment_id from executions) x using (execution_id)
     where execution_id = any($1) ${order}`, [executions]); // prettier-ignore
  assert.deepEqual([all.length, all[0]!.project_id, all[2]!.project_id], [17, project, null]);
  for (const most of [1, 3, 7, 10, 17, 200]) {
    const { rows } = await asOwner((owner) => owner.query(`select ${columns} from eventbus.operator_feed($1, $2)`, [id, most]));
    assert.equal(rows.length, Math.min(most, all.length), 'no more than is asked for is looked up');
    const sorted = await asOwner((owner) => owner.query(`select ${columns} from eventbus.operator_feed($1, $2) ${order}`, [id, most]));
    assert.deepEqual(sorted.rows, all.slice(0, most));
  }
  await operator.write((uow) => sinks().deleteEventSink(uow, operator.admin, id));
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
