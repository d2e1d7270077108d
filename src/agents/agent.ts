// Agents: statuses and the rules of their lives. Pure; no I/O.
import semver from 'semver';

export const agentStatuses = ['draft', 'active', 'paused', 'deprecated'] as const;
export type AgentStatus = (typeof agentStatuses)[number];

export const deploymentKinds = ['promote', 'rollback'] as const;
export type DeploymentKind = (typeof deploymentKinds)[number];

export const capabilities = ['read', 'write', 'notify', 'execute'] as const;
export type Capability = (typeof capabilities)[number];

/** A semantic version exactly as semver.org 2.0.0 writes it: no `v`, no `=`, no blanks. */
export const isVersion = (text: string): boolean => /^\d\S*$/.test(text) && semver.parse(text) !== null;
