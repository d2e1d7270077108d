// Signalbox under governance as a contender: asks about calls of an outside loop, and pulls a kill switch under running effects.
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { createServices } from '#src/app.ts';
import { createEvaluator } from '#src/expressions/evaluator.ts';
import { ormOptions } from '#src/orm.ts';
import { createOutbound } from '#src/outbound/guard.ts';
import { systemClock as clock } from '#src/platform/clock.ts';
import { openDatabase, type UnitOfWork } from '#src/platform/database.ts';
import { newId } from '#src/platform/ids.ts';
import { createLogger } from '#src/platform/logger.ts';
import { createRunner } from '#src/runner/runner.ts';
import type { CallOptions, ToolOutcome } from '#src/tools/tool-call.ts';
import type { ToolDescription } from '#src/tools/tool.ts';
import { serveContender } from '../protocol.ts';
import type { Place } from '../stand.ts';

export interface GovernedSetup {
  readonly place: Place;
  readonly agentId: string;
  readonly tool: ToolDescription;
}

/** How often; with `effects` so many run when the switch is pulled. */
export interface GovernedQuestion {
  readonly times: number;
  readonly effects?: number;
}

serveContender(async ({ place, agentId, tool }: GovernedSetup) => {
  const { environmentId, authority } = place;
  const { tenantId } = authority;
  const logger = createLogger({ level: 'error' });
  const database = await openDatabase(ormOptions({ url: place.appUrl, poolMax: 20 }));
  let running = 0;
  let lastEndedAt = 0;
  const toolServers = {
    describe: (name: string) => (name === tool.fullName ? tool : null),
    /** Runs until it is aborted. */
    async call(_tool: string, _args: object, { signal }: CallOptions = {}): Promise<ToolOutcome> {
      running += 1;
      if (signal && !signal.aborted) await once(signal, 'abort');
      running -= 1;
      lastEndedAt = performance.now();
      return { ok: false, code: 'CANCELLED', message: 'aborted', retryable: true, dispatched: true };
    },
  };
  const services = createServices({ clock, database, logger });
  const evaluator = createEvaluator();
  const runner = createRunner(
    { ...services, clock, database, evaluator, toolServers, outbound: createOutbound({ allow: [] }), logger },
    { connectionString: place.ownerUrl, concurrency: 50, graceMs: 5_000, takeoverCheckMs: 2_000 },
  );
  await runner.start();
  const write = <Value>(work: (uow: UnitOfWork) => Promise<Value>) => database.write(tenantId, work);
  const questions: Record<string, (question: GovernedQuestion) => Promise<number[]>> = {
    /** Milliseconds from the question to the durable answer, one after the other. */
    async authorize({ times }) {
      const values: number[] = [];
      for (let n = 0; n < times; n += 1) {
        const startedAt = performance.now();
        await write((uow) =>
          services.toolCalls.authorizeToolCall(uow, authority, {
            ...{ agentId, environmentId, tool: tool.fullName, arguments: { number: n }, idempotencyKey: newId() },
          }),
        );
        values.push(performance.now() - startedAt);
      }
      return values;
    },
    /** Milliseconds from the acknowledged switch to the end of the last effect. */
    async kill({ times, effects = 0 }) {
      const values: number[] = [];
      for (let n = 0; n < times; n += 1) {
        const started: string[] = [];
        for (let left = effects; left > 0; left -= 1) {
          const { id } = await write((uow) =>
            services.executions.startExecution(uow, authority, { agentId, environmentId, inputs: { number: left } }),
          );
          started.push(id);
        }
        while (running < effects) await delay(5);
        const { id } = await write((uow) =>
          services.killSwitches.engageKillSwitch(uow, authority, { scope: 'agent', scopeId: agentId, reason: 'bench' }),
        );
        const engagedAt = performance.now();
        while (running > 0) await delay(1);
        values.push(Math.max(0, lastEndedAt - engagedAt));
        for (const executionId of started) await write((uow) => services.executions.cancelExecution(uow, authority, { executionId }));
        await write((uow) => services.killSwitches.releaseKillSwitch(uow, authority, { killSwitchId: id }));
      }
      return values;
    },
  };
  return {
    begin: () => Promise.reject(new Error('this contender answers questions only')),
    ask: (question, input) => questions[question]!(input as GovernedQuestion),
    async close() {
      await runner.stop();
      services.feed.close();
      await evaluator.close();
      await database.close();
    },
  };
});
