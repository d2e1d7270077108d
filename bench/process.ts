// A contender's process as the benchmark sees it: started, run in rounds beside others, asked, closed, and never left behind.
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import type { FromContender, ToContender } from './protocol.ts';

export interface ContenderProcess {
  readonly pid: number;
  ask(question: string, input?: unknown): Promise<unknown>;
  close(): Promise<void>;
}

export interface Load {
  /** Executions in flight over all processes. */
  readonly inFlight: number;
  readonly windowMs: number;
}

/** As servers are run: graphql looks at more otherwise. */
export const production = `--import=data:text/javascript,process.env.NODE_ENV='production'`;

const children = new Set<ChildProcess>();
const listeners = new WeakMap<ContenderProcess, { child: ChildProcess; onMessage: Set<(message: FromContender) => void> }>();
/** What does not answer in this time is broken. */
const patienceMs = 60_000;
const closeMs = 10_000;

/** For a way out that cannot wait. */
export function killAll(): void {
  for (const child of children) child.kill('SIGKILL');
}

export async function startContender(program: URL, setup: unknown, nodeFlags: readonly string[] = []): Promise<ContenderProcess> {
  const child = fork(program, {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    execArgv: ['--disable-warning=ExperimentalWarning', ...nodeFlags],
  });
  children.add(child);
  child.once('exit', () => children.delete(child));
  const onMessage = new Set<(message: FromContender) => void>();
  child.on('message', (message: FromContender) => {
    for (const listener of onMessage) listener(message);
  });
  let asked = 0;
  const process: ContenderProcess = {
    pid: child.pid!,
    async ask(question, input) {
      const id = (asked += 1);
      return expecting(
        [process],
        question,
        (message, resolve) => message.type === 'answer' && message.id === id && resolve(message.value),
        () => send(child, { type: 'ask', id, question, input }),
      );
    },
    async close() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const exited = once(child, 'exit');
      send(child, { type: 'close' });
      const timer = setTimeout(() => child.kill('SIGKILL'), closeMs);
      await exited;
      clearTimeout(timer);
    },
  };
  listeners.set(process, { child, onMessage });
  await expecting(
    [process],
    'start',
    (message, resolve) => message.type === 'ready' && resolve(undefined),
    () => send(child, { type: 'setup', setup }),
  );
  return process;
}

export interface RoundResult {
  readonly ended: number;
  /** Of them, over the whole round: until nothing was in flight any more. */
  readonly perSecond: number;
}

let rounds = 0;

/** One round on these processes together. Returns when nothing is in flight any more. */
export async function runRound(processes: readonly ContenderProcess[], { inFlight, windowMs }: Load): Promise<RoundResult> {
  const round = (rounds += 1);
  const startedAt = performance.now();
  const tallies = new Map<number, { begun: number; ended: number }>();
  const shares = processes.map((_, index) => Math.ceil((inFlight - index) / processes.length));
  await expecting(
    processes,
    'a round',
    (message, resolve, pid) => {
      // What a process says of an earlier round may come late.
      if (message.type !== 'tally' || message.round !== round) return;
      tallies.set(pid, message);
      const sum = (of: 'begun' | 'ended') => [...tallies.values()].reduce((total, tally) => total + tally[of], 0);
      if (tallies.size === processes.length && sum('begun') === sum('ended')) resolve(undefined);
    },
    () => {
      for (const [index, process] of processes.entries()) {
        send(listeners.get(process)!.child, { type: 'run', round, inFlight: shares[index]!, windowMs });
      }
    },
  );
  const ended = [...tallies.values()].reduce((total, tally) => total + tally.ended, 0);
  return { ended, perSecond: (ended * 1_000) / (performance.now() - startedAt) };
}

function send(child: ChildProcess, message: ToContender): void {
  child.send(message, () => undefined); // one that is gone is noticed by its exit
}

/** Resolves by what the processes say; rejects when one fails, ends, or says nothing for too long. */
async function expecting<Value>(
  processes: readonly ContenderProcess[],
  what: string,
  hear: (message: FromContender, resolve: (value: Value) => void, pid: number) => unknown,
  begin: () => void,
): Promise<Value> {
  const { promise, resolve, reject } = Promise.withResolvers<Value>();
  const timer = setTimeout(() => reject(new Error(`${what}: no answer in ${patienceMs / 1_000} s`)), patienceMs);
  const ends = processes.map((process) => {
    const { child, onMessage } = listeners.get(process)!;
    const listen = (message: FromContender) => {
      if (message.type === 'failed') reject(new Error(`${what}: ${message.message}`));
      else hear(message, resolve, process.pid);
    };
    const exit = (code: number | null) =>
      reject(new Error(`${what}: process ${process.pid} (${child.spawnargs.at(-1)}) ended with ${code}`));
    onMessage.add(listen);
    child.once('exit', exit);
    return () => {
      onMessage.delete(listen);
      child.off('exit', exit);
    };
  });
  try {
    begin();
    return await promise;
  } finally {
    clearTimeout(timer);
    for (const end of ends) end();
  }
}
