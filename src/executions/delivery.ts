// What a step or the execution gives, before it is recorded: judged where policies look at outputs, with the texts in front that they put there.
import type { Clock } from '../platform/clock.ts';
import { storableJson } from '../platform/json.ts';
import type { Gate } from '../gate/gate-service.ts';
import type { GateInput } from '../rules/gate.ts';
import type { ExecutionFailure } from './execution.ts';
import { gateInput, referenceOf, stepOf } from './gate-input.ts';
import type { Command } from './machine-command.ts';
import type { Slot } from './machine-state.ts';
import type { Transition } from './transition.ts';

/** What the step did, as it was judged before; an agent step calls no tool. */
export type Deed = Pick<GateInput, 'tool' | 'destination' | 'arguments'>;

export interface DeliveryDependencies {
  readonly clock: Clock;
  readonly gate: Gate;
}

export type Delivery =
  | { readonly kind: 'delivered'; readonly output: string }
  /** Instead of its success. */
  | { readonly kind: 'refused'; readonly command: Command };

/** Null: as it is. `output` is JSON text; `attempt` gave it. */
export async function deliver(
  deps: DeliveryDependencies,
  t: Transition,
  { slot, attempt }: { readonly slot: Slot; readonly attempt: number },
  deed: Deed,
  output: string,
): Promise<Delivery | null> {
  const judged = await judge(deps, t, slot, deed, output);
  if (!judged) return null;
  const { refusal, injections } = judged;
  if (refusal) return { kind: 'refused', command: { type: 'block', slot, attempt, ...refusal } };
  return injections.length === 0 ? null : { kind: 'delivered', output: withNotice(output, injections) };
}

export interface OutputRefusal {
  readonly failure: ExecutionFailure;
  readonly decisionId: string;
}

/**
 * Why what was made of other outputs must not be recorded; `slot` null: the output of the execution. Null: it may. Texts go in front of
 * what comes from outside only, since everything that is made of it would else get them again.
 */
export async function refusalOfOutput(
  deps: DeliveryDependencies,
  t: Transition,
  slot: Slot | null,
  output: string,
): Promise<OutputRefusal | null> {
  return (await judge(deps, t, slot, { tool: null, arguments: null }, output))?.refusal ?? null;
}

async function judge({ clock, gate }: DeliveryDependencies, t: Transition, slot: Slot | null, deed: Deed, output: string) {
  const input = gateInput(clock, t, { action: 'output.deliver', ...deed });
  const reference = { ...referenceOf(t), ...(slot && stepOf(slot)) };
  const judgement = await gate.judgeOutput(t.uow, input, () => JSON.parse(output) as unknown, reference, t.row);
  if (!judgement) return null;
  const { decisionId } = judgement;
  // What was done before a kill switch was engaged is recorded: the switch stops what comes next.
  const { effect, reasons, injections = [] } = judgement.haltedBy ? judgement.consider({ killSwitches: [] }) : judgement.verdict;
  const failure = { code: 'OUTPUT_DENIED', message: reasons.join(' '), ...(slot && { stepId: slot.stepId }) };
  return { injections, refusal: effect === 'deny' ? { failure, decisionId } : null };
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
