// The http step at the gate: the agent's declared destinations and capabilities decide, then the policies; the guard looks again on sending.
import { isIdempotent } from '../outbound/request.ts';
import { passageOfRequest } from './passage.ts';
import { passGate, type GateDependencies } from './pass-gate.ts';
import type { Transition } from './transition.ts';
import type { HttpEffect, Work } from './work.ts';

export async function sendRequest(
  deps: GateDependencies,
  t: Transition,
  { slot, request, timeoutMs }: Extract<Work, { kind: 'http' }>,
  jobId: string,
): Promise<HttpEffect | null> {
  const started = await passGate(deps, t, passageOfRequest(slot, request), jobId);
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
