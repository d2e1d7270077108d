// Work: what a ready slot turns out to need, once its expressions are evaluated; and the effect that a dispatch hands to the runner.
// Evaluation is slow and may fail, so it happens before the transaction that carries the work out (see dispatch.ts).
import type { StepDefinition } from '../agents/definition.ts';
import type { Evaluator } from '../expressions/evaluator.ts';
import { ExpressionError, type Scope } from '../expressions/expression.ts';
import type { Clock } from '../platform/clock.ts';
import { storableJson } from '../platform/json.ts';
import { parseDuration } from '../platform/duration.ts';
import type { RiskClass } from '../tools/tool.ts';
import { maxItems, maxOutputBytes, type ExecutionFailure } from './execution.ts';
import type { Plan, Slot } from './machine-state.ts';

export type Work =
  | { readonly kind: 'skip'; readonly slot: Slot }
  | { readonly kind: 'fail'; readonly slot: Slot; readonly failure: ExecutionFailure }
  /** `items` is the JSON text of the list. */
  | { readonly kind: 'expand'; readonly slot: Slot; readonly items: string; readonly total: number }
  | { readonly kind: 'complete'; readonly slot: Slot; readonly output: string; readonly branchCase?: number | null }
  | { readonly kind: 'wait'; readonly slot: Slot; readonly wakeAt: number }
  | {
      readonly kind: 'approval';
      readonly slot: Slot;
      readonly title: string;
      readonly reason: string;
      readonly risk: RiskClass;
      readonly expiresInMs: number;
      readonly show: unknown;
    }
  | {
      readonly kind: 'tool';
      readonly slot: Slot;
      readonly tool: string;
      readonly arguments: Record<string, unknown>;
      readonly timeoutMs: number;
    }
  | { readonly kind: 'finish'; readonly output?: string | undefined; readonly failure?: ExecutionFailure | undefined };

/** A tool call that the gate has let pass; its attempt is recorded as started. */
export interface Effect {
  readonly slot: Slot;
  readonly attempt: number;
  readonly tool: string;
  /** Digest of the tool's description that was checked. */
  readonly toolDigest: string;
  readonly arguments: Record<string, unknown>;
  readonly timeoutMs: number;
  /** Stable across attempts of the slot. */
  readonly idempotencyKey: string;
}

const maxWaitMs = 366 * 86_400_000;

/** What a slot needs. `resumed`: the slot began before (retry, approval decided), so `when` has been answered. */
export async function prepareSlot(
  { clock, evaluator }: { clock: Clock; evaluator: Evaluator },
  step: StepDefinition,
  slot: Slot,
  scope: Scope,
  resumed: boolean,
): Promise<Work> {
  try {
    if (step.when !== undefined && slot.itemIndex < 0 && !resumed) {
      if ((await evaluator.evaluateSource(step.when, scope)) !== true) return { kind: 'skip', slot };
    }
    if (step.forEach !== undefined && slot.itemIndex < 0) return expansion(slot, await evaluator.evaluateSource(step.forEach, scope));
    return await prepareKind(clock, evaluator, step, slot, scope);
  } catch (error) {
    if (!(error instanceof ExpressionError)) throw error;
    return failed(slot, error.code, error.message);
  }
}

async function prepareKind(clock: Clock, evaluator: Evaluator, step: StepDefinition, slot: Slot, scope: Scope): Promise<Work> {
  switch (step.kind) {
    case 'transform':
      return completion(slot, await evaluator.evaluateSource(step.transform!, scope, { timeoutMs: step.timeoutMs }));
    case 'branch': {
      for (const [index, { when }] of step.branch!.entries()) {
        if (when === undefined || (await evaluator.evaluateSource(when, scope)) === true) {
          return { kind: 'complete', slot, output: JSON.stringify({ case: index }), branchCase: index };
        }
      }
      return { kind: 'complete', slot, output: '{"case":null}', branchCase: null };
    }
    case 'wait': {
      const wait = step.wait!;
      const durationMs = 'durationMs' in wait ? wait.durationMs : durationOf(await evaluator.evaluateSource(wait.expression, scope));
      if (durationMs === null || durationMs > maxWaitMs) {
        return failed(
          slot,
          'INVALID_DURATION',
          'wait: the expression must give a duration such as "10s" or a number of seconds, at most 366 days',
        );
      }
      return { kind: 'wait', slot, wakeAt: clock.now().getTime() + durationMs };
    }
    case 'approval': {
      const { title, reason, risk, expiresInMs, show } = step.approval!;
      const texts = (await evaluator.evaluateTemplate({ title, reason, show }, scope)) as {
        title: unknown;
        reason: unknown;
        show: unknown;
      };
      return { kind: 'approval', slot, title: text(texts.title), reason: text(texts.reason), risk, expiresInMs, show: stored(texts.show) };
    }
    case 'tool': {
      const { name, with: template } = step.tool!;
      const args = stored(await evaluator.evaluateTemplate(template, scope)) as Record<string, unknown>;
      return { kind: 'tool', slot, tool: name, arguments: args, timeoutMs: step.timeoutMs };
    }
  }
}

/** The end of the execution: its output, or why there is none. */
export async function prepareFinish({ evaluator }: { evaluator: Evaluator }, plan: Plan, scope: Scope): Promise<Work> {
  const { output } = plan.definition;
  if (output === undefined) return { kind: 'finish' };
  try {
    const value = storableJson(await evaluator.evaluateTemplate(output, scope));
    if (Buffer.byteLength(value) <= maxOutputBytes) return { kind: 'finish', output: value };
    return { kind: 'finish', failure: { code: 'OUTPUT_TOO_LARGE', message: `output: more than ${maxOutputBytes} bytes of JSON` } };
  } catch (error) {
    if (!(error instanceof ExpressionError)) throw error;
    return { kind: 'finish', failure: { code: error.code, message: `output: ${error.message}` } };
  }
}

function expansion(slot: Slot, list: unknown): Work {
  // JSONata gives a single value for a list of one and nothing for an empty one.
  const items = Array.isArray(list) ? list : list === undefined || list === null ? [] : [list];
  if (items.length > maxItems) {
    return failed(slot, 'TOO_MANY_ITEMS', `forEach: ${items.length} items; at most ${maxItems} are run, so split the list`);
  }
  return { kind: 'expand', slot, items: storableJson(items), total: items.length };
}

function completion(slot: Slot, value: unknown): Work {
  const output = storableJson(value);
  const bytes = Buffer.byteLength(output);
  if (bytes > maxOutputBytes) {
    return failed(
      slot,
      'OUTPUT_TOO_LARGE',
      `the output of step "${slot.stepId}" is ${bytes} bytes of JSON; at most ${maxOutputBytes} are kept`,
    );
  }
  return { kind: 'complete', slot, output };
}

const failed = (slot: Slot, code: string, message: string): Work => ({
  kind: 'fail',
  slot,
  failure: { code, message, stepId: slot.stepId },
});

/** What will be stored is what is shown, signed and run: the value as jsonb can hold it. */
const stored = (value: unknown): unknown => JSON.parse(storableJson(value));

const text = (value: unknown): string => (typeof value === 'string' ? value : value == null ? '' : JSON.stringify(value));

function durationOf(value: unknown): number | null {
  if (typeof value === 'number' && Number.isFinite(value) && value >= 0) return Math.round(value * 1_000);
  return typeof value === 'string' ? parseDuration(value) : null;
}
