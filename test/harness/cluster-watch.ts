// Those who watch a cluster: executions are started and followed through it, and at the end everybody must have exactly what Postgres has.
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { SignalboxClientError, type SignalboxClient } from '#client/index.ts';
import type { TestCluster } from './cluster.ts';
import { quantile } from '../../bench/statistics.ts';
import { eventually } from './eventually.ts';
import { keyOf } from './product-tenant.ts';
import { followBySse, type SeenEvent } from './sse-follow.ts';

/** What came of each event (see `lineOf`), in the order they came. */
type Seen = string[];

const lineOf = ({ sequence, type, stepId, itemIndex, occurredAt }: SeenEvent): string =>
  `${sequence} ${type} ${stepId ?? '–'} ${itemIndex ?? '–'} ${occurredAt}`;
/** The same of a row, in SQL. */
const storedLine = `sequence || ' ' || upper(replace(type, '.', '_')) || ' ' || coalesce(data->>'stepId', '–') || ' ' ||
  coalesce(nullif(data->>'itemIndex', '-1'), '–') || ' ' || to_char(occurred_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;

export interface Watch {
  /** Follows an execution to its end with each of these clients. */
  follow(executionId: string, clients: readonly SignalboxClient[]): void;
  /** The same over Server-Sent Events: `url` is the base of the gateway. */
  followBySse(executionId: string, url: string, apiKey: string): void;
  /** Follows everything of the tenant from now on, until `check`; resolves when it is live. */
  followTenant(client: SignalboxClient): Promise<void>;
  /** Resolves when every followed execution has ended for everybody; rejects as soon as one stream fails. */
  ended(): Promise<void>;
  /** Every list is that of Postgres, in order; gives how many events that were, and how many lists. */
  check(): Promise<{ events: number; lists: number }>;
  /** Watches for approvals, of which there are none, until it is returned: keeps the socket of its client open. */
  linger(client: SignalboxClient): { readonly isLive: boolean; return(): Promise<void> };
  /** Streams that are not at their end. */
  readonly open: number;
  /** How often a stream was interrupted and went on. */
  readonly interruptions: number;
  /** Milliseconds from the event (before its commit) to the client, of what came since this was asked for last. */
  takeDelays(): number[];
}

export function watchOf(cluster: TestCluster): Watch {
  const seen: { readonly executionId: string; readonly events: Seen }[] = [];
  const feeds: { readonly before: number; readonly events: Seen; leave(): Promise<void> }[] = [];
  const following: Promise<void>[] = [];
  let delays: number[] = [];
  let interruptions = 0;
  let open = 0;

  /** Everything of the tenant that Postgres has, in commit order. */
  async function feed(): Promise<Seen> {
    const rows = await cluster.rows<{ event: string }>(
      `select execution_id || ' ' || ${storedLine} as event from execution_events
       order by execution_events.transaction_id, execution_id, sequence`,
    );
    return rows.map(({ event }) => event);
  }

  async function followOne(executionId: string, client: SignalboxClient): Promise<void> {
    const took = taker(executionId);
    for await (const batch of client.executionEvents({ executionId }, { onInterrupted: () => (interruptions += 1) })) took(batch.events);
    open -= 1;
  }

  async function followOneBySse(executionId: string, url: string, apiKey: string): Promise<void> {
    await followBySse({ executionId, url, apiKey, onEvents: taker(executionId), onInterrupted: () => (interruptions += 1) });
    open -= 1;
  }

  function taker(executionId: string) {
    const events: Seen = [];
    seen.push({ executionId, events });
    open += 1;
    return (came: readonly SeenEvent[]) => {
      const now = Date.now();
      for (const event of came) {
        events.push(lineOf(event));
        delays.push(now - Date.parse(event.occurredAt));
      }
    };
  }

  function keep(followed: Promise<void>): void {
    followed.catch(() => undefined); // `ended` tells
    following.push(followed);
  }

  return {
    follow(executionId, clients) {
      for (const client of clients) keep(followOne(executionId, client));
    },
    async followTenant(client) {
      const [before, events, live] = [(await feed()).length, [] as Seen, Promise.withResolvers<void>()];
      const stream = client.tenantEvents({}, { onInterrupted: () => (interruptions += 1) });
      const read = async () => {
        for await (const batch of stream) {
          if (batch.caughtUp) live.resolve();
          events.push(...batch.events.map((event) => `${keyOf(event.executionId!)} ${lineOf(event)}`));
        }
      };
      const ended = read();
      ended.catch(live.reject);
      const leave = async () => {
        await stream.return();
        await ended;
      };
      feeds.push({ before, events, leave });
      await live.promise;
    },
    followBySse: (executionId, url, apiKey) => keep(followOneBySse(executionId, url, apiKey)),
    async ended() {
      await Promise.all(following);
    },
    async check() {
      const rows = await cluster.rows<{ id: string; events: Seen }>(
        `select execution_id as id, array_agg(${storedLine} order by sequence) as events from execution_events group by 1`,
      );
      const stored = new Map(rows.map(({ id, events }) => [id, events]));
      let events = 0;
      for (const { executionId, events: had } of seen) {
        assert.deepEqual(had, stored.get(keyOf(executionId)), `of ${executionId} (all ${had.length} events that came)`);
        events += had.length;
      }
      for (const { before, events: had, leave } of feeds) {
        const all = (await feed()).slice(before);
        await eventually(() => had.length >= all.length, () => `${had.length} of ${all.length} events of the tenant`, 120_000); // prettier-ignore
        await leave();
        assert.deepEqual(had, all, 'events of the tenant in commit order');
        events += had.length;
      }
      return { events, lists: seen.length + feeds.length };
    },
    linger(client) {
      const stream = client.approvalRequests({}, { onInterrupted: () => (interruptions += 1) });
      let isLive = false;
      const read = async () => {
        for await (const { caughtUp } of stream) isLive ||= caughtUp;
      };
      const ended = read();
      ended.catch(() => undefined); // returning it tells
      return {
        get isLive() {
          return isLive;
        },
        async return() {
          await stream.return();
          await ended;
        },
      };
    },
    get open() {
      return open;
    },
    get interruptions() {
      return interruptions;
    },
    takeDelays() {
      const taken = delays;
      delays = [];
      return taken;
    },
  };
}

/** Asks again while nobody can answer; what it asks for must be safe to repeat. */
export async function acknowledged<T>(ask: () => Promise<T>, onRefused: () => void = () => undefined): Promise<T> {
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      const passes = error instanceof SignalboxClientError && ['NETWORK', 'UNAVAILABLE'].includes(error.code);
      if (!passes) throw error;
      onRefused();
      await sleep(100);
    }
  }
}

/** `p50 12 ms, p99 80 ms, longest 90 ms of 300`. */
export const spread = (values: readonly number[]): string =>
  `p50 ${quantile(values, 0.5)} ms, p99 ${quantile(values, 0.99)} ms, longest ${quantile(values, 1)} ms of ${values.length}`;
