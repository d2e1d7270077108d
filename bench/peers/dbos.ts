// DBOS as a contender: a workflow of three journaled steps, nothing governed, on the same Postgres.
// The package is installed by the benchmark's first run only, so its types are named here as far as they are used.
import { serveContender } from '../protocol.ts';

export interface DbosSetup {
  readonly url: string;
  /** Differs between processes. */
  readonly executorId: string;
}

interface Dbos {
  setConfig(config: object): void;
  launch(): Promise<void>;
  shutdown(): Promise<void>;
  registerWorkflow<Input, Output>(work: (input: Input) => Promise<Output>, config: { name: string }): (input: Input) => Promise<Output>;
  startWorkflow<Input, Output>(workflow: (input: Input) => Promise<Output>): (input: Input) => Promise<{ getResult(): Promise<Output> }>;
  runStep<Output>(step: () => Promise<Output>, config: { name: string }): Promise<Output>;
}

const packageName: string = '@dbos-inc/dbos-sdk';

serveContender(async ({ url, executorId }: DbosSetup, finished) => {
  const { DBOS } = (await import(packageName)) as { DBOS: Dbos };
  const work = (number: number) => Promise.resolve({ text: '', content: [], structured: { number: number + 1 } });
  const workflow = DBOS.registerWorkflow(
    async (number: number) => {
      const one = await DBOS.runStep(() => work(number), { name: 'one' });
      const two = await DBOS.runStep(() => work(one.structured.number), { name: 'two' });
      return DBOS.runStep(() => work(two.structured.number), { name: 'three' });
    },
    { name: 'three' },
  );
  DBOS.setConfig({
    name: 'bench',
    systemDatabaseUrl: url,
    systemDatabasePoolSize: 20,
    logLevel: 'error',
    runAdminServer: false,
    executorID: executorId,
  });
  await DBOS.launch();
  return {
    async begin() {
      const handle = await DBOS.startWorkflow(workflow)(1);
      await handle.getResult();
      finished();
    },
    close: () => DBOS.shutdown(),
  };
});
