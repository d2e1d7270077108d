// Tools: risk classes and what MCP annotations say of them. Pure; no I/O.
export const riskClasses = ['low', 'medium', 'high', 'critical'] as const;
export type RiskClass = (typeof riskClasses)[number];

/** Hints of the Model Context Protocol (2025-06-18, ToolAnnotations); unset hints take the protocol's cautious defaults. */
export interface ToolAnnotations {
  title?: string | undefined;
  readOnlyHint?: boolean | undefined;
  destructiveHint?: boolean | undefined;
  idempotentHint?: boolean | undefined;
  openWorldHint?: boolean | undefined;
}
