// The http step at the gate: the agent's declared destinations and capabilities decide, then the policies; the guard looks again on sending.
import { isIdempotent } from '../outbound/request.ts';
import { destinationText, requestTool, requestToolName } from '../policies/destination.ts';
import { destinationOf } from './http-request.ts';
import { passGate, type GateDependencies } from './pass-gate.ts';
import type { Transition } from './transition.ts';
import type { HttpEffect, Work } from './work.ts';

export async function sendRequest(
  deps: GateDependencies,
  t: Transition,
  { slot, request, timeoutMs }: Extract<Work, { kind: 'http' }>,
  jobId: string,
): Promise<HttpEffect | null> {
  const destination = destinationOf(request);
  const passage = {
    slot,
    effect: { action: 'http.request', tool: requestTool(request.method), destination },
    arguments: { ...request },
    signed: { tool: requestToolName, toolDigest: null },
    risk: requestTool(request.method).risk,
    deed: `Send ${request.method} to ${destinationText(destination)}`,
  } as const;
  const started = await passGate(deps, t, passage, jobId);
  if (!started) return null;
  const { expect, maxBytes } = t.plan.steps.get(slot.stepId)!.http!;
  return {
    ...started,
    kind: 'http',
    request,
    repeatable: isIdempotent(request.method),
    timeoutMs,
    expect,
    maxBytes,
    destinations: t.plan.definition.destinations,
  };
}
