// The order of steps: who waits for whom, from `needs`, references and branches. Finds missing steps and cycles.
import type { Mention, Report } from './definition-expressions.ts';
import type { CheckedStep } from './definition-step.ts';

/** Ids each step waits for, in the order they are mentioned; reports what is missing, doubled or circular. */
export function orderSteps(steps: readonly CheckedStep[], ids: ReadonlySet<string>, report: Report): Map<string, string[]> {
  const needs = new Map<string, Set<string>>(steps.map(({ step }) => [step.id, new Set<string>()]));
  const add = (id: string, need: string) => needs.get(id)?.add(need);
  const exists = ({ id, path }: Mention): boolean => {
    if (ids.has(id)) return true;
    report(path, `there is no step "${id}"`, known(ids));
    return false;
  };

  for (const { step, mentions } of steps) for (const mention of mentions) if (exists(mention)) add(step.id, mention.id);
  const leaders = new Map<string, string>();
  for (const { step, targets } of steps) {
    for (const target of targets) {
      if (!exists(target)) continue;
      const leader = leaders.get(target.id);
      if (leader !== undefined) {
        report(target.path, `the step "${target.id}" is already led to by the branch "${leader}"`, 'each step in one case of one branch');
        continue;
      }
      leaders.set(target.id, step.id);
      add(target.id, step.id);
    }
  }
  reportCycles(steps, needs, report);
  return new Map([...needs].map(([id, list]) => [id, [...list]]));
}

export function known(ids: ReadonlySet<string>): string {
  const some = [...ids].slice(0, 20).join(', ');
  return ids.size === 0 ? 'a step of this definition' : `one of: ${some}${ids.size > 20 ? ', …' : ''}`;
}

function reportCycles(steps: readonly CheckedStep[], needs: ReadonlyMap<string, ReadonlySet<string>>, report: Report): void {
  const places = new Map(steps.map(({ step, at }) => [step.id, at]));
  const done = new Set<string>();
  const path: string[] = [];
  const visit = (id: string): void => {
    const start = path.indexOf(id);
    if (start >= 0) {
      // Written in the order in which the steps would run: each one waits for the one before it.
      const cycle = [...path.slice(start), id].reverse();
      report(places.get(id) ?? '', `the steps wait for each other: ${cycle.join(' → ')}`, 'an order without a cycle');
      return;
    }
    if (done.has(id)) return;
    path.push(id);
    for (const need of needs.get(id) ?? []) visit(need);
    path.pop();
    done.add(id);
  };
  for (const { step } of steps) visit(step.id);
}
