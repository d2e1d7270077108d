// Agents: statuses and the rules of their lives. Pure; no I/O.
export const agentStatuses = ['draft', 'active', 'paused', 'deprecated'] as const;
export type AgentStatus = (typeof agentStatuses)[number];

export const deploymentKinds = ['promote', 'rollback'] as const;
export type DeploymentKind = (typeof deploymentKinds)[number];

export const capabilities = ['read', 'write', 'notify', 'execute'] as const;
export type Capability = (typeof capabilities)[number];
