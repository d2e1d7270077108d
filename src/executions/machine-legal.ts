// Which commands a slot can be given at all: by the kind of its step, by being a step or an item, by its status. Pure; reasons only.
import { maxLoopIterations, type StepDefinition, type StepKind } from '../agents/definition.ts';
import { maxItems, type StepStatus } from './execution.ts';
import { nameOf } from './machine-draft.ts';
import type { Command, SlotCommand } from './machine-command.ts';
import { nextItem, type Slot, type SlotState, type StepState } from './machine-state.ts';

interface Rule {
  /** The status that the slot must have. */
  readonly status: StepStatus;
  /** Kinds of steps it is for; all when absent. */
  readonly kinds?: readonly StepKind[];
  /** `leaf`: whatever does the work, so the items of a forEach or loop and not their step. `step`: never an item. */
  readonly on: 'leaf' | 'step';
}

const effects = ['tool', 'http'] as const;
const judged = [...effects, 'agent'] as const;

/** Effects of it pass the gate, which may put them off. */
export const isJudged = (kind: StepKind): boolean => effects.some((each) => each === kind);

const rules: Readonly<Record<Exclude<SlotCommand['type'], 'succeed' | 'fail' | 'block' | 'halt'>, Rule>> = {
  skip: { status: 'queued', on: 'step' },
  expand: { status: 'queued', on: 'step' },
  iterate: { status: 'queued', on: 'step' },
  reduce: { status: 'queued', on: 'step' },
  dispatch: { status: 'queued', on: 'leaf', kinds: effects },
  startChild: { status: 'queued', on: 'leaf', kinds: ['agent'] },
  complete: { status: 'queued', on: 'leaf', kinds: ['transform', 'branch', 'approval'] },
  defer: { status: 'queued', on: 'leaf', kinds: effects },
  requestApproval: { status: 'queued', on: 'leaf', kinds: [...judged, 'approval'] },
  resolveApproval: { status: 'awaiting_approval', on: 'leaf', kinds: [...judged, 'approval'] },
  note: { status: 'awaiting_approval', on: 'leaf', kinds: [...judged, 'approval'] },
  wait: { status: 'queued', on: 'leaf', kinds: ['wait'] },
  awaitSignal: { status: 'queued', on: 'leaf', kinds: ['wait'] },
  receive: { status: 'waiting', on: 'leaf', kinds: ['wait'] },
  wake: { status: 'waiting', on: 'leaf' },
  interrupt: { status: 'running', on: 'leaf', kinds: effects },
  continue: { status: 'queued', on: 'leaf', kinds: effects },
};

function ruleOf(command: SlotCommand, slot: Slot, definition: StepDefinition): Rule {
  const { kind } = definition;
  if (command.type === 'halt') return { status: command.attempt === 0 ? 'queued' : 'running', on: 'leaf', kinds: effects };
  if (command.type === 'block' && command.attempt === 0) return refusable(slot, definition);
  if (command.type !== 'succeed' && command.type !== 'fail' && command.type !== 'block') return rules[command.type];
  // What fails before an effect began: any queued slot, the list of a forEach included.
  if (isEarly(command)) return { status: 'queued', on: slot.itemIndex < 0 ? 'step' : 'leaf' };
  // The effect of an agent step is another execution: nothing of it runs here.
  return { status: kind === 'agent' ? 'waiting' : 'running', on: 'leaf', kinds: judged };
}

/** What is refused before it begins, or as it would give what it made of other outputs: that of its items, too. */
const refusable = ({ itemIndex }: Slot, { reduce }: StepDefinition): Rule =>
  reduce !== undefined && itemIndex < 0
    ? { status: 'queued', on: 'step' }
    : { status: 'queued', on: 'leaf', kinds: [...judged, 'transform'] };

const isEarly = (command: SlotCommand): boolean =>
  (command.type === 'fail' || command.type === 'block' || command.type === 'halt') && command.attempt === 0;

/** While paused an execution hears how its effects ended and what people decided, and begins nothing. */
export function startsSomething({ type, ...command }: Command): boolean {
  switch (type) {
    case 'cancel':
    case 'abandon':
    case 'pause':
    case 'resume':
    case 'signal':
    case 'succeed':
    case 'interrupt':
    case 'resolveApproval':
    case 'note':
    case 'halt':
    case 'continue':
      return false;
    case 'fail':
    case 'block':
      return (command as { attempt: number }).attempt === 0;
    default:
      return true;
  }
}

/** Null when the slot can be given the command, else why not. */
export function refusalOf(
  command: SlotCommand,
  slot: Slot,
  definition: StepDefinition,
  current: SlotState | StepState,
  now: number,
): string | null {
  const { status, kinds, on } = ruleOf(command, slot, definition);
  if (kinds && !kinds.includes(definition.kind)) return `${nameOf(slot)} is a ${definition.kind} step, which cannot ${command.type}`;
  const isItem = slot.itemIndex >= 0;
  if (on === 'step' && isItem) return `${nameOf(slot)} is an item; only its step can ${command.type}`;
  const hasItems = definition.forEach !== undefined || definition.loop !== undefined;
  if (on === 'leaf' && isItem !== hasItems) {
    return isItem ? `step "${slot.stepId}" has no items` : `${nameOf(slot)} runs as items; it cannot ${command.type} itself`;
  }
  if (current.status !== status) return `${nameOf(slot)} is ${current.status}; ${command.type} needs it to be ${status}`;
  if ('attempt' in command && !isEarly(command) && command.attempt !== current.attempt) {
    return `attempt ${command.attempt} of ${nameOf(slot)} is stale; the current one is ${current.attempt}`;
  }
  if (command.type !== 'continue' && status === 'queued' && current.haltedBy !== null) return `${nameOf(slot)} is halted by a kill switch`;
  if (status === 'queued' && current.wakeAt !== null && current.wakeAt > now) return `${nameOf(slot)} retries later`;
  return refusalOfContent(command, definition, current);
}

function refusalOfContent(command: SlotCommand, definition: StepDefinition, current: SlotState | StepState): string | null {
  const { id, kind, forEach, loop, reduce, branch } = definition;
  const items = 'items' in current ? current.items : null;
  const isComplete = items !== null && items.done === items.total;
  switch (command.type) {
    case 'skip':
      return items !== null && items.next > 0 ? `step "${id}" has begun` : null;
    case 'expand': {
      if (forEach === undefined && loop === undefined) return `step "${id}" has no forEach to expand and no loop`;
      if (items !== null && (loop || items.next > 0 || items.total !== command.total)) return `step "${id}" was expanded before`;
      const [least, most] = loop ? [1, maxLoopIterations] : [0, maxItems];
      const fits = Number.isInteger(command.total) && command.total >= least && command.total <= most;
      return fits ? null : `step "${id}" cannot have ${command.total} items`;
    }
    case 'iterate':
      if (loop === undefined) return `step "${id}" is no loop`;
      return items !== null && nextItem(items) > 0 ? null : `step "${id}" has not begun its loop`;
    case 'reduce':
      if (reduce === undefined) return `step "${id}" has nothing to reduce with`;
      return isComplete ? null : `step "${id}" has items that have not ended`;
    case 'block':
      // Only what its items gave together can be refused to it.
      return command.attempt > 0 || command.slot.itemIndex >= 0 || reduce === undefined || isComplete
        ? null
        : `step "${id}" has items that have not ended`;
    case 'continue':
      return current.haltedBy === null ? `step "${id}" is not halted` : null;
    case 'note':
      return current.approvalId === command.approvalId ? null : `step "${id}" waits for another approval`;
    case 'awaitSignal':
    case 'wait':
      return (definition.wait !== undefined && 'signal' in definition.wait) === (command.type === 'awaitSignal')
        ? null
        : `step "${id}" waits for something else`;
    case 'receive':
      return current.signal === command.name ? null : `step "${id}" waits for another signal`;
    case 'wake':
      return current.wakeAt === null ? `step "${id}" does not wait for a moment` : null;
    case 'complete': {
      const { branchCase } = command;
      if (kind !== 'branch') return branchCase === undefined ? null : `step "${id}" is no branch and has no cases`;
      const exists = branchCase === null || (branchCase !== undefined && branch?.[branchCase] !== undefined);
      return exists ? null : `step "${id}" has no case ${branchCase ?? ''}`;
    }
    default:
      return null;
  }
}
