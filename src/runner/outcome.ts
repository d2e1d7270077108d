// How an effect ended, and what that is to the execution: the machine's command, and the output as policies let it be recorded.
import { deliver, withNotice, type Delivery } from '../executions/delivery.ts';
import type { ExecutionFailure } from '../executions/execution.ts';
import type { Command } from '../executions/machine-command.ts';
import { slotState } from '../executions/machine-state.ts';
import type { Transition } from '../executions/transition.ts';
import type { Effect } from '../executions/work.ts';

export type EffectResult =
  | { readonly kind: 'succeeded'; readonly output: string }
  | {
      readonly kind: 'failed';
      readonly failure: ExecutionFailure;
      readonly retryable: boolean;
      /** Whoever refused it asks to be left alone for so long. */
      readonly retryAfterMs?: number | undefined;
    }
  /** The process gave the effect up (shutdown). */
  | { readonly kind: 'interrupted'; readonly repeatable: boolean }
  /** A kill switch aborted it; running it again does no harm. */
  | { readonly kind: 'halted'; readonly killSwitchId: string }
  /** The execution ended meanwhile; there is nothing to record. */
  | { readonly kind: 'dropped' };

/** `random` in [0, 1) spreads retries. */
export function commandOf(random: number, { slot, attempt }: Effect, outcome: EffectResult): Command {
  switch (outcome.kind) {
    case 'succeeded':
      return { type: 'succeed', slot, attempt, outputBytes: Buffer.byteLength(outcome.output) };
    case 'failed':
      return {
        type: 'fail',
        slot,
        attempt,
        failure: outcome.failure,
        retryable: outcome.retryable,
        retryAfterMs: outcome.retryAfterMs,
        random,
      };
    case 'interrupted':
      return { type: 'interrupt', slot, attempt, repeatable: outcome.repeatable, random };
    case 'halted':
      return { type: 'halt', slot, attempt, killSwitchId: outcome.killSwitchId, reason: '' };
    case 'dropped':
      throw new Error('a dropped effect has no command');
  }
}

/** With the texts in front that policies put there when the effect was let pass. */
export const noticed = (effect: Effect, outcome: EffectResult): EffectResult =>
  outcome.kind === 'succeeded' ? { kind: 'succeeded', output: withNotice(outcome.output, effect.notices) } : outcome;

/** Null: policies have nothing against it, or it comes too late to be recorded. */
export async function delivered(
  deps: Parameters<typeof deliver>[0],
  t: Transition,
  effect: Effect,
  outcome: EffectResult,
): Promise<Delivery | null> {
  const current = slotState(t.state, effect.slot);
  if (outcome.kind !== 'succeeded' || current?.status !== 'running' || current.attempt !== effect.attempt) return null;
  return deliver(deps, t, effect, { ...effect.judged, arguments: effect.arguments }, outcome.output);
}

/** Records how the effect ended: as it did, or as policies that look at outputs will have it. Null, or why it cannot be recorded. */
export function conclude(t: Transition, ended: Command, outcome: EffectResult, delivery: Delivery | null): Promise<string | null> {
  if (delivery?.kind === 'refused') return t.run(delivery.command);
  if (outcome.kind !== 'succeeded' || ended.type !== 'succeed') return t.run(ended);
  const output = delivery?.output ?? outcome.output;
  return t.run({ ...ended, outputBytes: Buffer.byteLength(output) }, { output });
}
