// Runners as real processes for one test engine: started, killed and stopped by the test, their tool calls answered by it.
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { ToolOutcome } from '#src/tools/tool-call.ts';
import type { ToolDescription } from '#src/tools/tool.ts';
import type { Engine } from './engine.ts';

export interface Setup {
  readonly ownerUrl: string;
  readonly appRole: string;
  readonly tools: readonly ToolDescription[];
  readonly graceMs: number;
  readonly concurrency: number;
  /** How far its clock is ahead; milliseconds. */
  readonly skewMs: number;
}

interface CallMessage {
  readonly call: number;
  readonly tool: string;
  readonly args: Readonly<Record<string, unknown>>;
  readonly attempt: number;
  readonly idempotencyKey: string;
}
export type FromRunner =
  | { readonly type: 'ready' }
  | ({ readonly type: 'call' } & CallMessage)
  | { readonly type: 'aborted'; readonly call: number; readonly reason: string };
export type ToRunner = { readonly type: 'answer'; readonly call: number; readonly outcome: ToolOutcome } | { readonly type: 'stop' };

/** A tool call that one of the processes waits for. */
export interface FleetCall extends CallMessage {
  readonly process: RunnerProcess;
  succeed(value: unknown): void;
  fail(retryable?: boolean): void;
  /** Resolves with the reason when the process aborts the call. */
  readonly aborted: Promise<string>;
}

export interface RunnerProcess {
  readonly pid: number;
  /** Dies at once, as by `kill -9`; resolves when it is gone. */
  kill(): Promise<void>;
  /** Stops in order; resolves with the exit code. */
  stop(): Promise<number | null>;
  readonly isAlive: boolean;
}

export interface Fleet {
  start(options?: { graceMs?: number; concurrency?: number; skewMs?: number }): Promise<RunnerProcess>;
  /** The next call that no test has taken yet, of any process. */
  call(): Promise<FleetCall>;
  /** Answers every call from now on. */
  answerAll(answer: (call: FleetCall) => void): void;
  close(): Promise<void>;
}

const entry = fileURLToPath(new URL('./runner-process.ts', import.meta.url));

export function createFleet(engine: Engine, toolNames: readonly string[]): Fleet {
  const tools = toolNames.map((name) => engine.toolServers.describe(name)!);
  const children = new Set<ChildProcess>();
  const calls: FleetCall[] = [];
  const takers: ((call: FleetCall) => void)[] = [];
  let answerer: ((call: FleetCall) => void) | null = null;

  function arrive(call: FleetCall): void {
    const take = answerer ?? takers.shift();
    if (take) take(call);
    else calls.push(call);
  }

  return {
    async start({ graceMs = 5_000, concurrency = 4, skewMs = 0 } = {}) {
      const child = fork(entry, [], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
      children.add(child);
      const exited = once(child, 'exit').then(([code]) => {
        children.delete(child);
        return code as number | null;
      });
      const aborts = new Map<number, (reason: string) => void>();
      const send = (message: ToRunner) => void (child.connected && child.send(message));
      const runner: RunnerProcess = {
        pid: child.pid!,
        async kill() {
          child.kill('SIGKILL');
          await exited;
        },
        stop() {
          send({ type: 'stop' });
          return exited;
        },
        get isAlive() {
          return child.exitCode === null && child.signalCode === null;
        },
      };
      const ready = new Promise<void>((resolve, reject) => {
        void exited.then((code) => reject(new Error(`the runner process ended with ${code} before it was ready`)));
        child.on('message', (message: FromRunner) => {
          if (message.type === 'ready') resolve();
          else if (message.type === 'aborted') aborts.get(message.call)?.(message.reason);
          else {
            const { type: _type, ...call } = message;
            arrive({
              ...call,
              process: runner,
              succeed: (value) =>
                send({ type: 'answer', call: call.call, outcome: { ok: true, output: { text: '', content: [], structured: { value } } } }),
              fail: (retryable = true) =>
                send({
                  type: 'answer',
                  call: call.call,
                  outcome: { ok: false, code: 'TOOL_ERROR', message: 'no', retryable, dispatched: true },
                }),
              aborted: new Promise((tell) => aborts.set(call.call, tell)),
            });
          }
        });
      });
      const { ownerUrl, appRole } = engine.db;
      child.send({ ownerUrl, appRole, tools, graceMs, concurrency, skewMs } satisfies Setup);
      await ready;
      return runner;
    },
    call() {
      const waiting = calls.shift();
      return waiting ? Promise.resolve(waiting) : new Promise((resolve) => takers.push(resolve));
    },
    answerAll(answer) {
      answerer = answer;
      for (const call of calls.splice(0)) answer(call);
    },
    async close() {
      await Promise.all(
        [...children].map(async (child) => {
          const exited = once(child, 'exit');
          child.kill('SIGKILL');
          await exited;
        }),
      );
    },
  };
}
