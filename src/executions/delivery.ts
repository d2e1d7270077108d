// What a step gives, before it is recorded: judged where policies look at outputs, with the texts in front that policies put there.
import type { Clock } from '../platform/clock.ts';
import { storableJson } from '../platform/json.ts';
import type { Gate } from '../gate/gate-service.ts';
import type { GateInput } from '../rules/gate.ts';
import { gateInput, referenceOf, stepOf } from './gate-input.ts';
import type { Command } from './machine-command.ts';
import type { Slot } from './machine-state.ts';
import type { Transition } from './transition.ts';

/** What the step did, as it was judged before; an agent step calls no tool. */
export type Deed = Pick<GateInput, 'tool' | 'destination' | 'arguments'>;

export type Delivery =
  | { readonly kind: 'delivered'; readonly output: string }
  /** Instead of its success. */
  | { readonly kind: 'refused'; readonly command: Command };

/** Null: as it is. `output` is JSON text; `attempt` gave it. */
export async function deliver(
  { clock, gate }: { readonly clock: Clock; readonly gate: Gate },
  t: Transition,
  { slot, attempt }: { readonly slot: Slot; readonly attempt: number },
  deed: Deed,
  output: string,
): Promise<Delivery | null> {
  const input = gateInput(clock, t, { action: 'output.deliver', ...deed });
  const judgement = await gate.judgeOutput(
    t.uow,
    input,
    () => JSON.parse(output) as unknown,
    { ...referenceOf(t), ...stepOf(slot) },
    t.row,
  );
  if (!judgement) return null;
  // What was done before a kill switch was engaged is recorded: the switch stops what comes next.
  const { effect, reasons, injections = [] } = judgement.haltedBy ? judgement.consider({ killSwitches: [] }) : judgement.verdict;
  if (effect === 'deny') {
    const failure = { code: 'OUTPUT_DENIED', message: reasons.join(' '), stepId: slot.stepId };
    return { kind: 'refused', command: { type: 'block', slot, attempt, failure, decisionId: judgement.decisionId } };
  }
  return injections.length === 0 ? null : { kind: 'delivered', output: withNotice(output, injections) };
}

const maxNoticeLength = 4_000;

/**
 * The texts stand in `notice`, and in front of `text`, which is what models read of a tool's output; what is no object becomes `value`.
 * They come on top of what an output may have.
 */
export function withNotice(output: string, texts: readonly string[]): string {
  if (texts.length === 0) return output;
  const value = JSON.parse(output) as unknown;
  const said = texts.join('\n').slice(0, maxNoticeLength);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return storableJson({ notice: said, value });
  const { notice, text } = value as { notice?: unknown; text?: unknown };
  const all = typeof notice === 'string' ? `${notice}\n${said}` : said;
  return storableJson({ ...value, notice: all, ...(typeof text === 'string' && { text: `${said}\n\n${text}` }) });
}
