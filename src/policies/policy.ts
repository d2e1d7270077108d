// Policies: kinds, modes, effects and scope. The rules documents and their evaluation stand beside this file. Pure; no I/O.
export const policyKinds = ['tool_access', 'approval_required'] as const;
export type PolicyKind = (typeof policyKinds)[number];

export const policyModes = ['observe', 'enforce'] as const;
export type PolicyMode = (typeof policyModes)[number];

/** What the gate can answer with the policy kinds there are. */
export const decisionEffects = ['allow', 'deny', 'require_approval'] as const;
export type DecisionEffect = (typeof decisionEffects)[number];

/** What passes the gate. */
export const gateActions = ['execution.start', 'tool.call', 'http.request'] as const;
export type GateAction = (typeof gateActions)[number];

/** Where a policy applies: every member that is not null must match; all null is the whole tenant. */
export interface PolicyScope {
  readonly projectId: string | null;
  readonly environmentId: string | null;
  readonly agentId: string | null;
  /** A tag of the agent. */
  readonly tag: string | null;
}

/** What happened to a policy; each change makes an immutable version. */
export const policyChanges = ['created', 'updated', 'enabled', 'disabled', 'deleted'] as const;
export type PolicyChange = (typeof policyChanges)[number];

/** A policy as a whole, as one version keeps it. `kind` never changes. */
export interface PolicyDocument {
  readonly change: PolicyChange;
  readonly name: string;
  readonly description: string;
  readonly kind: PolicyKind;
  readonly mode: PolicyMode;
  /** Lower first. */
  readonly priority: number;
  readonly enabled: boolean;
  readonly scope: PolicyScope;
  /** As the author wrote them; `rules.ts` says what each kind accepts. */
  readonly rules: unknown;
}
