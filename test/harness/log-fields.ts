// A subscription that only tests have: numbers from a log in memory, with history and cursor, as the product's streams have them.
import { builder } from '#schema/builder.ts';
import '#schema/index.ts';
import { subscription } from '#schema/subscription.ts';
import type { LiveBatch, LiveStream } from '#src/events/live-stream.ts';
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

  stream(signal: AbortSignal): LiveStream<LogBatch> {
    signal.addEventListener('abort', () => {
      this.stopped++;
      this.wake();
    });
    const placeOf = (cursor: string) => {
      const place = Number(/^log:(\d+)$/.exec(cursor)?.[1] ?? Number.NaN);
      if (!(place <= this.length)) throw new InvalidCursorError(`after: "${cursor}" is not a cursor of this log`);
      return place;
    };
    /** Seven numbers at most. */
    const page = (from: number, until: number): LogBatch => {
      const numbers = Array.from({ length: Math.min(7, until - from) }, (_, index) => from + index + 1);
      return { numbers, cursor: `log:${from + numbers.length}`, caughtUp: from + numbers.length === until };
    };
    return {
      head: async () => {
        this.subscriptions++;
        if (this.unavailable-- > 0) throw new UnavailableError('not now');
        return `log:${this.length}`;
      },
      async *history(after, until) {
        for (let batch = page(after === null ? 0 : placeOf(after), placeOf(until)); ; batch = page(placeOf(batch.cursor), placeOf(until))) {
          yield batch;
          if (batch.caughtUp) return;
        }
      },
      live: (from) => this.#live(placeOf(from), signal),
      compare: (a, b) => placeOf(a) - placeOf(b),
    };
  }

  async *#live(from: number, signal: AbortSignal): AsyncGenerator<LogBatch> {
    for (let position = from; !signal.aborted;) {
      const woken = this.#wake.promise;
      const numbers = Array.from({ length: Math.min(7, this.length - position) }, (_, index) => position + index + 1);
      position += numbers.length;
      const caughtUp = position === this.length;
      if (numbers.length > 0) yield { numbers, cursor: `log:${position}`, caughtUp };
      if (caughtUp && this.isFinal) return;
      if (caughtUp && position === this.length) await woken;
    }
  }
}

export const logs = new Map<string, TestLog>();

interface LogBatch extends LiveBatch {
  readonly numbers: number[];
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
  args: (t) => ({ name: t.string({ required: true, description: 'Name of the log.' }) }),
  after: 'Cursor.',
  source: ({ signal }, { name }) => logs.get(name)!.stream(signal),
});
