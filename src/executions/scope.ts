// What expressions of an execution can see: inputs, results of the steps they name, the item. Loads only what is named.
import type { Definition, StepDefinition } from '../agents/definition.ts';
import type { Scope, StepResult } from '../expressions/expression.ts';
import { sourceStepReferences, templateStepReferences } from '../expressions/template.ts';
import type { UnitOfWork } from '../platform/database.ts';
import { isFinalStep, type ExecutionFailure, type StepStatus } from './execution.ts';
import { nextItem, type Slot, type SlotState, type StepState } from './machine-state.ts';

/** Steps that the expressions of a slot refer to. */
export function referencesOf(step: StepDefinition, slot: Slot): string[] {
  const sources = [
    ...(slot.itemIndex < 0 ? [step.when, step.forEach, step.reduce, step.loop?.until] : []),
    ...(step.branch ?? []).map(({ when }) => when),
    step.transform,
    waitSource(step.wait),
  ].filter((source) => source !== undefined);
  const { title, reason, show } = step.approval ?? {};
  return [
    ...new Set([
      ...sources.flatMap(sourceStepReferences),
      ...templateStepReferences([step.tool?.with, step.agent?.with, requestTemplates(step), title, reason, show]),
    ]),
  ];
}

function waitSource(wait: StepDefinition['wait']): string | undefined {
  if (wait && 'expression' in wait) return wait.expression;
  return wait && 'until' in wait ? wait.until : undefined;
}

const requestTemplates = ({ http }: StepDefinition) => (http ? [http.url, http.headers, http.body ?? null] : null);

/** True when more than inputs and results of other steps has to be read: the item, or what the items before it gave. */
export const seesItems = (step: StepDefinition, slot: Slot): boolean =>
  slot.itemIndex >= 0 || step.reduce !== undefined || step.loop !== undefined;

export const outputReferences = (definition: Definition): string[] => templateStepReferences(definition.output ?? null);

/** Results seen by one carrier of an execution; a step's result never changes once it has ended. */
export type ResultCache = Map<string, StepResult>;

/** Loads what is missing in `cache` and gives the scope. */
export async function loadScope(
  uow: UnitOfWork,
  executionId: string,
  inputs: unknown,
  references: readonly string[],
  about: { readonly step: StepDefinition; readonly slot: Slot; readonly current: SlotState | StepState | null } | null,
  cache: ResultCache,
): Promise<Scope> {
  const missing = references.filter((stepId) => !cache.has(stepId));
  const fresh = await stepResults(uow, executionId, missing);
  for (const [stepId, result] of fresh) if (isFinalStep(result.status as StepStatus)) cache.set(stepId, result);
  const steps = Object.fromEntries(references.map((stepId) => [stepId, cache.get(stepId) ?? fresh.get(stepId) ?? neverRan]));
  return about && seesItems(about.step, about.slot)
    ? { inputs, steps, ...(await itemScope(uow, executionId, about.step, about.slot, about.current)) }
    : { inputs, steps };
}

/** What only items, `reduce` and loops see. */
async function itemScope(
  uow: UnitOfWork,
  executionId: string,
  { id, loop, reduce }: StepDefinition,
  { itemIndex }: Slot,
  current: SlotState | StepState | null,
): Promise<Partial<Scope>> {
  const items = current && 'items' in current ? current.items : null;
  const read = async (column: 'item' | 'output', index: number) => {
    const rows = await uow.rows<{ value: unknown }>(
      `select ${column} as value from steps where tenant_id = $1 and execution_id = $2 and item_index = $3 and step_id = $4`,
      [uow.tenantId, executionId, index, id],
    );
    return rows[0]?.value ?? null;
  };
  if (loop !== undefined && itemIndex >= 0) {
    return { index: itemIndex, previous: itemIndex === 0 ? null : await read('output', itemIndex - 1) };
  }
  if (itemIndex >= 0) return { item: await read('item', itemIndex), index: itemIndex };
  if (loop !== undefined && items !== null && nextItem(items) > 0) {
    const last = nextItem(items) - 1;
    return { index: last, output: await read('output', last) };
  }
  if (reduce === undefined || items === null || items.done < items.total) return {};
  return { items: (await stepResults(uow, executionId, [id])).get(id)?.output ?? [] };
}

const neverRan: StepResult = { output: null, status: 'pending', error: null };

/** Results by step id; of a forEach step, the outputs of its items in order. What failed has none, as any step that failed. */
export async function stepResults(uow: UnitOfWork, executionId: string, stepIds: readonly string[]): Promise<Map<string, StepResult>> {
  if (stepIds.length === 0) return new Map();
  const rows = await uow.rows<{ stepId: string; status: StepStatus; output: unknown; failure: ExecutionFailure | null }>(
    `select s.step_id as "stepId", s.status, s.failure,
       case when s.item_total is null or s.own_output then s.output
         when s.status in ('failed', 'blocked') then null
         else (select coalesce(jsonb_agg(i.output order by i.item_index), '[]') from steps i
               where i.tenant_id = s.tenant_id and i.execution_id = s.execution_id and i.step_id = s.step_id and i.item_index >= 0)
       end as output
     from steps s where s.tenant_id = $1 and s.execution_id = $2 and s.item_index = -1 and s.step_id = any($3)`,
    [uow.tenantId, executionId, [...stepIds]],
  );
  return new Map(
    rows.map(({ stepId, status, output, failure }) => [
      stepId,
      { output, status, error: failure && { code: failure.code, message: failure.message } },
    ]),
  );
}
