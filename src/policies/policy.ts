// Policies: kinds, modes, effects and scope. The rules documents and their evaluation stand beside this file. Pure; no I/O.
export const policyKinds = ['tool_access', 'approval_required'] as const;
export type PolicyKind = (typeof policyKinds)[number];

export const policyModes = ['observe', 'enforce'] as const;
export type PolicyMode = (typeof policyModes)[number];

/** What the gate can answer with the policy kinds there are. */
export const decisionEffects = ['allow', 'deny', 'require_approval'] as const;
export type DecisionEffect = (typeof decisionEffects)[number];

/** What passes the gate. */
export const gateActions = ['execution.start', 'tool.call'] as const;
export type GateAction = (typeof gateActions)[number];
