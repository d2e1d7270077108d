// Simulations of policies: statuses. Pure; no I/O.
export const simulationStatuses = ['queued', 'running', 'succeeded', 'failed', 'cancelled'] as const;
export type SimulationStatus = (typeof simulationStatuses)[number];
