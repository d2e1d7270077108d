// Work: what a ready slot turns out to need, once its expressions are evaluated; and the effect that a dispatch hands to the runner.
// Evaluation is slow and may fail, so it happens before the transaction that carries the work out (see dispatch.ts).
import type { ApprovalTerms } from '../approvals/approval-terms.ts';
import type { HttpRequestDefinition, StepDefinition } from '../agents/definition.ts';
import type { Evaluator } from '../expressions/evaluator.ts';
import { ExpressionError, type Scope } from '../expressions/expression.ts';
import type { Clock } from '../platform/clock.ts';
import { storableJson } from '../platform/json.ts';
import { parseDuration } from '../platform/duration.ts';
import type { Destination, GateInput } from '../rules/gate.ts';
import type { RiskClass, ToolDescription } from '../tools/tool.ts';
import { maxItems, maxOutputBytes, type ExecutionFailure } from './execution.ts';
import { httpRequest, type HttpRequest } from './http-request.ts';
import type { ItemCounters, Plan, Slot, SlotState, StepState } from './machine-state.ts';

export type Work =
  | { readonly kind: 'skip'; readonly slot: Slot }
  | { readonly kind: 'fail'; readonly slot: Slot; readonly failure: ExecutionFailure }
  /** `items` is the JSON text of the list; null when its rows are there already, and for a loop, whose rows come one by one. */
  | { readonly kind: 'expand'; readonly slot: Slot; readonly items: string | null; readonly total: number }
  /** `output` of the last iteration, as JSON text. */
  | { readonly kind: 'iterate'; readonly slot: Slot; readonly done: boolean; readonly output: string; readonly wakeAt?: number | undefined }
  | { readonly kind: 'reduce'; readonly slot: Slot; readonly output: string }
  | { readonly kind: 'complete'; readonly slot: Slot; readonly output: string; readonly branchCase?: number | null }
  | { readonly kind: 'wait'; readonly slot: Slot; readonly wakeAt: number }
  | { readonly kind: 'signal'; readonly slot: Slot; readonly name: string; readonly wakeAt: number | null }
  | {
      readonly kind: 'agent';
      readonly slot: Slot;
      readonly agent: string;
      readonly version: string | null;
      readonly inputs: Record<string, unknown>;
    }
  | {
      readonly kind: 'approval';
      readonly slot: Slot;
      readonly title: string;
      readonly reason: string;
      readonly risk: RiskClass;
      readonly expiresInMs: number;
      readonly terms?: ApprovalTerms | undefined;
      readonly show: unknown;
    }
  | {
      readonly kind: 'tool';
      readonly slot: Slot;
      readonly tool: string;
      readonly arguments: Record<string, unknown>;
      readonly timeoutMs: number;
    }
  | { readonly kind: 'http'; readonly slot: Slot; readonly request: HttpRequest; readonly timeoutMs: number }
  | { readonly kind: 'finish'; readonly output?: string | undefined; readonly failure?: ExecutionFailure | undefined };

/** What leaves the process, once the gate has let it pass; its attempt is recorded as started. */
export type Effect = ToolEffect | HttpEffect;

export interface EffectStart {
  readonly slot: Slot;
  readonly attempt: number;
  readonly arguments: Record<string, unknown>;
  /** Stable across attempts of the slot. */
  readonly idempotencyKey: string;
  /** As the gate saw it. */
  readonly judged: Pick<GateInput, 'tool' | 'destination'>;
  /** Texts that policies put in front of what it gives. */
  readonly notices: readonly string[];
  /** Would the same policies let it go there, too? For redirects, which carry on what was let pass. */
  readonly mayGo: (to: Destination) => boolean;
}

export interface ToolEffect extends EffectStart {
  readonly kind: 'tool';
  readonly tool: string;
  /** Digest of the tool's description that was checked. */
  readonly toolDigest: string;
  /** The tenant's own server that offers the tool; null for one of the operator's. */
  readonly remote: ToolDescription['remote'] | null;
  /** May it be called again when the outcome of this call is unknown? */
  readonly repeatable: boolean;
  readonly timeoutMs: number;
}

export interface HttpEffect extends EffectStart, Pick<HttpRequestDefinition, 'expect' | 'maxBytes'> {
  readonly kind: 'http';
  readonly request: HttpRequest;
  /** May it be sent again when the outcome of this request is unknown? */
  readonly repeatable: boolean;
  readonly timeoutMs: number;
  /** Host patterns of the definition: a redirect leads nowhere else. */
  readonly destinations: readonly string[];
}

const maxWaitMs = 366 * 86_400_000;

/** What a slot needs. `current`: its state, null for one that has not begun; `when` is answered once. */
export async function prepareSlot(
  { clock, evaluator }: { clock: Clock; evaluator: Evaluator },
  step: StepDefinition,
  slot: Slot,
  scope: Scope,
  current: SlotState | StepState | null,
): Promise<Work> {
  try {
    const items = current && 'items' in current ? current.items : null;
    if (items) return await prepareAgain(clock, evaluator, step, slot, scope, items);
    const isBegun = current !== null && (current.attempt > 0 || current.approvalId !== null);
    if (step.when !== undefined && slot.itemIndex < 0 && !isBegun) {
      if ((await evaluator.evaluateSource(step.when, scope)) !== true) return { kind: 'skip', slot };
    }
    if (step.forEach !== undefined && slot.itemIndex < 0) return expansion(slot, await evaluator.evaluateSource(step.forEach, scope));
    if (step.loop !== undefined && slot.itemIndex < 0) return { kind: 'expand', slot, items: null, total: step.loop.max };
    return await prepareKind(clock, evaluator, step, slot, scope);
  } catch (error) {
    if (!(error instanceof ExpressionError)) throw error;
    return failed(slot, error.code, error.message);
  }
}

/** A step that has its items already: one taken over in part, a list to be reduced, a loop between two iterations. */
async function prepareAgain(
  clock: Clock,
  evaluator: Evaluator,
  step: StepDefinition,
  slot: Slot,
  scope: Scope,
  items: ItemCounters,
): Promise<Work> {
  if (step.loop !== undefined) {
    const done = (await evaluator.evaluateSource(step.loop.until, scope)) === true;
    const wakeAt = step.loop.everyMs > 0 ? clock.now().getTime() + step.loop.everyMs : undefined;
    return { kind: 'iterate', slot, done, output: storableJson(scope.output), ...(!done && wakeAt !== undefined && { wakeAt }) };
  }
  if (items.done < items.total || step.reduce === undefined) return { kind: 'expand', slot, items: null, total: items.total };
  const work = completion(slot, await evaluator.evaluateSource(step.reduce, scope, { timeoutMs: step.timeoutMs }));
  return work.kind === 'complete' ? { kind: 'reduce', slot, output: work.output } : work;
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
      const now = clock.now().getTime();
      if ('signal' in wait) {
        return { kind: 'signal', slot, name: wait.signal, wakeAt: wait.timeoutMs === null ? null : now + wait.timeoutMs };
      }
      if ('until' in wait) {
        const wakeAt = momentOf(await evaluator.evaluateSource(wait.until, scope));
        if (wakeAt !== null && wakeAt <= now + maxWaitMs) return { kind: 'wait', slot, wakeAt: Math.max(wakeAt, now) };
        return failed(
          slot,
          'INVALID_MOMENT',
          'wait.until: the expression must give a moment such as "2027-01-31T08:00:00Z" or milliseconds since 1970, at most 366 days ahead',
        );
      }
      const durationMs = 'durationMs' in wait ? wait.durationMs : durationOf(await evaluator.evaluateSource(wait.expression, scope));
      if (durationMs === null || durationMs > maxWaitMs) {
        return failed(
          slot,
          'INVALID_DURATION',
          'wait: the expression must give a duration such as "10s" or a number of seconds, at most 366 days',
        );
      }
      return { kind: 'wait', slot, wakeAt: now + durationMs };
    }
    case 'approval': {
      const { title, reason, risk, expiresInMs, show, terms } = step.approval!;
      const texts = (await evaluator.evaluateTemplate({ title, reason, show }, scope)) as {
        title: unknown;
        reason: unknown;
        show: unknown;
      };
      const asked = { title: text(texts.title), reason: text(texts.reason), show: stored(texts.show) };
      return { kind: 'approval', slot, ...asked, risk, expiresInMs, terms };
    }
    case 'tool': {
      const { name, with: template } = step.tool!;
      const args = stored(await evaluator.evaluateTemplate(template, scope)) as Record<string, unknown>;
      return { kind: 'tool', slot, tool: name, arguments: args, timeoutMs: step.timeoutMs };
    }
    case 'agent': {
      const { name, version = null, with: template } = step.agent!;
      const inputs = stored(await evaluator.evaluateTemplate(template, scope)) as Record<string, unknown>;
      return { kind: 'agent', slot, agent: name, version, inputs };
    }
    case 'http': {
      const { url, headers, body } = step.http!;
      const templates = { url, headers, ...(body !== undefined && { body }) };
      const made = httpRequest(step.http!, stored(await evaluator.evaluateTemplate(templates, scope)) as Record<string, unknown>);
      if (!made.ok) return failed(slot, made.code, made.message);
      return { kind: 'http', slot, request: made.request, timeoutMs: step.timeoutMs };
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

/** ISO 8601 with a zone, or milliseconds since the epoch; null for anything else. */
function momentOf(value: unknown): number | null {
  if (typeof value === 'number') return Number.isSafeInteger(value) && value >= 0 && value <= 8.64e15 ? value : null;
  const [, day] =
    (typeof value === 'string' && /^(\d{4}-\d\d-\d\d)T\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:\d\d)$/.exec(value)) || [];
  // There is no 30 February, which would be taken for a day of March.
  if (day === undefined || new Date(`${day}T00:00:00Z`).toJSON()?.slice(0, 10) !== day) return null;
  const moment = Date.parse(value as string);
  return Number.isNaN(moment) ? null : moment;
}
