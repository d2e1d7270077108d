// Calls that agents make in loops of their own and ask about first: statuses. Pure; no I/O.
export const toolCallStatuses = ['allowed', 'refused', 'awaiting_approval', 'waiting', 'reported'] as const;
export type ToolCallStatus = (typeof toolCallStatuses)[number];
