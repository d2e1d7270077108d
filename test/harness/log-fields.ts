// A subscription that only tests have: numbers from a log in memory, with history and cursor, as the product's streams have them.
import { builder } from '#schema/builder.ts';
import '#schema/index.ts';
import { subscription } from '#schema/subscription.ts';
import { InvalidCursorError, UnavailableError } from '#src/platform/errors.ts';

export class TestLog {
  length = 0;
  isFinal = false;
  subscriptions = 0;
  stopped = 0;
  /** As many subscriptions end with UNAVAILABLE at once. */
  unavailable = 0;
  #wake = Promise.withResolvers<void>();

  append(count = 1, isFinal = false): void {
    this.length += count;
    this.isFinal = isFinal;
    this.wake();
  }
  wake(): void {
    this.#wake.resolve();
    this.#wake = Promise.withResolvers();
  }

  async *read(after: string | null, signal: AbortSignal): AsyncGenerator<LogBatch> {
    this.subscriptions++;
    if (this.unavailable-- > 0) throw new UnavailableError('not now');
    signal.addEventListener('abort', () => {
      this.stopped++;
      this.wake();
    });
    let position = after === null ? 0 : Number(/^log:(\d+)$/.exec(after)?.[1] ?? Number.NaN);
    if (!(position <= this.length)) throw new InvalidCursorError(`after: "${after}" is not a cursor of this log`);
    while (!signal.aborted) {
      const numbers = Array.from({ length: Math.min(7, this.length - position) }, (_, index) => position + index + 1);
      position += numbers.length;
      const caughtUp = position === this.length;
      if (numbers.length > 0) yield { numbers, cursor: `log:${position}`, caughtUp };
      if (caughtUp && this.isFinal) return;
      if (caughtUp) await this.#wake.promise;
    }
  }
}

export const logs = new Map<string, TestLog>();

interface LogBatch {
  readonly numbers: number[];
  readonly cursor: string;
  readonly caughtUp: boolean;
}
const LogBatchType = builder.objectRef<LogBatch>('TestLogBatch').implement({
  description: 'Some numbers.',
  fields: (t) => ({
    numbers: t.exposeIntList('numbers', { description: 'In order.' }),
    cursor: t.exposeString('cursor', { description: 'After them.' }),
    caughtUp: t.exposeBoolean('caughtUp', { description: 'They were the last ones for now.' }),
  }),
});

subscription('testLog', {
  description: 'The numbers of a log, after a cursor.',
  type: LogBatchType,
  permission: 'project.read',
  args: (t) => ({
    name: t.string({ required: true, description: 'Name of the log.' }),
    after: t.string({ description: 'Cursor.' }),
  }),
  source: ({ signal }, { name, after }) => logs.get(name)!.read(after ?? null, signal),
});
