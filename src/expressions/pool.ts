// A few processes that evaluate expressions, each with a bounded heap; one that outlives its deadline or its heap is killed and
// replaced. Processes, not threads: V8 aborts the whole process when a thread asks for too much at once (docs/decisions).
import { fork, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { UnavailableError } from '../platform/errors.ts';
import { ExpressionError, maxResultBytes, type ExpressionErrorCode, type Scope } from './expression.ts';

export interface EvaluationRequest {
  readonly id: number;
  readonly sources: readonly string[];
  readonly scope: Scope;
  readonly timeoutMs: number;
  readonly maxBytes: number;
}
export interface EvaluationAnswer {
  readonly id: number;
  /** JSON text of each source's value. */
  readonly results?: readonly string[];
  readonly error?: { readonly code: ExpressionErrorCode; readonly message: string };
}

export interface PoolOptions {
  readonly processes: number;
  readonly memoryMb: number;
}

export interface Pool {
  /** JSON texts, one per source. `timeoutMs` counts from the moment a process takes the request. */
  run(sources: readonly string[], scope: Scope, timeoutMs: number): Promise<readonly string[]>;
  close(): Promise<void>;
}

interface Task extends EvaluationRequest {
  readonly resolve: (results: readonly string[]) => void;
  readonly reject: (error: Error) => void;
}
interface Slot {
  readonly child: ChildProcess;
  ready: boolean;
  task: Task | undefined;
  timer: NodeJS.Timeout | undefined;
}

/** JSONata's own timeout answers first and says more; the kill is for what never comes back to it. */
const killGraceMs = 250;
const bootTimeoutMs = 30_000;
const entry = fileURLToPath(new URL('./evaluation-process.ts', import.meta.url));

export function createPool({ processes, memoryMb }: PoolOptions): Pool {
  const slots = new Set<Slot>();
  const queue: Task[] = [];
  let lastId = 0;
  let closed = false;

  function spawn(): void {
    const child = fork(entry, [], {
      // No variables: nothing secret can be read from inside an expression.
      env: {},
      execArgv: [`--max-old-space-size=${memoryMb}`, '--max-semi-space-size=8', '--permission', '--allow-fs-read=*', '--no-warnings'],
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    });
    const slot: Slot = { child, ready: false, task: undefined, timer: undefined };
    slots.add(slot);
    slot.timer = setTimeout(() => child.kill('SIGKILL'), bootTimeoutMs).unref();
    child.on('message', (message: 'ready' | EvaluationAnswer) => {
      if (message === 'ready') {
        slot.ready = true;
        clearTimeout(slot.timer);
      } else settle(slot, message);
      hold(slot, false);
      dispatch();
    });
    child.on('error', () => child.kill('SIGKILL'));
    child.on('exit', () => gone(slot));
  }

  function settle(slot: Slot, { id, results, error }: EvaluationAnswer): void {
    const { task } = slot;
    if (!task || task.id !== id) return;
    clearTimeout(slot.timer);
    slot.task = undefined;
    if (results) task.resolve(results);
    else task.reject(new ExpressionError(error?.code ?? 'EXPRESSION_FAILED', error?.message ?? 'the evaluation gave no answer'));
  }

  function gone(slot: Slot): void {
    clearTimeout(slot.timer);
    slots.delete(slot);
    slot.task?.reject(new ExpressionError('EXPRESSION_LIMIT', `the evaluation needs more than its ${memoryMb} MB of memory`));
    slot.task = undefined;
    if (!slot.ready && !closed) {
      // It never started: the same would happen to the next one, so nobody is left waiting.
      for (const task of queue.splice(0)) task.reject(new UnavailableError('the process that evaluates expressions does not start'));
    }
    dispatch();
  }

  /** An idle process does not keep this one alive. */
  function hold(slot: Slot, busy: boolean): void {
    if (busy || !slot.ready) {
      slot.child.ref();
      slot.child.channel?.ref();
    } else {
      slot.child.unref();
      slot.child.channel?.unref();
    }
  }

  function dispatch(): void {
    for (const slot of slots) {
      if (queue.length === 0) return;
      if (!slot.ready || slot.task || !slot.child.connected) continue;
      const task = queue.shift() as Task;
      const { resolve: _resolve, reject: _reject, ...request } = task;
      slot.task = task;
      hold(slot, true);
      slot.timer = setTimeout(() => expire(slot, task), task.timeoutMs + killGraceMs);
      slot.child.send(request, (error) => {
        if (error) slot.child.kill('SIGKILL');
      });
    }
    const starting = [...slots].filter((slot) => !slot.ready).length;
    if (!closed && queue.length > starting && slots.size < processes) spawn();
  }

  function expire(slot: Slot, task: Task): void {
    slot.task = undefined;
    slots.delete(slot);
    slot.child.kill('SIGKILL');
    task.reject(new ExpressionError('EXPRESSION_TIMEOUT', `the evaluation took longer than ${task.timeoutMs} ms`));
    dispatch();
  }

  return {
    run(sources, scope, timeoutMs) {
      if (closed) return Promise.reject(new UnavailableError('expressions are no longer evaluated: shutting down'));
      return new Promise((resolve, reject) => {
        lastId += 1;
        queue.push({ id: lastId, sources, scope, timeoutMs, maxBytes: maxResultBytes, resolve, reject });
        dispatch();
      });
    },
    async close() {
      closed = true;
      for (const task of queue.splice(0)) task.reject(new UnavailableError('expressions are no longer evaluated: shutting down'));
      await Promise.all(
        [...slots].map((slot) => {
          slot.child.ref();
          const exited = new Promise<void>((resolve) => slot.child.once('exit', () => resolve()));
          slot.task?.reject(new UnavailableError('expressions are no longer evaluated: shutting down'));
          slot.task = undefined;
          slot.child.kill('SIGKILL');
          return exited;
        }),
      );
    },
  };
}
