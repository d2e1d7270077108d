// A runner in a process of its own (see runner-fleet.ts): everything real but the tools, whose calls the parent answers over IPC.
import { createServices } from '#src/app.ts';
import { createEvaluator } from '#src/expressions/evaluator.ts';
import { ormOptions } from '#src/orm.ts';
import { openDatabase } from '#src/platform/database.ts';
import { createLogger } from '#src/platform/logger.ts';
import { createSealer } from '#src/platform/sealing.ts';
import { createRunner } from '#src/runner/runner.ts';
import { failure, type CallOptions, type ToolOutcome } from '#src/tools/tool-call.ts';
import type { ToolDescription } from '#src/tools/tool.ts';
import { localOutbound as outbound } from './outbound.ts';
import type { FromRunner, Setup, ToRunner } from './runner-fleet.ts';

const tell = (message: FromRunner) => process.send?.(message);

process.once('message', (setup: Setup) => {
  void serve(setup);
});

async function serve({ ownerUrl, appRole, tools, graceMs, concurrency, skewMs }: Setup): Promise<void> {
  const clock = { now: () => new Date(Date.now() + skewMs) };
  const logger = createLogger({ level: 'silent' });
  const database = await openDatabase(ormOptions({ url: ownerUrl, actAs: appRole, poolMax: 10 }));
  const services = createServices({ clock, database, logger, remote: { outbound, sealer: createSealer(Buffer.alloc(32)) } });
  const described = new Map(tools.map((tool: ToolDescription) => [tool.fullName, tool]));
  const answers = new Map<number, (outcome: ToolOutcome) => void>();
  let calls = 0;
  const toolServers = {
    describe: (name: string) => described.get(name) ?? null,
    call(tool: string, args: Readonly<Record<string, unknown>>, { signal, attempt = 0, idempotencyKey = '' }: CallOptions = {}) {
      const call = (calls += 1);
      return new Promise<ToolOutcome>((resolve) => {
        answers.set(call, resolve);
        signal?.addEventListener('abort', () => {
          tell({ type: 'aborted', call, reason: String(signal.reason) });
          resolve(failure('CANCELLED', 'aborted'));
        });
        tell({ type: 'call', call, tool, args, attempt, idempotencyKey });
      });
    },
  };
  const evaluator = createEvaluator({ workers: 1 });
  const runner = createRunner(
    { ...services, clock, database, evaluator, toolServers, outbound, logger },
    { connectionString: ownerUrl, concurrency, graceMs, takeoverCheckMs: 200, pollMs: 100 },
  );
  process.on('message', (message: ToRunner) => {
    if (message.type === 'answer') answers.get(message.call)?.(message.outcome);
    else {
      void runner.stop().then(async () => {
        services.feed.close();
        await evaluator.close();
        await database.close();
        process.disconnect();
      });
    }
  });
  await runner.start();
  tell({ type: 'ready' });
}
