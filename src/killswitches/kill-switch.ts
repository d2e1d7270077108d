// Kill switches: what one covers. Pure; no I/O.
export const killSwitchScopes = ['tenant', 'project', 'environment', 'agent', 'tool', 'destination'] as const;
export type KillSwitchScope = (typeof killSwitchScopes)[number];
