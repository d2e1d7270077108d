// A decision seen again: why it came out as it did, and what comes out when it is computed from its record. Pure; no I/O.
import { canonicalJson, digestOf } from '../platform/canonical.ts';
import type { DecisionRow } from './decision-reads.ts';
import { evaluateGate, refusals } from '../rules/evaluate.ts';
import type { GateVerdict, PolicyFinding } from '../rules/gate.ts';
import type { DecisionEffect } from '../rules/policy.ts';
import type { PolicySet } from '../rules/policy-set.ts';

/** What a finding had to do with the outcome. */
export const findingRoles = ['decided', 'outweighed', 'observed', 'injected'] as const;
export type FindingRole = (typeof findingRoles)[number];

export function roleOf(finding: Pick<PolicyFinding, 'mode' | 'effect'>, outcome: DecisionEffect): FindingRole {
  if (finding.mode === 'observe') return 'observed';
  if (finding.mode === 'inject') return 'injected';
  // A delay and a place in a queue make one outcome: the later moment counts.
  const waits = (effect: DecisionEffect) => effect === 'delay' || effect === 'queue';
  return finding.effect === outcome || (waits(finding.effect) && waits(outcome)) ? 'decided' : 'outweighed';
}

const outcomes: Readonly<Record<DecisionEffect, string>> = {
  allow: 'was let through',
  warn: 'was let through with a warning',
  deny: 'was refused',
  require_approval: 'had to be approved by a person first',
  queue: 'had to wait for its turn',
  delay: 'was put off',
};

/** One paragraph for a person who was not there. */
export function summaryOf(row: DecisionRow): string {
  const { input } = row;
  const deeds = {
    'execution.start': 'The start of an execution',
    'tool.call': `The call of ${input.tool?.name ?? 'a tool'}`,
    'http.request': `The ${input.destination?.method ?? ''} request to ${input.destination?.host ?? 'a host'}`,
    'output.deliver': 'The delivery of an output',
  };
  const count = (role: FindingRole) => row.findings.filter((finding) => roleOf(finding, row.effect) === role).length;
  const silent = [
    plural(count('outweighed'), 'policy spoke', 'policies spoke', 'without changing the outcome'),
    plural(count('observed'), 'policy is', 'policies are', 'observed only'),
    plural(count('injected'), 'policy puts', 'policies put', 'a text in front of the output'),
  ].filter((text) => text !== null);
  const failed = row.findings.filter((finding) => finding.failed).map(({ policyName }) => `"${policyName}"`);
  return [
    `${deeds[input.action]} by the agent "${input.agentName}" ${input.agentVersion} ${outcomes[row.effect]} at ${row.createdAt.toISOString()}.`,
    ...row.reasons,
    ...(silent.length > 0 ? [`Besides, ${silent.join(', and ')}.`] : []),
    ...(failed.length > 0 ? [`Not evaluated because of an error: ${failed.join(', ')}.`] : []),
  ].join(' ');
}

const plural = (count: number, one: string, many: string, rest: string) =>
  count === 0 ? null : `${count} ${count === 1 ? one : many} ${rest}`;

export interface Explanation {
  readonly summary: string;
  /** By kill switches and by the agent's own definition; no policy can change them. */
  readonly refusals: readonly string[];
  readonly findings: readonly (PolicyFinding & { readonly role: FindingRole })[];
}

export const explain = (row: DecisionRow): Explanation => ({
  summary: summaryOf(row),
  refusals: refusals(row.input),
  findings: row.findings.map((finding) => ({ ...finding, role: roleOf(finding, row.effect) })),
});

/** With which policies a decision is computed again. */
export const policyMoments = ['recorded', 'current'] as const;
export type PolicyMoment = (typeof policyMoments)[number];

export interface Difference {
  /** `effect`, `reasons`, or `findings.<policy name>` and the member of the finding. */
  readonly path: string;
  readonly policyId: string | null;
  /** JSON; null where there is nothing. */
  readonly recorded: unknown;
  readonly computed: unknown;
}

export interface Reevaluation {
  readonly same: boolean;
  readonly verdict: GateVerdict;
  readonly differences: readonly Difference[];
  /** Whether the input is what the digest was made of; null when something was left out of the record. */
  readonly digestMatches: boolean | null;
  /** Members of the input that were left out: what policies make of them cannot be computed again. */
  readonly notCompared: readonly string[];
}

export function reevaluate(row: DecisionRow, policies: PolicySet): Reevaluation {
  const verdict = evaluateGate(policies, row.input);
  const differences = differencesOf(row, verdict);
  return {
    same: differences.length === 0,
    verdict,
    differences,
    digestMatches: row.redacted.length > 0 ? null : digestOf(row.input) === row.inputDigest,
    notCompared: row.redacted,
  };
}

export function differencesOf(recorded: Pick<GateVerdict, 'effect' | 'reasons' | 'findings'>, computed: GateVerdict): Difference[] {
  const found: Difference[] = [];
  const compare = (path: string, policyId: string | null, before: unknown, after: unknown) => {
    if (!isSame(before, after)) found.push({ path, policyId, recorded: before ?? null, computed: after ?? null });
  };
  compare('effect', null, recorded.effect, computed.effect);
  compare('reasons', null, recorded.reasons, computed.reasons);
  const [before, after] = [byPolicy(recorded.findings), byPolicy(computed.findings)];
  for (const policyId of new Set([...before.keys(), ...after.keys()])) {
    const [was, is] = [before.get(policyId), after.get(policyId)];
    const path = `findings.${(was ?? is)!.policyName}`;
    if (!was || !is) {
      compare(path, policyId, was, is);
      continue;
    }
    const members = new Set([...Object.keys(was), ...Object.keys(is)]) as Set<keyof PolicyFinding>;
    for (const member of members) compare(`${path}.${member}`, policyId, was[member], is[member]);
  }
  return found;
}

const byPolicy = (findings: readonly PolicyFinding[]) => new Map(findings.map((finding) => [finding.policyId, finding]));

const isSame = (a: unknown, b: unknown): boolean => (a === undefined || b === undefined ? a === b : canonicalJson(a) === canonicalJson(b));
