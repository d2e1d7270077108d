// Policies: kinds, modes, effects and scope. The rules documents and their evaluation stand beside this file. Pure; no I/O.
export const policyKinds = [
  'tool_access',
  'approval_required',
  'rate_limit',
  'time_window',
  'destination',
  'data_scope',
  'content',
] as const;
export type PolicyKind = (typeof policyKinds)[number];

/** `observe` is recorded only; `inject` puts the reason in front of the tool's output and lets the run go on; `enforce` decides. */
export const policyModes = ['observe', 'inject', 'enforce'] as const;
export type PolicyMode = (typeof policyModes)[number];

/** What the gate can answer. `queue` and `delay` let the effect through later, at a moment that stands in the finding. */
export const decisionEffects = ['allow', 'warn', 'deny', 'require_approval', 'queue', 'delay'] as const;
export type DecisionEffect = (typeof decisionEffects)[number];

/** What passes the gate. */
export const gateActions = ['execution.start', 'tool.call', 'http.request', 'output.deliver'] as const;
export type GateAction = (typeof gateActions)[number];

/** Where a policy applies: every member that is not null must match; all null is the whole tenant. */
export interface PolicyScope {
  readonly projectId: string | null;
  readonly environmentId: string | null;
  readonly agentId: string | null;
  /** The agent's team. */
  readonly teamId: string | null;
  /** A tag of the agent. */
  readonly tag: string | null;
  /** A pattern of tool names, such as `files.*`. */
  readonly tool: string | null;
}

/** The same policy at one more place. Where several cover an effect, the nearest one counts; what it leaves out is as in the policy. */
export interface PolicyAttachment {
  readonly scope: PolicyScope;
  readonly mode?: PolicyMode | undefined;
  readonly priority?: number | undefined;
  readonly enabled?: boolean | undefined;
}

/** A policy that is switched on by and by. */
export interface PolicyRollout {
  /** Share of executions (by a stable hash of their id) for which it is enforced, 0 to 100; for the others it is observed. */
  readonly percent: number;
  /** It falls back to `observe` when it denies more than this share of what it judges, percent, within `windowMs`. */
  readonly maxDenialPercent: number | null;
  readonly windowMs: number;
}

/** What a policy that cannot be evaluated says of calls of low and medium risk; those of high and critical risk are refused. */
export const failureModes = ['allow', 'deny'] as const;
export type FailureMode = (typeof failureModes)[number];

/** What happened to a policy; each change makes an immutable version. */
export const policyChanges = ['created', 'updated', 'enabled', 'disabled', 'fell_back', 'deleted'] as const;
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
  readonly attachments: readonly PolicyAttachment[];
  readonly rollout: PolicyRollout | null;
  readonly onError: FailureMode;
  /** As the author wrote them; `rules.ts` says what each kind accepts. */
  readonly rules: unknown;
}
