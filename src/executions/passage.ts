// What one effect is to the gate and to an approver: the same whether it is dispatched, or edited while somebody is asked. Pure.
import { destinationText, requestTool, requestToolName } from '../rules/destination.ts';
import { classifyCall } from '../tools/classification.ts';
import type { ToolDescription } from '../tools/tool.ts';
import { destinationOf, type HttpRequest } from './http-request.ts';
import type { Slot } from './machine-state.ts';
import type { Passage } from './pass-gate.ts';

export function passageOfTool(slot: Slot, tool: string, definition: ToolDescription, args: Record<string, unknown>): Passage {
  const { digest } = definition;
  const called = classifyCall(definition, args);
  return {
    slot,
    effect: { action: 'tool.call', tool: called, destination: null, costMicroUsd: definition.costMicroUsd ?? null },
    arguments: args,
    signed: { tool, toolDigest: digest },
    risk: called.risk,
    deed: `Call ${tool}`,
  };
}

export function passageOfRequest(slot: Slot, request: HttpRequest): Passage {
  const destination = destinationOf(request);
  const { name, ...rest } = requestTool(request.method);
  const tool = classifyCall({ ...rest, fullName: name, source: 'http', category: 'network' }, request);
  return {
    slot,
    effect: { action: 'http.request', tool, destination },
    arguments: { ...request },
    signed: { tool: requestToolName, toolDigest: null },
    risk: tool.risk,
    deed: `Send ${request.method} to ${destinationText(destination)}`,
  };
}
