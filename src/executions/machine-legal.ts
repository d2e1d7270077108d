// Which commands a slot can be given at all: by the kind of its step, by being a step or an item, by its status. Pure; reasons only.
import type { StepDefinition, StepKind } from '../agents/definition.ts';
import { maxItems, type StepStatus } from './execution.ts';
import { nameOf } from './machine-draft.ts';
import type { SlotCommand } from './machine-command.ts';
import type { Slot, SlotState } from './machine-state.ts';

interface Rule {
  /** The status that the slot must have. */
  readonly status: StepStatus;
  /** Kinds of steps it is for; all when absent. */
  readonly kinds?: readonly StepKind[];
  /** `leaf`: whatever does the work, so the items of a forEach and not their step. `step`: never an item. */
  readonly on: 'leaf' | 'step';
}

const rules: Readonly<Record<SlotCommand['type'], Rule>> = {
  skip: { status: 'queued', on: 'step' },
  expand: { status: 'queued', on: 'step' },
  dispatch: { status: 'queued', on: 'leaf', kinds: ['tool'] },
  complete: { status: 'queued', on: 'leaf', kinds: ['transform', 'branch', 'approval'] },
  succeed: { status: 'running', on: 'leaf', kinds: ['tool'] },
  fail: { status: 'running', on: 'leaf', kinds: ['tool'] },
  block: { status: 'queued', on: 'leaf', kinds: ['tool'] },
  requestApproval: { status: 'queued', on: 'leaf', kinds: ['tool', 'approval'] },
  resolveApproval: { status: 'awaiting_approval', on: 'leaf', kinds: ['tool', 'approval'] },
  wait: { status: 'queued', on: 'leaf', kinds: ['wait'] },
  wake: { status: 'waiting', on: 'leaf', kinds: ['wait'] },
  interrupt: { status: 'running', on: 'leaf', kinds: ['tool'] },
};

/** Null when the slot can be given the command, else why not. */
export function refusalOf(command: SlotCommand, slot: Slot, definition: StepDefinition, current: SlotState, now: number): string | null {
  // What fails before an effect began: any queued slot, the list of a forEach included.
  const isEarly = command.type === 'fail' && command.attempt === 0;
  const { status, kinds, on }: Rule = isEarly ? { status: 'queued', on: slot.itemIndex < 0 ? 'step' : 'leaf' } : rules[command.type];
  if (kinds && !kinds.includes(definition.kind)) return `${nameOf(slot)} is a ${definition.kind} step, which cannot ${command.type}`;
  const isItem = slot.itemIndex >= 0;
  if (on === 'step' && isItem) return `${nameOf(slot)} is an item; only its step can ${command.type}`;
  if (on === 'leaf' && isItem !== (definition.forEach !== undefined)) {
    return isItem ? `step "${slot.stepId}" has no items` : `${nameOf(slot)} runs as items; it cannot ${command.type} itself`;
  }
  if (current.status !== status) return `${nameOf(slot)} is ${current.status}; ${command.type} needs it to be ${status}`;
  if ('attempt' in command && !isEarly && command.attempt !== current.attempt) {
    return `attempt ${command.attempt} of ${nameOf(slot)} is stale; the current one is ${current.attempt}`;
  }
  if (status === 'queued' && current.wakeAt !== null && current.wakeAt > now) return `${nameOf(slot)} retries later`;
  return refusalOfContent(command, definition);
}

function refusalOfContent(command: SlotCommand, { id, kind, forEach, branch }: StepDefinition): string | null {
  if (command.type === 'expand') {
    if (forEach === undefined) return `step "${id}" has no forEach to expand`;
    const fits = Number.isInteger(command.total) && command.total >= 0 && command.total <= maxItems;
    return fits ? null : `step "${id}" cannot have ${command.total} items`;
  }
  if (command.type !== 'complete') return null;
  const { branchCase } = command;
  if (kind !== 'branch') return branchCase === undefined ? null : `step "${id}" is no branch and has no cases`;
  const exists = branchCase === null || (branchCase !== undefined && branch?.[branchCase] !== undefined);
  return exists ? null : `step "${id}" has no case ${branchCase ?? ''}`;
}
