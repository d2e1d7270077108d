// What kill switches add to the gate's input: those that cover the effect. Only what goes out is stopped; an execution may start, and
// stops before its first effect.
import { covers } from '../killswitches/kill-switch.ts';
import { engagedSwitches } from '../killswitches/kill-switch-reads.ts';
import type { FactSource } from './gate-service.ts';
import type { GateInput } from '../rules/gate.ts';

export const killSwitchFacts: FactSource = {
  async load(uow) {
    const engaged = await engagedSwitches(uow);
    return (input: GateInput) => {
      if (engaged.length === 0 || input.tool === null || !stoppable.has(input.action)) return {};
      const { projectId, environmentId, agentId, tool, destination = null } = input;
      const effect = { projectId, environmentId, agentId, tool: tool.name, destination };
      const covering = engaged.filter((each) => covers(each, effect));
      return covering.length === 0 ? {} : { killSwitches: covering.map(({ id, reason }) => ({ id, reason })) };
    };
  },
};

const stoppable: ReadonlySet<string> = new Set(['tool.call', 'http.request']);
