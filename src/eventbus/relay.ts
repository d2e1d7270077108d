// The relay of a runner process: leases sinks that have something to do, sends their events, each sink in a loop of its own, and gives
// them back. Any number of processes share the sinks; what a dead one held goes on elsewhere once its lease has run out.
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import type { Hints } from '../events/hints.ts';
import type { Outbound } from '../outbound/outbound.ts';
import type { Clock } from '../platform/clock.ts';
import type { Database } from '../platform/database.ts';
import { newId } from '../platform/ids.ts';
import type { Logger } from '../platform/logger.ts';
import type { Sealer } from '../platform/sealing.ts';
import { sinkLimits } from './event-sink.ts';
import { announceOperatorSinks } from './operator-sinks.ts';
import type { OperatorSink } from './operator-sink.ts';
import { carryTurn } from './relay-carry.ts';
import { createTurns } from './relay-turns.ts';
import { createSenders } from './senders.ts';
import type { Lease } from './turn.ts';

export interface RelayDependencies {
  readonly clock: Clock;
  readonly database: Database;
  readonly hints: Hints;
  readonly outbound: Pick<Outbound, 'fetch'>;
  readonly sealer: Sealer;
  readonly logger: Logger;
  /** In [0, 1): spreads retries. */
  readonly random: () => number;
}

export interface RelayOptions {
  /** URL of the role that owns the tables: it sees the sinks of all tenants. */
  readonly connectionString: string;
  /** Sinks of the operator that this process knows how to reach. */
  readonly sinks: readonly OperatorSink[];
  /** How often events that no hint told of are looked for; milliseconds. */
  readonly pollMs?: number | undefined;
  /** How long a sink belongs to a process that gives no sign of life; milliseconds. */
  readonly leaseMs?: number | undefined;
}

export interface Relay {
  start(): Promise<void>;
  /** Relays all that is due by the clock; resolves when nothing is. */
  work(): Promise<void>;
  /** What is being sent is not waited for: another process sends it again. */
  stop(): Promise<void>;
}

/** Sinks at a time in a process; besides them those that failed last, and those that have kept a place for long: they take none of the others. */
const mostSinks = 64;
const mostFailing = 32;
const mostSlow = 32;
const slowMs = 1_000;
/** After which a sink is given back, so that others get their turn; milliseconds. */
const leaseSliceMs = 5_000;
/** So long a sink rests whose turn failed: what was sent may have arrived, and is sent again. */
const restMs = 1_000;
/** After a hint: lets more of them come, and the transactions around it end. */
const settleMs = 20;

interface Holding {
  readonly lease: Lease;
  readonly isFailing: boolean;
  /** From when, and how long, by the clock of this process: a little before others may take it. */
  readonly since: number;
  until: number;
  readonly stop: AbortController;
  readonly done: Promise<void>;
}

export function createRelay(deps: RelayDependencies, options: RelayOptions): Relay {
  const { clock, database, hints, logger } = deps;
  const { connectionString, sinks, pollMs = 1_000, leaseMs = 6_000 } = options;
  const owner = newId();
  const connections = (max: number) =>
    new pg.Pool({ connectionString, max, application_name: 'signalbox-relay', query_timeout: 30_000 }).on('error', (err) =>
      logger.debug({ err }, 'the event bus lost a connection'),
    );
  const pool = connections(2);
  /** Of its own: leases do not run out because feeds are slow to read. */
  const renewing = connections(1);
  const turns = createTurns({ database, pool, owner });
  const senders = createSenders(deps, sinks);
  const names = sinks.map(({ name }) => name);
  const held = new Map<string, Holding>();
  const stopping = new AbortController();
  let looking: Promise<number> | null = null;

  async function carry(lease: Lease, signal: AbortSignal): Promise<void> {
    const until = performance.now() + leaseSliceMs;
    let hasFailed = false;
    try {
      while (!signal.aborted && performance.now() < until) {
        if (!(await carryTurn({ ...deps, turns, senders }, lease, signal))) break;
      }
    } catch (err) {
      hasFailed = true;
      logger.warn({ err, sink: lease.id }, 'events could not be relayed; trying again');
    }
    // What was being sent when the signal came may have arrived: a lease that is given back at once would send it again at once.
    if (!signal.aborted || stopping.signal.aborted) await turns.release(lease, hasFailed ? restMs : 0);
  }

  async function look(): Promise<number> {
    if (stopping.signal.aborted) return 0;
    const since = performance.now();
    const working = [...held.values()].filter(({ isFailing }) => !isFailing);
    const slow = working.filter((each) => since - each.since > slowMs).length;
    const room = mostSinks - working.length + Math.min(slow, mostSlow);
    const poorRoom = mostFailing - (held.size - working.length);
    const { rows } = await pool.query<Lease & { tenantId: string; failures: number }>(
      `select c.id, c.tenant_id as "tenantId", c.fence, s.failures from eventbus.claim($1, $2, $3, $4, $5, $6, $7) c
       join event_sinks s on s.id = c.id`,
      [owner, leaseMs, clock.now(), room, poorRoom, sinkLimits.pending, names],
    );
    for (const { failures, ...lease } of rows) {
      const stop = new AbortController();
      const done = carry(lease, AbortSignal.any([stop.signal, stopping.signal]))
        .catch((err: unknown) => logger.warn({ err, sink: lease.id }, 'a sink could not be given back; its lease runs out'))
        .finally(() => {
          // Its lease may have run out meanwhile, and the next one be here already.
          if (held.get(lease.id)?.lease === lease) held.delete(lease.id);
          lookSoon();
        });
      held.set(lease.id, { lease, isFailing: failures > 0, since, until: since + leaseMs, stop, done });
    }
    return rows.length;
  }

  /** One look at a time. */
  async function lookInTurn(): Promise<number> {
    while (looking) await looking.catch(() => 0);
    looking = look();
    try {
      return await looking;
    } finally {
      looking = null;
    }
  }

  let soon: NodeJS.Timeout | undefined;
  function lookSoon(): void {
    if (stopping.signal.aborted || !started) return;
    soon ??= setTimeout(() => {
      soon = undefined;
      lookInTurn().catch((err: unknown) => logger.warn({ err }, 'sinks of events could not be looked at; trying again'));
    }, settleMs).unref();
  }

  /** Only what is worked on. A sink that a long change has locked is neither renewed nor lost: it stays ours until its lease runs out. */
  async function renew(): Promise<void> {
    const asked = [...held.values()];
    if (asked.length === 0) return;
    const until = performance.now() + leaseMs;
    const { rows } = await renewing.query<{ id: string; fence: number; renewed: boolean }>(
      'select id, fence, renewed from eventbus.renew($1, $2, $3, $4)',
      [owner, leaseMs, asked.map(({ lease }) => lease.id), asked.map(({ lease }) => lease.fence)],
    );
    const own = new Map(rows.map(({ id, fence, renewed }) => [`${id} ${fence}`, renewed]));
    for (const each of asked) {
      const renewed = own.get(`${each.lease.id} ${each.lease.fence}`);
      if (renewed) each.until = until;
      else if (renewed === undefined) each.stop.abort(new Error('the sink was paused, removed, or taken over'));
    }
  }

  async function keepLeases(): Promise<void> {
    for (;;) {
      await sleep(leaseMs / 3, undefined, { ref: false, signal: stopping.signal });
      await renew().catch((err: unknown) => logger.warn({ err }, 'leases of sinks could not be renewed; trying again'));
    }
  }

  /** Not by the answers of Postgres, which may be late: others may take these by now. */
  function dropExpired(): void {
    for (const { until, stop } of held.values()) if (performance.now() > until) stop.abort(new Error('the lease ran out'));
  }

  let started = false;
  let unsubscribe = () => {};
  let timer: NodeJS.Timeout | undefined;
  let expiring: NodeJS.Timeout | undefined;
  return {
    async start() {
      await announceOperatorSinks(pool, sinks, clock.now());
      started = true;
      unsubscribe = hints.subscribe(lookSoon);
      timer = setInterval(lookSoon, pollMs).unref();
      expiring = setInterval(dropExpired, leaseMs / 10).unref();
      keepLeases().catch(() => undefined);
      lookSoon();
    },
    async work() {
      if (!started) await announceOperatorSinks(pool, sinks, clock.now());
      while ((await lookInTurn()) > 0) await Promise.all([...held.values()].map(({ done }) => done));
    },
    async stop() {
      unsubscribe();
      clearInterval(timer);
      clearInterval(expiring);
      clearTimeout(soon);
      stopping.abort(new Error('the relay is stopping'));
      await looking?.catch(() => 0);
      await Promise.all([...held.values()].map(({ done }) => done));
      await senders.close();
      await Promise.all([pool.end(), renewing.end()]);
    },
  };
}
