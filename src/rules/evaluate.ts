// The gate as a pure function: built-in rules, then the policies in scope, then one outcome. No clock, no I/O.
import type { ApprovalTerms } from '../approvals/approval-terms.ts';
import { coversDestination, destinationText, requestTool } from './destination.ts';
import type { Destination, GateInput, GateVerdict, PolicyFinding } from './gate.ts';
import { mergeTerms } from './merge-terms.ts';
import type { PolicySet } from './policy-set.ts';
import type { DecisionEffect } from './policy.ts';
import { defaultExpiresInMs } from './rules.ts';

const nothingObjects = 'No policy in scope refuses this or asks for an approval.';

/** Every policy in scope is asked whatever the others said, so that the record is complete. */
export function evaluateGate(policies: PolicySet, input: GateInput): GateVerdict {
  return combine(refusals(input), policies.findingsOn(input));
}

/** What is refused whatever policies say: kill switches, then what the agent's definition does not cover. */
export function refusals(input: GateInput): string[] {
  const ofDefinition = refusalsOfDefinition(input);
  return input.killSwitches ? [...refusalsOfKillSwitches(input), ...ofDefinition] : ofDefinition;
}

/**
 * The outcome of findings that were made: computing it again from a decision record gives the recorded effect. Any refusal or
 * enforced denial wins; else an approval is asked for; else it waits for the latest moment; else it runs, with its warnings.
 * Findings that are observed are recorded only; those that inject never change the effect.
 */
export function combine(refused: readonly string[], findings: readonly PolicyFinding[]): GateVerdict {
  const said: Record<DecisionEffect, string[] | null> = {
    allow: null,
    warn: null,
    deny: null,
    require_approval: null,
    queue: null,
    delay: null,
  };
  const putOff: PolicyFinding[] = [];
  const injections: string[] = [];
  for (const finding of findings) {
    const { mode, effect, reason } = finding;
    if (mode === 'inject' && effect !== 'allow') injections.push(reason);
    if (mode !== 'enforce') continue;
    (said[effect] ??= []).push(reason);
    if (effect === 'delay' || effect === 'queue') putOff.push(finding);
  }
  const { allow, warn, deny, require_approval: requests } = said;
  const besides: Omit<GateVerdict, 'effect' | 'reasons'> =
    warn || injections.length > 0
      ? { findings, ...(warn && { warnings: warn }), ...(injections.length > 0 && { injections }) }
      : { findings };

  if (refused.length > 0 || deny) return { effect: 'deny', reasons: [...refused, ...(deny ?? [])], ...besides };
  const notBefore = latestOf(putOff);
  const waiting = notBefore === null ? besides : { ...besides, notBefore };
  if (requests) return { effect: 'require_approval', reasons: requests, ...waiting };
  if (putOff.length > 0) return { effect: said.delay ? 'delay' : 'queue', reasons: putOff.map(({ reason }) => reason), ...waiting };
  if (warn) return { effect: 'warn', reasons: warn, ...besides };
  return { effect: 'allow', reasons: allow ?? [nothingObjects], ...besides };
}

/** The latest moment of those that put it off; null when nothing does. */
function latestOf(putOff: readonly PolicyFinding[]): string | null {
  const moments = putOff.flatMap(({ notBefore }) => notBefore ?? []);
  return moments.reduce<string | null>((latest, next) => (latest === null || Date.parse(next) > Date.parse(latest) ? next : latest), null);
}

const refusalsOfKillSwitches = ({ killSwitches = [] }: GateInput): string[] =>
  killSwitches.map(({ id, reason }) => `A kill switch stops this: ${reason} (${id}). It goes on once the switch is released.`);

const agentOf = ({ agentName, agentVersion }: GateInput): string => `The agent "${agentName}" ${agentVersion}`;

/** What no policy can change: a tool call and a request must be covered by the agent's own definition. */
export function refusalsOfDefinition(input: GateInput): string[] {
  const { tool, destination } = input;
  if (destination) return refusalsOfRequest(input, destination);
  if (!tool) return [];
  const refusals: string[] = [];
  if (!input.agentTools.includes(tool.name)) {
    refusals.push(
      `${agentOf(input)} does not list the tool ${tool.name}. Add it to "spec.tools" of the definition and publish a new version if it should.`,
    );
  }
  if (!input.agentCapabilities.includes(tool.capability)) {
    refusals.push(
      `${agentOf(input)} lacks the capability "${tool.capability}" that the tool ${tool.name} needs. Set "spec.capabilities.${tool.capability}: true" in the definition and publish a new version if it should.`,
    );
  }
  return refusals;
}

function refusalsOfRequest(input: GateInput, destination: Destination): string[] {
  const refusals: string[] = [];
  if (!coversDestination(input.agentDestinations ?? [], destination)) {
    const place = destinationText(destination);
    refusals.push(
      `${agentOf(input)} does not list the destination ${place}. Add it to "spec.destinations" of the definition and publish a new version if it should.`,
    );
  }
  const { capability } = requestTool(destination.method);
  if (!input.agentCapabilities.includes(capability)) {
    refusals.push(
      `${agentOf(input)} lacks the capability "${capability}" that a ${destination.method} request needs. Set "spec.capabilities.${capability}: true" in the definition and publish a new version if it should.`,
    );
  }
  return refusals;
}

/** What a verdict of `require_approval` asks for: the shortest of the expiries, and which policy versions the grant is bound to. */
export interface AskedApproval {
  readonly reason: string;
  readonly expiresInMs: number;
  /** `policyId@version` of each policy that asked, sorted. */
  readonly policies: readonly string[];
  /** Who decides it; absent when no policy says. */
  readonly terms?: ApprovalTerms | undefined;
}

export function approvalTerms(verdict: GateVerdict): AskedApproval {
  const asking = verdict.findings.filter((finding) => finding.mode === 'enforce' && finding.effect === 'require_approval');
  const terms = asking.flatMap((finding) => finding.terms ?? []);
  return {
    reason: asking.map((finding) => finding.reason).join('\n'),
    expiresInMs: asking.reduce((least, finding) => Math.min(least, finding.expiresInMs ?? defaultExpiresInMs), Infinity),
    policies: asking.map((finding) => `${finding.policyId}@${finding.version}`).sort(),
    ...(terms.length > 0 && { terms: mergeTerms(terms) }),
  };
}
