// The gate's input and answer. Evaluation is pure: same input and policies, same answer.
import type { EnvironmentKind } from '../tenants/tenant.ts';
import type { Capability, RiskClass } from '../tools/tool.ts';
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
  /** With `require_approval`: how long the request stays open, milliseconds. */
  readonly expiresInMs?: number | undefined;
}

export interface GateVerdict {
  readonly effect: DecisionEffect;
  readonly reasons: readonly string[];
  readonly findings: readonly PolicyFinding[];
}
