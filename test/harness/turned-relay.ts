// The relay of the event bus, turned by hand, and tenants with sinks at servers that answer as told. For one file of tests each.
import { after, before, type TestContext } from 'node:test';
import type { NewEventSink } from '#src/eventbus/event-sink-service.ts';
import { newId } from '#src/platform/ids.ts';
import { eventBus, turnableClock, type Bus, type BusTenant } from './event-bus.ts';
import { foreignServer, type ForeignServer } from './foreign-server.ts';

export const clock = turnableClock();
export let bus: Bus;
export let relay: ReturnType<Bus['relay']>;
before(async () => {
  bus = await eventBus(clock);
  relay = bus.relay();
});
after(() => bus.close());

export const work = async () => {
  await bus.settle();
  await relay.work();
};
export const sinks = () => bus.services.eventSinks;
export const create = (tenant: BusTenant, change: Partial<NewEventSink> = {}) =>
  tenant.write((uow) => sinks().createEventSink(uow, tenant.admin, { name: `s-${newId()}`, url: 'https://hooks.example.com/', ...change }));
export const idOf = ({ body }: { body: string }): string => JSON.parse(body).id;
export const idsOf = (server: ForeignServer) => server.requests.map(idOf);
export const health = async (tenant: BusTenant, id: string) => (await tenant.write((uow) => sinks().healthOfSinks(uow, [id])))[0]!;
export const deliveries = async (tenant: BusTenant, id: string) =>
  (await tenant.write((uow) => sinks().eventDeliveriesOf(uow, [id], {})))[0]!.rows;
/** The one sink of a tenant. */
export const onlySink = async (tenant: BusTenant) => (await tenant.write((uow) => sinks().listEventSinks(uow, tenant.admin, {}))).rows[0]!;

/** A tenant with one sink at a server that answers each event with the status that `answer` gives. */
export async function receiver(t: TestContext, answer: (id: string) => number = () => 204, change: Partial<NewEventSink> = {}) {
  const tenant = await bus.tenant();
  const server = await foreignServer(t, (_request, response, body) => void response.writeHead(answer(JSON.parse(body).id)).end());
  const { eventSink, secret } = await create(tenant, { url: `${server.origin}/events`, ...change });
  t.after(() => tenant.write((uow) => sinks().deleteEventSink(uow, tenant.admin, eventSink.id)).catch(() => undefined));
  return { tenant, server, secret, id: eventSink.id };
}
