// The http step at the gate: the agent's declared destinations and capabilities decide, then the policies; the guard looks again on sending.
import { isIdempotent } from '../outbound/request.ts';
import type { HttpRequest } from './http-request.ts';
import { passageOfRequest } from './passage.ts';
import { argumentsToRun, passGate, type GateDependencies } from './pass-gate.ts';
import type { Transition } from './transition.ts';
import type { HttpEffect, Work } from './work.ts';

export async function sendRequest(
  deps: GateDependencies,
  t: Transition,
  { slot, request: asked, timeoutMs }: Extract<Work, { kind: 'http' }>,
  jobId: string,
): Promise<HttpEffect | null> {
  const { signed } = passageOfRequest(slot, asked);
  const { approval, arguments: args } = await argumentsToRun(deps, t, { slot, signed, arguments: { ...asked } });
  // Edited arguments were checked to be a request when they were saved.
  const request = args as unknown as HttpRequest;
  const started = await passGate(deps, t, { ...passageOfRequest(slot, request), arguments: args, approval }, jobId);
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
