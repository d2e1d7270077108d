// Tools: names, risk classes, and what MCP annotations say of them. Pure; no I/O.
import { digestOf } from '../platform/canonical.ts';

export const riskClasses = ['low', 'medium', 'high', 'critical'] as const;
export type RiskClass = (typeof riskClasses)[number];

/** Where a tool comes from. */
export const toolSources = ['mcp', 'builtin', 'http', 'custom'] as const;
export type ToolSource = (typeof toolSources)[number];

/** What kind of thing a call does. */
export const toolCategories = ['command_execution', 'file_operation', 'file_search', 'network', 'data', 'general'] as const;
export type ToolCategory = (typeof toolCategories)[number];

/** Something in the arguments that makes a call riskier than its tool. */
export interface RiskSign {
  /** Stable name, such as `recursive_delete`, `pipe_to_shell`, `secret_file`. */
  readonly code: string;
  readonly risk: RiskClass;
  /** For a person: what, and where in the arguments. */
  readonly detail: string;
}

/** What a tool does to the world; an agent may call only tools whose capability its definition claims. */
export const capabilities = ['read', 'write', 'notify', 'execute'] as const;
export type Capability = (typeof capabilities)[number];

/** How a tenant stands to the current description of a tool. `unseen`: its first use approves it. */
export const toolStatuses = ['unseen', 'approved', 'changed'] as const;
export type ToolStatus = (typeof toolStatuses)[number];

/** Hints of the Model Context Protocol (2025-06-18, ToolAnnotations); unset hints take the protocol's cautious defaults. */
export interface ToolAnnotations {
  title?: string | undefined;
  readOnlyHint?: boolean | undefined;
  destructiveHint?: boolean | undefined;
  idempotentHint?: boolean | undefined;
  openWorldHint?: boolean | undefined;
}

/** A tool as its server describes it now, with the operator's view of its risk. */
export interface ToolDescription {
  readonly server: string;
  readonly name: string;
  /** `server.name`: what definitions and policies call it. */
  readonly fullName: string;
  readonly description: string;
  /** JSON Schema of the arguments. */
  readonly inputSchema: Readonly<Record<string, unknown>>;
  readonly annotations: ToolAnnotations;
  readonly risk: RiskClass;
  readonly capability: Capability;
  /** SHA-256 of the canonical JSON of name, description, input schema and annotations: what a tenant approves. */
  readonly digest: string;
  /** The tenant's own server that offers it, in its current version; absent for one of the operator's. */
  readonly remote?: { readonly serverId: string; readonly version: number } | undefined;
}

/** What the operator's configuration may say of one tool; wins over the server's annotations. */
export interface ToolOverride {
  readonly risk?: RiskClass | undefined;
  readonly capability?: Capability | undefined;
}

export interface DescribedTool {
  readonly name: string;
  readonly description?: string | undefined;
  readonly inputSchema: Readonly<Record<string, unknown>>;
  readonly annotations?: ToolAnnotations | undefined;
}

export function describeTool(server: string, tool: DescribedTool, override: ToolOverride = {}): ToolDescription {
  const { name, description = '', inputSchema, annotations = {} } = tool;
  const derived = riskOf(annotations);
  return {
    server,
    name,
    fullName: `${server}.${name}`,
    description,
    inputSchema,
    annotations,
    risk: override.risk ?? derived.risk,
    capability: override.capability ?? derived.capability,
    digest: digestOf({ name, description, inputSchema, annotations }),
  };
}

function riskOf(annotations: ToolAnnotations): { risk: RiskClass; capability: Capability } {
  if (annotations.readOnlyHint === true) return { risk: 'low', capability: 'read' };
  return { risk: annotations.destructiveHint === false ? 'medium' : 'high', capability: 'write' };
}

/** May a call whose outcome is unknown (a crash, a timeout) be made again without a second effect? */
export const isRepeatable = ({ annotations }: Pick<ToolDescription, 'annotations'>): boolean =>
  annotations.readOnlyHint === true || annotations.idempotentHint === true;

/** Names of servers: no dot, since the first dot of a full name ends the server's name. */
export const serverNamePattern = /^[A-Za-z0-9_-]{1,64}$/;
/** Names of tools (MCP 2025-11-25, plus `/` which older servers use). */
export const toolNamePattern = /^[A-Za-z0-9_./-]{1,128}$/;

/** The parts of `server.name`, or null when it is no such text. */
export function splitToolName(fullName: string): { server: string; name: string } | null {
  const dot = fullName.indexOf('.');
  const server = fullName.slice(0, dot);
  const name = fullName.slice(dot + 1);
  return dot > 0 && serverNamePattern.test(server) && toolNamePattern.test(name) ? { server, name } : null;
}
