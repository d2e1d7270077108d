// Runs effects outside of any transaction, and aborts those whose execution has ended, that a kill switch covers, or whose process is
// shutting down.
import type { Hints } from '../events/hints.ts';
import { endedAmong } from '../executions/execution-reads.ts';
import { maxOutputBytes } from '../executions/execution.ts';
import type { Effect, ToolEffect } from '../executions/work.ts';
import type { Outbound } from '../outbound/outbound.ts';
import type { Destination } from '../rules/gate.ts';
import type { Clock } from '../platform/clock.ts';
import type { Database } from '../platform/database.ts';
import { storableJson } from '../platform/json.ts';
import type { Logger } from '../platform/logger.ts';
import type { ToolServers } from '../tools/tool-servers.ts';
import type { EffectResult } from './outcome.ts';
import { haltedAmong } from './halting.ts';
import { sendHttp, type EffectOutcome } from './http-effect.ts';

export interface Effects {
  perform(tenantId: string, executionId: string, effect: Effect): Promise<EffectResult>;
  /** A kill switch was engaged in the tenant, or in any (null): what it covers is aborted. Never throws. */
  switchEngaged(tenantId: string | null): Promise<void>;
  /** The process is going: what runs may end, and a tool server that ends first has only been quicker. */
  leave(): void;
  /** Aborts everything that still runs. */
  abandon(): void;
  close(): void;
}

export interface EffectDependencies {
  readonly clock: Clock;
  readonly database: Database;
  readonly hints: Hints;
  readonly toolServers: Pick<ToolServers, 'call'>;
  readonly outbound: Pick<Outbound, 'fetch'>;
  readonly logger: Logger;
  /** How often ended executions are looked for, for those that other processes ended; milliseconds. */
  readonly checkMs: number;
}

type Halt = { readonly killSwitchId: string };
type Reason = 'ended' | 'shutdown' | Halt;

/** An effect that was dispatched just before a switch was engaged may only begin after the switch was heard of; milliseconds. */
const recentMs = 10_000;

interface Running {
  readonly tenantId: string;
  readonly executionId: string;
  readonly effect: Effect;
  readonly redirectedTo: Destination[];
  readonly controller: AbortController;
}

export function createEffects({ clock, database, hints, toolServers, outbound, logger, checkMs }: EffectDependencies): Effects {
  const running = new Set<Running>();
  let abandoned = false;
  let leaving = false;

  const abort = (executionId: string) => {
    for (const effect of running) if (effect.executionId === executionId) effect.controller.abort('ended' satisfies Reason);
  };
  const unsubscribe = hints.subscribe(({ tenantId, executionId, final, remote }) => {
    const isRunning = () => [...running].some((each) => each.executionId === executionId && each.tenantId === tenantId);
    if (!final || !isRunning()) return;
    if (!remote) return abort(executionId);
    // What others say is looked at: a message must not be able to end anything.
    database
      .read(tenantId, (uow) => endedAmong(uow, [executionId]))
      .then(
        (ended) => ended.forEach(abort),
        (err: unknown) => logger.warn({ err }, 'could not look for an ended execution; trying again'),
      );
  });

  /** When a switch was heard of last, by tenant. */
  const engagedAt = new Map<string, number>();
  const isRecent = (tenantId: string) => performance.now() - (engagedAt.get(tenantId) ?? -Infinity) < recentMs;

  const abortCovered = (covered: Awaited<ReturnType<typeof haltedAmong<Running>>>) => {
    for (const { running: each, by } of covered) each.controller.abort({ killSwitchId: by.id } satisfies Reason);
  };
  const lookForHalted = (tenantId: string, among: readonly Running[]) =>
    database
      .read(tenantId, (uow) => haltedAmong(uow, among))
      .then(abortCovered, (err: unknown) => logger.warn({ err }, 'could not look what a kill switch covers; trying again'));

  /** Switches on where a redirect leads said nothing of the request; one engaged on it since then is looked for, too. */
  async function mayFollow(entry: Running, to: Destination): Promise<boolean> {
    entry.redirectedTo.push(to);
    await lookForHalted(entry.tenantId, [entry]);
    return !entry.controller.signal.aborted;
  }

  async function lookForAll(): Promise<void> {
    for (const [tenantId, effects] of Map.groupBy(running, (effect) => effect.tenantId)) {
      const ids = [...new Set(effects.map((effect) => effect.executionId))];
      const look = await database.read(tenantId, (uow) => Promise.all([endedAmong(uow, ids), haltedAmong(uow, effects)]));
      for (const id of look[0]) abort(id);
      abortCovered(look[1]);
    }
    for (const tenantId of engagedAt.keys()) if (!isRecent(tenantId)) engagedAt.delete(tenantId);
  }
  let looking = false;
  const timer = setInterval(() => {
    if (looking || (running.size === 0 && engagedAt.size === 0)) return;
    looking = true;
    lookForAll()
      .catch((err: unknown) => logger.warn({ err }, 'could not look for ended and halted executions; trying again'))
      .finally(() => (looking = false));
  }, checkMs);
  timer.unref();

  async function callTool(tenantId: string, effect: ToolEffect, signal: AbortSignal): Promise<EffectOutcome> {
    const { tool, arguments: args, timeoutMs, idempotencyKey, attempt, toolDigest: digest, remote } = effect;
    const options = { signal, timeoutMs, idempotencyKey, attempt, digest, ...(remote && { remote: { tenantId, ...remote } }) };
    const outcome = await toolServers.call(tool, args, options);
    if (!outcome.ok) return outcome;
    const output = storableJson(outcome.output);
    const bytes = Buffer.byteLength(output);
    if (bytes <= maxOutputBytes) return { ok: true, output };
    const message = `the output (${tool}) is ${bytes} bytes of JSON; at most ${maxOutputBytes} are kept`;
    return { ok: false, code: 'OUTPUT_TOO_LARGE', message, retryable: false, dispatched: true };
  }

  return {
    async perform(tenantId, executionId, effect) {
      const entry: Running = { tenantId, executionId, effect, redirectedTo: [], controller: new AbortController() };
      const { signal } = entry.controller;
      running.add(entry);
      const unwatch = hints.watch(tenantId);
      // Its transaction was committed just before the process gave everything up.
      if (abandoned) entry.controller.abort('shutdown' satisfies Reason);
      try {
        if (isRecent(tenantId)) await lookForHalted(tenantId, [entry]);
        if (typeof signal.reason === 'object' && 'killSwitchId' in signal.reason) return { kind: 'halted', ...(signal.reason as Halt) };
        const outcome =
          effect.kind === 'http'
            ? await sendHttp({ outbound, clock }, effect, signal, (to) => mayFollow(entry, to))
            : await callTool(tenantId, effect, signal);
        if (outcome.ok) return { kind: 'succeeded', output: outcome.output };
        const reason = signal.reason as Reason | undefined;
        if (reason === 'ended') return { kind: 'dropped' };
        if (typeof reason === 'object') return haltedOrLost(effect, outcome, reason);
        // A Ctrl-C in the terminal reaches the tool servers, too: what they broke off then was not a failure of the step.
        const cutOff = reason === 'shutdown' || (leaving && outcome.code === 'TOOL_SERVER_FAILED');
        if (cutOff) return { kind: 'interrupted', repeatable: !outcome.dispatched || effect.repeatable };
        const { stepId } = effect.slot;
        const message = outcome.code === 'OUTPUT_TOO_LARGE' ? `step "${stepId}": ${outcome.message}` : outcome.message;
        const failure = { code: outcome.code, message, stepId };
        return { kind: 'failed', failure, retryable: outcome.retryable, retryAfterMs: outcome.retryAfterMs };
      } finally {
        running.delete(entry);
        unwatch();
      }
    },
    async switchEngaged(tenantId) {
      const tenants = tenantId === null ? new Set([...running].map((each) => each.tenantId)) : [tenantId];
      for (const id of tenants) {
        engagedAt.set(id, performance.now());
        const among = [...running].filter((each) => each.tenantId === id);
        if (among.length > 0) await lookForHalted(id, among);
      }
    },
    leave() {
      leaving = true;
    },
    abandon() {
      abandoned = true;
      for (const effect of running) effect.controller.abort('shutdown' satisfies Reason);
    },
    close() {
      clearInterval(timer);
      unsubscribe();
    },
  };
}

/** One that must not be made twice, and perhaps was made, goes the way of those that lose their process: nobody knows what became of it. */
function haltedOrLost(effect: Effect, { dispatched }: EffectOutcome & { ok: false }, { killSwitchId }: Halt): EffectResult {
  if (effect.repeatable || !dispatched) return { kind: 'halted', killSwitchId };
  return { kind: 'interrupted', repeatable: false };
}
