// What a contender's process and the benchmark say to each other, and the closed loop that all contenders run alike.
// Programs of bench/peers import it, too: packages of Node only.

/** A contender that is ready to run executions. */
export interface Contender {
  /** Starts one execution of three steps. `finished` is called once for each that this process sees end. */
  begin(): Promise<void>;
  /** Answers a question of the benchmark's that only this contender knows. */
  ask?(question: string, input: unknown): Promise<unknown>;
  close(): Promise<void>;
}

export type ToContender =
  | { readonly type: 'setup'; readonly setup: unknown }
  /** Keep so many executions in flight for this time, then let them end. */
  | { readonly type: 'run'; readonly round: number; readonly inFlight: number; readonly windowMs: number }
  | { readonly type: 'ask'; readonly id: number; readonly question: string; readonly input: unknown }
  | { readonly type: 'close' };

export type FromContender =
  | { readonly type: 'ready' }
  /** `begun` and `ended` since the run began: a job may end in another process than the one that began it. */
  | { readonly type: 'tally'; readonly round: number; readonly begun: number; readonly ended: number }
  | { readonly type: 'answer'; readonly id: number; readonly value: unknown }
  | { readonly type: 'failed'; readonly message: string };

interface Round {
  readonly number: number;
  readonly startedAt: number;
  readonly windowMs: number;
  begun: number;
  ended: number;
}

/** The side of the contender: serves one benchmark until it says `close` or is gone. */
export function serveContender(open: (setup: never, finished: () => void) => Promise<Contender>): void {
  let contender: Contender | null = null;
  let round: Round | null = null;
  const tell = (message: FromContender) => process.send?.(message);
  const fail = (error: unknown) =>
    tell({ type: 'failed', message: error instanceof Error ? (error.stack ?? error.message) : String(error) });
  const isOver = ({ startedAt, windowMs }: Round) => performance.now() - startedAt >= windowMs;
  const report = ({ number, begun, ended }: Round) => tell({ type: 'tally', round: number, begun, ended });

  function next(running: Round): void {
    running.begun += 1;
    contender!.begin().catch(fail);
  }
  function finished(): void {
    if (!round) return;
    round.ended += 1;
    if (isOver(round)) report(round);
    else next(round);
  }
  function run({ round: number, inFlight, windowMs }: Extract<ToContender, { type: 'run' }>): void {
    const running: Round = { number, startedAt: performance.now(), windowMs, begun: 0, ended: 0 };
    round = running;
    for (let n = 0; n < inFlight; n += 1) next(running);
    setTimeout(() => report(running), windowMs + 1);
  }
  async function handle(message: ToContender): Promise<void> {
    switch (message.type) {
      case 'setup':
        contender = await open(message.setup as never, finished);
        return void tell({ type: 'ready' });
      case 'run':
        return run(message);
      case 'ask': {
        const value = await contender!.ask?.(message.question, message.input);
        return void tell({ type: 'answer', id: message.id, value });
      }
      case 'close':
        await contender?.close();
        process.exit(0);
    }
  }
  process.on('message', (message: ToContender) => void handle(message).catch(fail));
  // The benchmark is gone, however it went: so is this process.
  process.on('disconnect', () => process.exit(1));
}
