// The gate as a pure function: built-in rules, then the policies in scope, then one outcome. No clock, no I/O.
import { coversDestination, destinationText, requestTool } from './destination.ts';
import type { Destination, GateInput, GateVerdict, PolicyFinding } from './gate.ts';
import type { PolicySet } from './policy-set.ts';
import { defaultExpiresInMs } from './rules.ts';

const nothingObjects = 'No policy in scope refuses this or asks for an approval.';

/**
 * Any enforced deny wins, else an approval is required when an enforced policy asks for one, else allow.
 * Every policy in scope is asked whatever the others said, so that the record is complete.
 */
export function evaluateGate(policies: PolicySet, input: GateInput): GateVerdict {
  return combine(refusalsOfDefinition(input), policies.findingsOn(input));
}

/** The outcome of findings that were made: computing it again from a decision record gives the recorded effect. */
export function combine(refusals: readonly string[], findings: readonly PolicyFinding[]): GateVerdict {
  const enforced = findings.filter((finding) => finding.mode === 'enforce');
  const reasonsOf = (effect: PolicyFinding['effect']) =>
    enforced.filter((finding) => finding.effect === effect).map((finding) => finding.reason);
  const denials = [...refusals, ...reasonsOf('deny')];
  if (denials.length > 0) return { effect: 'deny', reasons: denials, findings };
  const requests = reasonsOf('require_approval');
  if (requests.length > 0) return { effect: 'require_approval', reasons: requests, findings };
  const allowances = reasonsOf('allow');
  return { effect: 'allow', reasons: allowances.length > 0 ? allowances : [nothingObjects], findings };
}

/** What no policy can change: a tool call and a request must be covered by the agent's own definition. */
export function refusalsOfDefinition(input: GateInput): string[] {
  const { tool, destination } = input;
  if (destination) return refusalsOfRequest(input, destination);
  if (!tool) return [];
  const agent = `The agent "${input.agentName}" ${input.agentVersion}`;
  const refusals: string[] = [];
  if (!input.agentTools.includes(tool.name)) {
    refusals.push(
      `${agent} does not list the tool ${tool.name}. Add it to "spec.tools" of the definition and publish a new version if it should.`,
    );
  }
  if (!input.agentCapabilities.includes(tool.capability)) {
    refusals.push(
      `${agent} lacks the capability "${tool.capability}" that the tool ${tool.name} needs. Set "spec.capabilities.${tool.capability}: true" in the definition and publish a new version if it should.`,
    );
  }
  return refusals;
}

function refusalsOfRequest(input: GateInput, destination: Destination): string[] {
  const agent = `The agent "${input.agentName}" ${input.agentVersion}`;
  const refusals: string[] = [];
  if (!coversDestination(input.agentDestinations ?? [], destination)) {
    const place = destinationText(destination);
    refusals.push(
      `${agent} does not list the destination ${place}. Add it to "spec.destinations" of the definition and publish a new version if it should.`,
    );
  }
  const { capability } = requestTool(destination.method);
  if (!input.agentCapabilities.includes(capability)) {
    refusals.push(
      `${agent} lacks the capability "${capability}" that a ${destination.method} request needs. Set "spec.capabilities.${capability}: true" in the definition and publish a new version if it should.`,
    );
  }
  return refusals;
}

/** What a verdict of `require_approval` asks for: the shortest of the expiries, and which policy versions the grant is bound to. */
export interface ApprovalTerms {
  readonly reason: string;
  readonly expiresInMs: number;
  /** `policyId@version` of each policy that asked, sorted. */
  readonly policies: readonly string[];
}

export function approvalTerms(verdict: GateVerdict): ApprovalTerms {
  const asking = verdict.findings.filter((finding) => finding.mode === 'enforce' && finding.effect === 'require_approval');
  return {
    reason: asking.map((finding) => finding.reason).join('\n'),
    expiresInMs: asking.reduce((least, finding) => Math.min(least, finding.expiresInMs ?? defaultExpiresInMs), Infinity),
    policies: asking.map((finding) => `${finding.policyId}@${finding.version}`).sort(),
  };
}
