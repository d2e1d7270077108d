// Tenants and what they contain: projects, environments, teams. Names and kinds only; no I/O.
export const environmentKinds = ['development', 'staging', 'production'] as const;
export type EnvironmentKind = (typeof environmentKinds)[number];

/** Lower-case slug used as the unique name of tenants, projects, environments, teams and agents. */
export const namePattern = /^[a-z][a-z0-9-]{0,62}$/;
