// Cases of a policy document (`.cases.json`): effects, and the decision that is expected of the gate with this policy alone. Pure; no I/O.
import { z } from 'zod';
import type { Problem } from '../platform/errors.ts';
import { knownKeys, problemsOf } from '../platform/problems.ts';
import { environmentKinds } from '../tenants/tenant.ts';
import { classifyCall } from '../tools/classification.ts';
import { capabilities, riskClasses, toolCategories, toolSources } from '../tools/tool.ts';
import { combine } from '../rules/evaluate.ts';
import type { DataReference, GateInput, GateTool, GateVerdict } from '../rules/gate.ts';
import type { PolicyFileDocument } from './policy-document.ts';
import type { NamedScope } from './policy-names.ts';
import { compilePolicies } from '../rules/policy-set.ts';
import { decisionEffects, gateActions, type PolicyScope } from '../rules/policy.ts';

const texts = z.array(z.string());
const reference = z.templateLiteral([z.enum(['dataset', 'api', 'service']), ':', z.string()]) satisfies z.ZodType<DataReference>;

const caseSchema = knownKeys({
  name: z.string().min(1),
  /** Names stand for the ids that scopes name. */
  request: knownKeys({
    action: z.enum(gateActions).optional(),
    tool: z.string().optional(),
    risk: z.enum(riskClasses).default('high'),
    capability: z.enum(capabilities).default('write'),
    source: z.enum(toolSources).optional(),
    category: z.enum(toolCategories).optional(),
    signs: z.array(knownKeys({ code: z.string(), risk: z.enum(riskClasses), detail: z.string().default('') })).optional(),
    /** The tenant's own server that offers the tool. */
    server: knownKeys({ scheme: z.enum(['http', 'https']).default('https'), host: z.string(), port: z.int().default(443) }).optional(),
    arguments: z.unknown().optional(),
    output: z.unknown().optional(),
    destination: knownKeys({
      scheme: z.enum(['http', 'https']).default('https'),
      host: z.string(),
      port: z.int().default(443),
      method: z.string().default('GET'),
    }).optional(),
    project: z.string().default('project'),
    environment: z.string().default('environment'),
    environmentKind: z.enum(environmentKinds).default('production'),
    agent: z.string().default('agent'),
    agentVersion: z.string().default('1.0.0'),
    team: z.string().nullable().default(null),
    tags: texts.default([]),
    principal: z.string().default('principal'),
    roles: texts.default(['operator']),
    labels: z.record(z.string(), z.string()).default({}),
    execution: z.string().default('execution'),
    data: z.array(reference).default([]),
    grantedData: z.array(reference).default([]),
    costMicroUsd: z.int().nullable().default(null),
    at: z.iso.datetime({ offset: true }).default('2026-11-21T00:00:00.000Z'),
    /** What the counter of a rate limit says: how many are in the window, and from when on one more is within the limit. */
    rate: knownKeys({ count: z.int(), freeAt: z.iso.datetime({ offset: true }) }).optional(),
  }),
  expect: knownKeys({
    effect: z.enum(decisionEffects),
    reason: z.string().optional(),
    expiresInMs: z.int().optional(),
    notBefore: z.string().optional(),
    observed: texts.optional(),
    injected: z.string().optional(),
  }),
});

export type PolicyCase = z.output<typeof caseSchema>;

/** Checks a parsed file of cases as a whole. */
export function parseCases(value: unknown): { ok: true; cases: PolicyCase[] } | { ok: false; problems: Problem[] } {
  const parsed = z.array(caseSchema).min(1, 'must hold at least one case').safeParse(value, { reportInput: true });
  return parsed.success ? { ok: true, cases: parsed.data } : { ok: false, problems: problemsOf(parsed.error) };
}

export interface CaseOutcome {
  readonly name: string;
  readonly verdict: GateVerdict;
  /** What differs from what is expected, as sentences; none: the case holds. */
  readonly differences: readonly string[];
}

/** What the definition of an agent covers is no part of it: the policy alone is asked. */
export function runCases(document: PolicyFileDocument, cases: readonly PolicyCase[]): CaseOutcome[] {
  const policies = compilePolicies([
    {
      ...document,
      id: policyId,
      version: 1,
      scope: scopeOf(document.scope),
      attachments: document.attachments.map((each) => ({ ...each, scope: scopeOf(each.scope) })),
      rollout: document.rollout ? { percent: document.rollout.percent, maxDenialPercent: null, windowMs: 0 } : null,
    },
  ]);
  return cases.map(({ name, request, expect }) => {
    const input = inputOf(request);
    const demands = policies.inForce(input).flatMap(({ judge }) => judge.counts?.(input) ?? []);
    const rates = Object.fromEntries(
      demands.flatMap((demand) => (request.rate ? [[demand.policyId, { ...demand, ...request.rate }]] : [])),
    );
    const verdict = combine([], policies.findingsOn({ ...input, rates }));
    return { name, verdict, differences: differencesOf(verdict, expect) };
  });
}

const policyId = 'policy';

const scopeOf = (scope: NamedScope): PolicyScope => ({
  projectId: scope.project ?? null,
  environmentId: scope.environment ?? null,
  agentId: scope.agent ?? null,
  teamId: scope.team ?? null,
  tag: scope.tag ?? null,
  tool: scope.tool ?? null,
});

/** As a dispatch would classify the call, from its arguments; signs that are given stand instead of those found. */
function toolOf(request: PolicyCase['request'], name: string): GateTool {
  const { risk, capability, source, category, signs, destination, server } = request;
  if (signs || destination) return { name, digest: '', risk, capability, source, category, signs, server };
  const tool = { fullName: name, digest: '', risk, capability, source: source ?? 'mcp', category: category ?? 'general' };
  return { ...classifyCall(tool, request.arguments ?? {}), server };
}

function inputOf(request: PolicyCase['request']): GateInput {
  const { tool, destination } = request;
  const usual = destination ? 'http.request' : tool === undefined ? 'execution.start' : 'tool.call';
  const name = tool ?? (destination ? 'http.request' : undefined);
  return {
    action: request.action ?? usual,
    tenantId: 'tenant',
    projectId: request.project,
    environmentId: request.environment,
    environmentKind: request.environmentKind,
    agentId: request.agent,
    agentName: request.agent,
    agentVersion: request.agentVersion,
    agentTags: request.tags,
    teamId: request.team,
    agentCapabilities: capabilities,
    agentTools: name === undefined ? [] : [name],
    principalId: request.principal,
    roles: request.roles,
    tool: name === undefined ? null : toolOf(request, name),
    destination: destination ?? null,
    arguments: request.arguments ?? {},
    at: request.at,
    executionId: request.execution,
    labels: request.labels,
    agentData: request.data,
    grantedData: request.grantedData,
    output: request.output,
    costMicroUsd: request.costMicroUsd,
  };
}

function differencesOf(verdict: GateVerdict, expect: PolicyCase['expect']): string[] {
  const said = verdict.findings.map(({ reason }) => reason).join(' ') || verdict.reasons.join(' ');
  const differences: string[] = [];
  const compare = (what: string, actual: unknown, expected: unknown) => {
    if (expected === undefined || JSON.stringify(actual) === JSON.stringify(expected)) return;
    differences.push(`${what} is ${JSON.stringify(actual) ?? 'absent'}, not ${JSON.stringify(expected)} (${said})`);
  };
  const contains = (what: string, texts: readonly string[], expected: string | undefined) => {
    if (expected === undefined || texts.join('\n').includes(expected)) return;
    differences.push(`${what} do not contain ${JSON.stringify(expected)}: ${JSON.stringify(texts)}`);
  };
  compare('the effect', verdict.effect, expect.effect);
  contains('the reasons', verdict.reasons, expect.reason);
  contains('the injected texts', verdict.injections ?? [], expect.injected);
  compare('the time to decide', verdict.findings[0]?.expiresInMs, expect.expiresInMs);
  compare('the moment to wait for', verdict.notBefore, expect.notBefore);
  const observed = verdict.findings.filter(({ mode }) => mode === 'observe').map(({ effect }) => effect);
  compare('what was observed', observed, expect.observed);
  return differences;
}
