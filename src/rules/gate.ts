// The gate's input and answer. Evaluation is pure: same input and policies, same answer.
import type { EnvironmentKind } from '../tenants/tenant.ts';
import type { ApprovalTerms } from '../approvals/approval-terms.ts';
import type { Capability, RiskClass, RiskSign, ToolCategory, ToolSource } from '../tools/tool.ts';
import type { DataKind } from './data-scope.ts';
import type { DecisionEffect, GateAction, PolicyKind, PolicyMode } from './policy.ts';

/** Everything a policy can see of one effect. Recorded whole with the decision. */
export interface GateInput {
  readonly action: GateAction;
  readonly tenantId: string;
  readonly projectId: string;
  readonly environmentId: string;
  readonly environmentKind: EnvironmentKind;
  readonly agentId: string;
  readonly agentName: string;
  readonly agentVersion: string;
  readonly agentTags: readonly string[];
  readonly teamId: string | null;
  readonly agentCapabilities: readonly Capability[];
  /** `server.name` of each tool the definition lists. */
  readonly agentTools: readonly string[];
  /** Host patterns that the definition lists; absent in records of older releases, like `destination`. */
  readonly agentDestinations?: readonly string[] | undefined;
  readonly principalId: string;
  /** Roles of the principal that hold where the execution runs. */
  readonly roles: readonly string[];
  /** Null for `execution.start`; an `http.request` looks to policies like a call of a tool of this name. */
  readonly tool: GateTool | null;
  /** Of an `http.request`, else null. */
  readonly destination?: Destination | null | undefined;
  readonly arguments: unknown;
  /** ISO 8601 moment of the evaluation. */
  readonly at: string;
  // Absent in records of older releases:
  readonly executionId?: string | null | undefined;
  /** Of the execution. */
  readonly labels?: Readonly<Record<string, string>> | undefined;
  /** Data the definition declares, `dataset:orders`; and what other agents have granted. */
  readonly agentData?: readonly DataReference[] | undefined;
  readonly grantedData?: readonly DataReference[] | undefined;
  /** With `output.deliver`: what a step or the execution would hand on. */
  readonly output?: unknown;
  /** Estimated cost, integer micro-USD; null when nobody knows. */
  readonly costMicroUsd?: number | null | undefined;
  /** What had to be read to judge, so that the same outcome can be computed again; by policy id. */
  readonly rates?: Readonly<Record<string, RateFact>> | undefined;
  /** Kill switches that cover it; any of them refuses it. */
  readonly killSwitches?: readonly { readonly id: string; readonly reason: string }[] | undefined;
}

export type DataReference = `${DataKind}:${string}`;

/** What a rate limit's counter said. */
export interface RateFact {
  readonly key: string;
  readonly limit: number;
  readonly windowMs: number;
  /** In the window, this one not included. */
  readonly count: number;
  /** ISO 8601: the moment from which one more is within the limit; equal to the moment of the evaluation when it is now. */
  readonly freeAt: string;
  /** ISO 8601: since when this one waits in line; absent when it has just come. */
  readonly askedAt?: string | undefined;
}

/** Of an HTTP request. */
export interface Destination {
  readonly scheme: 'http' | 'https';
  /** Lower case, no final dot; IPv6 without brackets. */
  readonly host: string;
  readonly port: number;
  readonly method: string;
}

export interface GateTool {
  readonly name: string;
  /** Of the tool's description; empty for a request, which has none. */
  readonly digest: string;
  readonly risk: RiskClass;
  readonly capability: Capability;
  // Absent in records of older releases:
  readonly source?: ToolSource | undefined;
  readonly category?: ToolCategory | undefined;
  /** What the analysis of the arguments found; `risk` is at least the worst of them. */
  readonly signs?: readonly RiskSign[] | undefined;
  /** Where the tenant's own server that offers it is reached. */
  readonly server?: Omit<Destination, 'method'> | undefined;
}

/** One policy that matched. `effect` is what it asks for; observed findings never change the outcome. */
export interface PolicyFinding {
  readonly policyId: string;
  readonly policyName: string;
  readonly version: number;
  readonly kind: PolicyKind;
  readonly mode: PolicyMode;
  readonly effect: DecisionEffect;
  readonly reason: string;
  /** With `require_approval`: how long the request stays open, milliseconds; and who decides it. */
  readonly expiresInMs?: number | undefined;
  readonly terms?: ApprovalTerms | undefined;
  /** With `delay` and `queue`: ISO 8601 moment before which it must not run. */
  readonly notBefore?: string | undefined;
  /** True: it could not be evaluated, and the effect is that of its failure mode. */
  readonly failed?: true | undefined;
}

export interface GateVerdict {
  readonly effect: DecisionEffect;
  readonly reasons: readonly string[];
  readonly findings: readonly PolicyFinding[];
  /** Reasons of `warn` findings that are enforced; they change nothing. */
  readonly warnings?: readonly string[] | undefined;
  /** Texts of `inject` findings that would have changed the outcome: put in front of the output. */
  readonly injections?: readonly string[] | undefined;
  /** The latest moment of the enforced findings that put it off; with `require_approval` it holds after the approval, too. */
  readonly notBefore?: string | undefined;
}
