// What kill switches add to the gate's input: those that cover the effect. Only what goes out is stopped; an execution may start, and
// stops before its first effect.
import { covers, type SwitchableEffect } from '../killswitches/kill-switch.ts';
import { engagedSwitches } from '../killswitches/kill-switch-reads.ts';
import type { GateInput } from '../rules/gate.ts';
import { targetsOf } from '../rules/targets.ts';
import type { FactSource } from './gate-service.ts';

export const killSwitchFacts: FactSource = {
  async load(uow) {
    const engaged = await engagedSwitches(uow);
    const asksWhere = engaged.some(({ scope }) => scope === 'destination');
    return (input: GateInput) => {
      if (engaged.length === 0 || input.tool === null || !stoppable.has(input.action)) return {};
      const { projectId, environmentId, agentId, tool } = input;
      const effect = { projectId, environmentId, agentId, tool: tool.name, destinations: asksWhere ? destinationsOf(input) : [] };
      const covering = engaged.filter((each) => covers(each, effect));
      return covering.length === 0 ? {} : { killSwitches: covering.map(({ id, reason }) => ({ id, reason })) };
    };
  },
};

const stoppable: ReadonlySet<string> = new Set(['tool.call', 'http.request']);

/** Where a request goes; the URLs that a network tool is given, and the tenant's own server that offers the tool. */
export function destinationsOf(input: Pick<GateInput, 'action' | 'tool' | 'destination' | 'arguments'>): SwitchableEffect['destinations'] {
  try {
    return targetsOf(input);
  } catch {
    return null; // more URLs than are looked at
  }
}
