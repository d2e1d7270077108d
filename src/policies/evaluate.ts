// The gate as a pure function: built-in rules, then the policies in scope, then one outcome. No clock, no I/O.
import type { CompiledPolicy, PolicySet } from './compile.ts';
import type { GateInput, GateVerdict, PolicyFinding } from './gate.ts';
import { defaultExpiresInMs } from './rules.ts';

const nothingObjects = 'No policy in scope refuses this or asks for an approval.';

/**
 * Any enforced deny wins, else an approval is required when an enforced policy asks for one, else allow.
 * Every policy in scope is asked whatever the others said, so that the record is complete.
 */
export function evaluateGate(policies: PolicySet, input: GateInput): GateVerdict {
  const findings: PolicyFinding[] = [];
  for (const policy of policies.inScope(input)) {
    const finding = ask(policy, input);
    if (finding) findings.push(finding);
  }
  return combine(refusalsOfDefinition(input), findings);
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

/** What no policy can change: a tool call must be covered by the agent's own definition. */
export function refusalsOfDefinition(input: GateInput): string[] {
  const { tool } = input;
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

function ask({ source, judge }: CompiledPolicy, input: GateInput): PolicyFinding | null {
  const { id: policyId, name: policyName, version, kind, mode } = source;
  try {
    const opinion = judge(input);
    return opinion && { policyId, policyName, version, kind, mode, ...opinion };
  } catch (error) {
    return { policyId, policyName, version, kind, mode, ...failed(policyName, input, error) };
  }
}

function failed(policyName: string, input: GateInput, error: unknown): Pick<PolicyFinding, 'effect' | 'reason'> {
  const said = `Policy "${policyName}" could not be evaluated (${error instanceof Error ? error.message : String(error)})`;
  const risk = input.tool?.risk;
  return risk === 'high' || risk === 'critical'
    ? { effect: 'deny', reason: `${said}; calls of ${risk} risk are refused until it is repaired or disabled.` }
    : { effect: 'allow', reason: `${said}; ${risk ? `calls of ${risk} risk` : 'starts of executions'} pass meanwhile.` };
}
