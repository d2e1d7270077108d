// A database with tenants whose events are written straight into the feed, and relays that are turned by hand or run by themselves.
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { createServices, type Services } from '#src/app.ts';
import type { OperatorSink } from '#src/eventbus/operator-sink.ts';
import { createRelay, type Relay, type RelayDependencies, type RelayOptions } from '#src/eventbus/relay.ts';
import type { NewEvent } from '#src/events/catalogue.ts';
import { systemClock, type Clock } from '#src/platform/clock.ts';
import type { UnitOfWork } from '#src/platform/database.ts';
import { newId } from '#src/platform/ids.ts';
import { createLogger } from '#src/platform/logger.ts';
import { createSealer } from '#src/platform/sealing.ts';
import type { Authority, Role } from '#src/authority/permission.ts';
import { serverUrl, testDatabase, type TestDatabase } from './database.ts';
import { localOutbound as outbound } from './outbound.ts';

export interface BusTenant {
  readonly id: string;
  readonly name: string;
  readonly admin: Authority;
  with(roles: readonly Role[]): Authority;
  /** Appends so many events to an execution. */
  emit(executionId: string, count?: number, type?: NewEvent['type']): Promise<void>;
  write<T>(work: (uow: UnitOfWork) => Promise<T>): Promise<T>;
}

export interface Bus {
  readonly db: TestDatabase;
  readonly services: Services;
  readonly sealer: ReturnType<typeof createSealer>;
  tenant(more?: { isOperator?: boolean }): Promise<BusTenant>;
  /** With hints of its own it hears of nothing that is committed here. */
  relay(options?: Partial<RelayOptions>, more?: Partial<RelayDependencies>): Relay;
  /** Everything committed so far is in the feed: transactions of other test files on the server hold it back for a moment. */
  settle(): Promise<void>;
  /** As the superuser sees them. */
  rows<Row extends object>(sql: string, params?: readonly unknown[]): Promise<Row[]>;
  close(): Promise<void>;
}

const logger = createLogger({ level: 'silent' });

export interface TurnableClock extends Clock {
  advance(milliseconds: number): void;
}

/** Stands still but for `advance`. */
export function turnableClock(): TurnableClock {
  let now = Date.now();
  return { now: () => new Date(now), advance: (milliseconds) => (now += milliseconds) };
}

export async function eventBus(clock: Clock = systemClock): Promise<Bus> {
  const db = await testDatabase();
  const { database } = db;
  const sealer = createSealer(Buffer.alloc(32));
  const services = createServices({ clock, database, logger, remote: { outbound, sealer } });
  const relays: Relay[] = [];
  const superuser = new pg.Client({ connectionString: serverUrl(new URL(db.ownerUrl).pathname.slice(1)) });
  await superuser.connect();
  return {
    db,
    services,
    sealer,
    async tenant({ isOperator = false } = {}) {
      const id = newId();
      const name = `t-${id}`;
      const principalId = newId();
      await database.write(id, async (uow) => {
        await uow.rows('insert into tenants (id, tenant_id, name, is_operator, created_at) values ($1, $1, $2, $3, now())', [
          id,
          name,
          isOperator,
        ]);
        await uow.rows(`insert into principals (id, tenant_id, kind, name, created_at) values ($1, $2, 'user', 'p', now())`, [
          principalId,
          id,
        ]);
      });
      const heads = new Map<string, number>();
      const withRoles = (roles: readonly Role[]): Authority => ({
        ...{ tenantId: id, principalId, principalName: 'p', principalKind: 'user' as const, isOperatorTenant: isOperator },
        grants: roles.map((role) => ({ role, kind: 'tenant' as const, scopeId: id })),
      });
      return {
        id,
        name,
        admin: withRoles(['admin']),
        with: withRoles,
        async emit(executionId, count = 1, type = 'execution.started') {
          const first = (heads.get(executionId) ?? 0) + 1;
          heads.set(executionId, first + count - 1);
          const events = Array.from({ length: count }, () => ({ type, data: {} }) as NewEvent);
          await database.write(id, (uow) => services.events.append(uow, executionId, first, events, clock.now()));
        },
        write: (work) => database.write(id, work),
      };
    },
    relay(options = {}, more = {}) {
      const relay = createRelay(
        { clock, database, hints: services.hints, outbound, sealer, logger, random: () => 0.5, ...more },
        { connectionString: db.ownerUrl, sinks: [], ...options },
      );
      const once = { ...relay, stop: () => (stopped ??= relay.stop()) };
      let stopped: Promise<void> | undefined;
      relays.push(once);
      return once;
    },
    async settle() {
      const look = async (sql: string, params: unknown[] = []) => (await superuser.query<{ found: any }>(sql, params)).rows[0]!.found;
      const head = await look('select pg_snapshot_xmax(pg_current_snapshot())::text as found');
      while (!(await look('select pg_snapshot_xmin(pg_current_snapshot()) >= $1::xid8 as found', [head]))) await sleep(5);
    },
    rows: async <Row extends object>(sql: string, params: readonly unknown[] = []) => (await superuser.query<Row>(sql, [...params])).rows,
    async close() {
      await Promise.all(relays.map((relay) => relay.stop()));
      services.feed.close();
      await superuser.end();
      await db.close();
    },
  };
}

export const operatorSink = (name: string, target: OperatorSink['target'], more: Partial<OperatorSink> = {}): OperatorSink => ({
  ...{ name, target, types: [], from: 'now', maxAttempts: 50, maxAgeSeconds: 86_400 },
  ...more,
});
