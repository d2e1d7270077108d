// A process that lives through the seeds its parent names, one after the other, on a database of its own (see scripts/simulate.ts).
import { openSimulator, type SimulatedLife } from './simulation.ts';

export type FromWorker =
  | { readonly type: 'ready' }
  | { readonly type: 'lived'; readonly seed: number; readonly life: SimulatedLife }
  | { readonly type: 'failed'; readonly seed: number; readonly message: string };
export type ToWorker = { readonly seed: number } | { readonly stop: true };

const tell = (message: FromWorker) => void process.send!(message);
const simulator = await openSimulator();

process.on('message', (message: ToWorker) => {
  if ('stop' in message) {
    void simulator.close().then(() => process.disconnect());
    return;
  }
  const { seed } = message;
  simulator.run(seed).then(
    (life) => tell({ type: 'lived', seed, life }),
    (error: unknown) => tell({ type: 'failed', seed, message: error instanceof Error ? error.message : String(error) }),
  );
});
tell({ type: 'ready' });
