// Calls to one tenant's server from this process: how many at a time, how long, when to leave it alone, and how each can end.
// A call ends with an outcome, never with an exception. Knows no database.
import {
  BrokenCircuitError,
  bulkhead,
  circuitBreaker,
  CircuitState as Circuit,
  ConsecutiveBreaker,
  ExponentialBackoff,
  handleType,
  noJitterGenerator,
} from 'cockatiel'; // circuit breaker and bulkhead, kept since 2019, no dependencies
import { McpError } from '@modelcontextprotocol/sdk/types.js';
import type { Logger } from 'pino';
import type { Outbound } from '../outbound/outbound.ts';
import type { Clock } from '../platform/clock.ts';
import { RemoteError } from './remote-connection.ts';
import { createRemoteSessions, type RemoteSessionLimits, type Session } from './remote-session.ts';
import type { CircuitState, Registration, ServerHealth } from './remote.ts';
import { failure, outcomeOf, type CallOptions, type ToolFailure, type ToolOutcome } from './tool-call.ts';
import { abortable, protocolFailure } from './tool-protocol.ts';
import type { ToolDescription } from './tool.ts';

export interface RemoteServer {
  readonly registration: Registration;
  call(tool: string, args: Readonly<Record<string, unknown>>, options: CallOptions): Promise<ToolOutcome>;
  /** Calls under way may end; nothing new is begun. Resolves when the session is closed. */
  retire(): Promise<void>;
  /** Calls under way fail. */
  close(): Promise<void>;
}

export interface RemoteServerLimits extends RemoteSessionLimits {
  /** Largest output of a call, as JSON text in UTF-8. */
  readonly maxOutputBytes: number;
  /** Failures in a row that open the circuit. */
  readonly failures: number;
  /** How long it stays open at first, and at most; doubles with each time it opens again. */
  readonly openMs: number;
  readonly maxOpenMs: number;
}

export interface RemoteServerOptions {
  readonly registration: Registration;
  readonly outbound: Pick<Outbound, 'session'>;
  readonly limits: RemoteServerLimits;
  readonly clock: Clock;
  readonly logger: Logger;
  onDescribed(tools: readonly ToolDescription[]): void;
  onHealth(health: ServerHealth): void;
}

/** One call from its turn on. */
interface Call {
  readonly tool: string;
  readonly args: Readonly<Record<string, unknown>>;
  readonly given: CallOptions;
  readonly stop: AbortSignal;
  readonly progress: { begun: boolean; sent: boolean };
}

/** Carries an outcome past the breaker, to which it says nothing of the server. */
class Ended extends Error {
  readonly outcome: ToolFailure;
  constructor(outcome: ToolFailure) {
    super(outcome.message);
    this.outcome = outcome;
  }
}
/** One that counts against the server. */
class ServerFault extends Ended {}

export function createRemoteServer(options: RemoteServerOptions): RemoteServer {
  const { registration, outbound, limits, clock, logger, onDescribed, onHealth } = options;
  const { name, concurrency } = registration;
  const closing = new AbortController();
  let inFlight = 0;
  let lastError: string | null = null;
  const drained = Promise.withResolvers<void>();
  let retired = false;

  const slots = bulkhead(concurrency, Infinity);
  const breaker = circuitBreaker(handleType(ServerFault), {
    breaker: new ConsecutiveBreaker(limits.failures),
    // Without jitter, which could open it again at once: other runners open their circuits at other moments anyway.
    halfOpenAfter: new ExponentialBackoff({ initialDelay: limits.openMs, maxDelay: limits.maxOpenMs, generator: noJitterGenerator }),
  });
  breaker.onStateChange((state) => {
    if (state === Circuit.Open) logger.warn({ reason: lastError }, 'tool server is left alone for a while');
    report(null);
  });

  const sessions = createRemoteSessions({ registration, outbound, limits, logger, onDescribed, onAnswered: answered, onFailed: failed });

  function report(seenAt: Date | null): void {
    const circuit = circuitOf(breaker.state);
    const status = circuit === 'open' ? 'open_circuit' : lastError === null ? 'healthy' : 'failing';
    onHealth({ status, circuit, lastError, seenAt });
  }
  function answered(): void {
    lastError = null;
    report(clock.now());
  }
  function failed(reason: string): void {
    lastError = reason;
    report(null);
  }

  async function callOnce({ tool, args, given, stop, progress }: Call): Promise<ToolOutcome> {
    const fullName = `${name}.${tool}`;
    let current: Session;
    try {
      current = await abortable(sessions.ready(), stop);
    } catch (error) {
      if (stop.aborted) throw error;
      const { message, retryable } = error as RemoteError;
      return serverFailed(fullName, message, { retryable, dispatched: false });
    }
    const description = current.tools.get(tool);
    if (!description) return failure('TOOL_UNKNOWN', `${fullName}: the tool server "${name}" has no such tool`, { dispatched: false });
    if (given.digest !== undefined && given.digest !== description.digest) {
      return failure('TOOL_CHANGED', `${fullName}: its description changed after the call was allowed`, { dispatched: false });
    }
    const meta = {
      ...(given.idempotencyKey !== undefined && { 'signalbox/idempotency-key': given.idempotencyKey }),
      ...(given.attempt !== undefined && { 'signalbox/attempt': given.attempt }),
    };
    progress.sent = true;
    try {
      const outcome = outcomeOf(fullName, await current.connection.call(tool, args, meta, stop), limits.maxOutputBytes);
      answered();
      return outcome;
    } catch (error) {
      if (stop.aborted) throw error;
      if (error instanceof McpError || !(error instanceof RemoteError)) {
        answered();
        return protocolFailure(fullName, error as Error) ?? serverFailed(fullName, (error as Error).message, { retryable: true });
      }
      progress.sent = error.dispatched;
      if (error.kind === 'expired') {
        sessions.drop(current, 'the server forgot it');
        throw error;
      }
      if (error.kind === 'too_large') {
        return failure('OUTPUT_TOO_LARGE', `${fullName}: the answer is more than ${limits.maxMessageBytes} bytes`);
      }
      return serverFailed(fullName, error.message, error);
    }
  }

  function serverFailed(fullName: string, reason: string, flags: { retryable?: boolean; dispatched?: boolean }): ToolFailure {
    failed(reason);
    return failure('TOOL_SERVER_FAILED', `${fullName}: the tool server "${name}" failed: ${reason}`, flags);
  }

  async function callTwice(call: Call): Promise<ToolOutcome> {
    for (let tries = 0; ; tries += 1) {
      try {
        return await callOnce(call);
      } catch (error) {
        // A server that restarted has not looked at a call of a session it does not know: once more, in a new one.
        if (!(error instanceof RemoteError)) throw error;
        if (tries > 0) return serverFailed(`${name}.${call.tool}`, error.message, error);
      }
    }
  }

  async function call(tool: string, args: Readonly<Record<string, unknown>>, given: CallOptions): Promise<ToolOutcome> {
    const fullName = `${name}.${tool}`;
    const timeoutMs = Math.min(given.timeoutMs ?? registration.timeoutMs, registration.timeoutMs);
    const timeout = AbortSignal.timeout(Math.ceil(timeoutMs));
    const stop = AbortSignal.any([closing.signal, timeout, ...(given.signal ? [given.signal] : [])]);
    const progress = { begun: false, sent: false };
    const stopped = (): ToolFailure => {
      const dispatched = progress.sent;
      if (given.signal?.aborted) return failure('CANCELLED', `${fullName}: cancelled`, { dispatched });
      if (closing.signal.aborted) {
        return failure('TOOL_SERVER_FAILED', `${fullName}: the tool server "${name}" is no longer used`, { retryable: true, dispatched });
      }
      const what = progress.begun ? 'no answer' : `no turn among ${concurrency} calls at a time`;
      return failure('TOOL_TIMEOUT', `${fullName}: ${what} within ${timeoutMs} ms`, { retryable: true, dispatched });
    };
    // A trial call that was broken off proves nothing: the circuit stays open.
    const past = (outcome: ToolFailure) => (breaker.state === Circuit.HalfOpen ? new ServerFault(outcome) : new Ended(outcome));
    async function attempt(): Promise<ToolOutcome> {
      if (stop.aborted) throw past(stopped());
      progress.begun = true;
      const outcome = await callTwice({ tool, args, given, stop, progress }).catch((error: unknown) => {
        if (!stop.aborted) throw error;
        return stopped();
      });
      if (outcome.ok || !inconclusive.includes(outcome.code)) return outcome;
      const isLate = outcome.code === 'TOOL_TIMEOUT' && timeoutMs >= Math.min(registration.timeoutMs, patienceMs);
      if (isLate) failed(`no answer within ${timeoutMs} ms`);
      const isFault = isLate || (outcome.code === 'TOOL_SERVER_FAILED' && !closing.signal.aborted);
      throw isFault ? new ServerFault(outcome) : past(outcome);
    }
    if (stop.aborted) return stopped();
    sessions.busy();
    inFlight += 1;
    try {
      return await abortable(
        slots.execute(() => breaker.execute(attempt), stop),
        stop,
      );
    } catch (error) {
      if (error instanceof Ended) return error.outcome;
      if (error instanceof BrokenCircuitError) {
        const message = `${fullName}: the tool server "${name}" failed ${limits.failures} times in a row (${lastError}); it is tried again soon`;
        // So that the attempts of a step are not used up before anything can have changed.
        return { ...failure('CIRCUIT_OPEN', message, { retryable: true, dispatched: false }), retryAfterMs: limits.openMs };
      }
      if (stop.aborted) return stopped();
      throw error;
    } finally {
      inFlight -= 1;
      if (inFlight === 0) sessions.rest();
      if (inFlight === 0 && retired) drained.resolve();
    }
  }

  async function close(): Promise<void> {
    closing.abort();
    await sessions.close();
  }

  return {
    registration,
    call,
    async retire() {
      retired = true;
      if (inFlight > 0) await drained.promise;
      await close();
    },
    close,
  };
}

/** Failures that need a closer look: was it the server's fault? The others say that it answered. */
const inconclusive: readonly string[] = ['TOOL_SERVER_FAILED', 'TOOL_TIMEOUT', 'CANCELLED'];
/** A call that waited this long waited long enough for its timeout to be the server's fault, whatever the step allowed. */
const patienceMs = 10_000;

const circuitOf = (state: Circuit): CircuitState => (state === Circuit.Open ? 'open' : state === Circuit.HalfOpen ? 'half_open' : 'closed');
