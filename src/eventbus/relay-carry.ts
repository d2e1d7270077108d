// Sends what one turn of a sink holds, several executions at a time and the events of each in order, and says what became of it.
import type { Clock } from '../platform/clock.ts';
import type { Logger } from '../platform/logger.ts';
import { envelopeOf, type FeedEvent } from './cloud-event.ts';
import { eventDelayMs, isGivenUp, sinkDelayMs, sinkLimits } from './event-sink.ts';
import type { Turns } from './relay-turns.ts';
import { SendError, sendErrorOf, type Sender } from './sender.ts';
import type { Senders } from './senders.ts';
import type { Held, Lease, Line, LineOutcome, SinkState, TurnOutcome } from './turn.ts';

export interface CarryDependencies {
  readonly clock: Clock;
  readonly turns: Turns;
  readonly senders: Senders;
  readonly random: () => number;
  readonly logger: Logger;
}

/** A slow sink keeps a process no longer than this before others get their turn; nothing more is begun then. */
const sliceMs = 5_000;

/** True when there may be more to do at once. */
export async function carryTurn(deps: CarryDependencies, lease: Lease, signal: AbortSignal): Promise<boolean> {
  const { clock, turns, senders, random, logger } = deps;
  const turn = await turns.next(lease, clock.now());
  if (!turn) return false;
  const { sink } = turn;
  let trouble: SendError | null = null;
  const sender = senderOf(senders, sink);
  const until = performance.now() + sliceMs;
  const enough = () => trouble !== null || performance.now() > until;
  const outcomes: LineOutcome[] = [];
  const waiting = [...turn.lines];
  const work = async () => {
    for (let line = waiting.shift(); line; line = waiting.shift()) {
      if (signal.aborted) return;
      if (enough()) {
        // A line that has a delivery already keeps it as it is.
        if (!line.delivery) outcomes.push({ line, delivered: 0, dead: [], held: untried(line, clock) });
        continue;
      }
      const { blame, ...outcome } = await sendLine({ sink, sender, clock, random, signal, enough }, line);
      outcomes.push(outcome);
      if (blame) trouble = blame;
    }
  };
  await Promise.all(Array.from({ length: sinkLimits.concurrency }, work));
  if (signal.aborted) return false;
  const outcome = summed(sink, outcomes, trouble, deps);
  if (outcome.error !== null) logger.debug({ sink: sink.name, error: outcome.error }, 'events were not taken by a sink');
  return (await turns.record(lease, turn, outcome, clock.now())) && trouble === null;
}

function summed(
  sink: SinkState,
  lines: readonly LineOutcome[],
  trouble: SendError | null,
  { clock, random }: CarryDependencies,
): TurnOutcome {
  // A turn in which nothing was sent, as nothing in it was wanted, says nothing of the sink.
  const isAnswered = lines.some(({ delivered, dead, held }) => delivered > 0 || dead.length > 0 || held?.error);
  const failures = trouble ? sink.failures + 1 : isAnswered ? 0 : sink.failures;
  const refusal = lines.flatMap(({ dead, held }) => [...dead, ...(held ? [held] : [])]).find(({ error }) => error !== null);
  return {
    lines,
    failures,
    retryAt: trouble ? new Date(clock.now().getTime() + sinkDelayMs(failures, random())) : null,
    error: trouble?.message ?? refusal?.error ?? null,
    pausedReason: trouble?.blame === 'gone' ? `${trouble.message}: it will never listen again` : null,
  };
}

/** What cannot be opened, as a secret that was sealed with another key, fails like what cannot be reached. */
function senderOf(senders: Senders, sink: SinkState): Sender {
  try {
    return senders.of(sink);
  } catch (error) {
    const failed = sendErrorOf(error);
    return { send: () => Promise.reject(failed), close: async () => undefined };
  }
}

const untried = (line: Line, clock: Clock): Held => ({
  event: line.events[0]!,
  attempts: line.attempts,
  firstAttemptAt: line.firstAttemptAt,
  nextAttemptAt: clock.now(),
  error: null,
});

interface Sending {
  readonly sink: SinkState;
  readonly sender: Sender;
  readonly clock: Clock;
  readonly random: () => number;
  readonly signal: AbortSignal;
  /** Nothing more is to be begun. */
  enough(): boolean;
}

/** Goes on behind an event that is given up, stops at one that is to be tried again. `blame`: the sink as a whole failed. */
async function sendLine(sending: Sending, line: Line): Promise<LineOutcome & { blame: SendError | null }> {
  const { sink, sender, clock, random, signal, enough } = sending;
  const dead: Held[] = [];
  let delivered = 0;
  const ended = (held: Held | null, blame: SendError | null = null) => ({ line, delivered, dead, held, blame });
  const later = (event: FeedEvent): Held => ({ event, attempts: 0, firstAttemptAt: null, nextAttemptAt: clock.now(), error: null });
  for (const [index, event] of line.events.entries()) {
    if (index > 0 && enough()) return ended(later(event));
    const before = index === 0 ? line : { attempts: 0, firstAttemptAt: null };
    const firstAttemptAt = before.firstAttemptAt ?? clock.now();
    const error = await sendInTime(sender, envelopeOf(event), signal);
    if (!error) {
      delivered += 1;
      continue;
    }
    const now = clock.now();
    const attempts = before.attempts + 1;
    const nextAttemptAt = new Date(now.getTime() + eventDelayMs(attempts, random()));
    const tried = { event, attempts, firstAttemptAt, nextAttemptAt, error: error.message };
    const blame = error.blame === 'event' ? null : error;
    if (!isGivenUp(sink, attempts, firstAttemptAt, now)) return ended(tried, blame);
    dead.push(tried);
    const behind = line.events[index + 1] ?? line.rest;
    if (blame) return ended(behind && later(behind), blame);
  }
  return ended(line.rest && later(line.rest));
}

/** Null when it was taken. A sender that does not answer in time is not waited for, whatever it does. */
async function sendInTime(sender: Sender, event: Parameters<Sender['send']>[0], signal: AbortSignal): Promise<SendError | null> {
  const limit = new AbortController();
  const seconds = sinkLimits.timeoutMs / 1_000;
  const timer = setTimeout(() => limit.abort(new SendError('sink', `no answer within ${seconds} s`)), sinkLimits.timeoutMs);
  try {
    await sender.send(event, AbortSignal.any([signal, limit.signal]));
    return null;
  } catch (error) {
    return limit.signal.aborted ? (limit.signal.reason as SendError) : sendErrorOf(error);
  } finally {
    clearTimeout(timer);
  }
}
