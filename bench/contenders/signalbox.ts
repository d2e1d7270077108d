// Signalbox as a contender: services and a runner as `signalbox start` composes them, with a tool that answers at once.
// Starts executions by the service, and sees them end by the hints of its own runner.
import { setTimeout as delay } from 'node:timers/promises';
import { createServices } from '#src/app.ts';
import { createEvaluator } from '#src/expressions/evaluator.ts';
import { ormOptions } from '#src/orm.ts';
import { createOutbound } from '#src/outbound/guard.ts';
import { systemClock as clock } from '#src/platform/clock.ts';
import { openDatabase } from '#src/platform/database.ts';
import { createLogger } from '#src/platform/logger.ts';
import { createRunner } from '#src/runner/runner.ts';
import type { ToolOutcome } from '#src/tools/tool-call.ts';
import type { ToolDescription } from '#src/tools/tool.ts';
import { serveContender } from '../protocol.ts';
import type { Place } from '../stand.ts';

export interface SignalboxSetup {
  readonly place: Place;
  readonly agentId: string;
  readonly tool: ToolDescription;
  /** Jobs at a time. */
  readonly concurrency: number;
}

/** What `ask` takes: how often, one after the other, with nothing else to do in between. */
export interface Question {
  readonly agentId: string;
  readonly times: number;
  /** Input `number` of the execution. */
  readonly number?: number;
}

/** Idle is idle: what the last execution left to do is done after this time. */
const idleMs = 25;

serveContender(async ({ place, agentId, tool, concurrency }: SignalboxSetup, finished) => {
  const { environmentId, authority, reviewer } = place;
  const logger = createLogger({ level: 'error' });
  const database = await openDatabase(ormOptions({ url: place.appUrl, poolMax: 20 }));
  let calledAt = 0;
  const toolServers = {
    describe: (name: string) => (name === tool.fullName ? tool : null),
    call(_tool: string, args: Readonly<Record<string, unknown>>): Promise<ToolOutcome> {
      calledAt = performance.now();
      return Promise.resolve({ ok: true, output: { text: '', content: [], structured: { number: (args['number'] as number) + 1 } } });
    },
  };
  const services = createServices({ clock, database, logger });
  const evaluator = createEvaluator();
  const runner = createRunner(
    { ...services, clock, database, evaluator, toolServers, outbound: createOutbound({ allow: [] }), logger },
    { connectionString: place.ownerUrl, concurrency, graceMs: 5_000, takeoverCheckMs: 2_000 },
  );
  let ended = () => finished();
  let asked = () => {};
  services.hints.subscribe((hint) => {
    if (hint.final) ended();
    else if (hint.approvals) asked();
  });
  await runner.start();

  const start = (id: string, number = 1) =>
    database.write(authority.tenantId, (uow) =>
      services.executions.startExecution(uow, authority, { agentId: id, environmentId, inputs: { number } }),
    );
  /** One execution after the other; `carry` gets the next end and request for approval as promises. */
  async function oneByOne(times: number, carry: (end: Promise<void>, request: Promise<void>) => Promise<number>): Promise<number[]> {
    const values: number[] = [];
    for (let n = 0; n < times; n += 1) {
      const [end, request] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
      ended = end.resolve;
      asked = request.resolve;
      values.push(await carry(end.promise, request.promise));
      await delay(idleMs);
    }
    ended = () => finished();
    asked = () => {};
    return values;
  }
  const questions: Record<string, (question: Question) => Promise<number[]>> = {
    /** Milliseconds from the acknowledged start to the first call of the tool. */
    firstStep: (question) =>
      oneByOne(question.times, async (end) => {
        calledAt = 0;
        await start(question.agentId);
        const acknowledgedAt = performance.now();
        await end;
        return Math.max(0, calledAt - acknowledgedAt);
      }),
    /** Milliseconds from the acknowledged decision to the call of the tool behind it. */
    approval: (question) =>
      oneByOne(question.times, async (end, request) => {
        const { id } = await start(question.agentId);
        await request;
        const { rows } = await database.read(authority.tenantId, (uow) =>
          services.approvals.listApprovals(uow, reviewer, { executionId: id }, {}),
        );
        await database.write(authority.tenantId, (uow) =>
          services.approvals.decide(uow, reviewer, { approvalId: rows[0]!.id, decision: 'approve' }),
        );
        const decidedAt = performance.now();
        await end;
        return Math.max(0, calledAt - decidedAt);
      }),
    /** Milliseconds from start to end. */
    whole: (question) =>
      oneByOne(question.times, async (end) => {
        const startedAt = performance.now();
        await start(question.agentId, question.number);
        await end;
        return performance.now() - startedAt;
      }),
  };
  return {
    async begin() {
      await start(agentId);
    },
    ask: (question, input) => questions[question]!(input as Question),
    async close() {
      await runner.stop();
      services.feed.close();
      await evaluator.close();
      await database.close();
    },
  };
});
