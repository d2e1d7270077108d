// Tools: names, risk classes, and what MCP annotations say of them. Pure; no I/O.
import { digestOf } from '../platform/canonical.ts';
import type { Problem } from '../platform/errors.ts';
import { categoryOf, readsByName, toolCategories, type ToolCategory } from './category.ts';

export const riskClasses = ['low', 'medium', 'high', 'critical'] as const;
export type RiskClass = (typeof riskClasses)[number];
/** `low` when there is none. */
export const worstRisk = (risks: Iterable<RiskClass>): RiskClass =>
  riskClasses[Math.max(0, ...[...risks].map((risk) => riskClasses.indexOf(risk)))]!;

/** Where a tool comes from. */
export const toolSources = ['mcp', 'builtin', 'http', 'custom'] as const;
export type ToolSource = (typeof toolSources)[number];

export { toolCategories, type ToolCategory };

/** Of an estimated cost, where one is given. */
export function costProblems(costMicroUsd: number | null): Problem[] {
  if (costMicroUsd === null || (Number.isSafeInteger(costMicroUsd) && costMicroUsd >= 0)) return [];
  const expected = 'a whole number of millionths of a US dollar, such as 250000 for 25 cents';
  return [{ path: 'costMicroUsd', message: `${costMicroUsd} is no amount`, expected }];
}

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
  readonly source: ToolSource;
  readonly category: ToolCategory;
  readonly risk: RiskClass;
  readonly capability: Capability;
  /** Estimated cost of a call, integer micro-USD, as the tenant's operators say; absent where they say nothing. */
  readonly costMicroUsd?: number | undefined;
  /** SHA-256 of the canonical JSON of name, description, input schema and annotations: what a tenant approves. */
  readonly digest: string;
  /** The tenant's own server that offers it, in its current version; absent for one of the operator's. */
  readonly remote?: { readonly serverId: string; readonly version: number; readonly url: string } | undefined;
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
  const category = categoryOf({ server, name, inputSchema });
  const derived = riskOf(annotations, category);
  return {
    server,
    name,
    fullName: `${server}.${name}`,
    description,
    inputSchema,
    annotations,
    source: 'mcp',
    category,
    risk: override.risk ?? derived.risk,
    capability: override.capability ?? derived.capability,
    digest: digestOf({ name, description, inputSchema, annotations }),
  };
}

/** A server's word is not enough to call a tool that runs commands harmless; one that runs them and says it destroys is the worst there is. */
function riskOf({ readOnlyHint, destructiveHint }: ToolAnnotations, category: ToolCategory): { risk: RiskClass; capability: Capability } {
  const runsCommands = category === 'command_execution';
  if (readOnlyHint === true) return { risk: runsCommands ? 'medium' : 'low', capability: 'read' };
  if (destructiveHint === false) return { risk: 'medium', capability: 'write' };
  return { risk: runsCommands && destructiveHint === true ? 'critical' : 'high', capability: 'write' };
}

/**
 * Servers' names that no tool server can have: tools of agents that run elsewhere. `builtin` are those of the program that runs the agent,
 * `custom` those its authors wrote. Nobody describes them here, so their names have to tell.
 */
export const outsideSources = ['builtin', 'custom'] as const satisfies readonly ToolSource[];

/** Null when the name is one of a tool server, or none. */
export function describeOutsideTool(fullName: string): ToolDescription | null {
  const parts = splitToolName(fullName);
  const source = outsideSources.find((each) => each === parts?.server);
  if (!parts || !source) return null;
  const inputSchema = { type: 'object' };
  const category = categoryOf({ ...parts, inputSchema });
  const annotations: ToolAnnotations = readsByName(parts.name) && category !== 'command_execution' ? { readOnlyHint: true } : {};
  const { risk, capability } = riskOf(annotations, category);
  return {
    ...parts,
    ...{ fullName, description: '', inputSchema, annotations, source, category, risk },
    capability: category === 'command_execution' ? 'execute' : capability,
    digest: digestOf({ name: fullName }),
  };
}

/** May a call whose outcome is unknown (a crash, a timeout) be made again without a second effect? */
export const isRepeatable = ({ annotations }: Pick<ToolDescription, 'annotations'>): boolean =>
  annotations.readOnlyHint === true || annotations.idempotentHint === true;

/** Names of servers: no dot, since the first dot of a full name ends the server's name; and not those of tools that run elsewhere. */
export const serverNamePattern = /^(?!(?:builtin|custom)$)[A-Za-z0-9_-]{1,64}$/;
/** Names of tools (MCP 2025-11-25, plus `/` which older servers use). */
export const toolNamePattern = /^[A-Za-z0-9_./-]{1,128}$/;

/** The parts of `server.name`, or null when it is no such text. */
export function splitToolName(fullName: string): { server: string; name: string } | null {
  const dot = fullName.indexOf('.');
  const server = fullName.slice(0, dot);
  const name = fullName.slice(dot + 1);
  return dot > 0 && /^[A-Za-z0-9_-]{1,64}$/.test(server) && toolNamePattern.test(name) ? { server, name } : null;
}
