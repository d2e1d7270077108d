// Tools as tenants see them: what the operator's servers and their own describe, which description a tenant accepts, whether arguments
// fit. Owns tool_definitions (global, no tenant) and tool_approvals; reads remote_tools. Runs no server: `live` asks this process's.
import type { Clock } from '../platform/clock.ts';
import type { UnitOfWork } from '../platform/database.ts';
import { ConflictError, NotFoundError, ValidationError, type Problem } from '../platform/errors.ts';
import { compileSchema, type Validate } from '../platform/json-schema.ts';
import { requirePermission } from '../authority/authorize.ts';
import type { Authority } from '../authority/permission.ts';
import {
  descriptionColumns,
  mayReadTools,
  tenantTools,
  toDescription,
  toView,
  viewColumns,
  type DescriptionRow,
  overridden,
  type ToolOverrideValues,
  type ToolView,
  type ViewRow,
} from './tool-reads.ts';
import { findOverride } from './override-service.ts';
import { writeTools, type DefinitionChanges } from './tool-writes.ts';
import { describeOutsideTool, splitToolName, type Capability, type RiskClass, type ToolDescription, type ToolStatus } from './tool.ts';

export interface ToolService {
  /** Tools that satisfy every given condition, by name. Empty for those who may read no tools. */
  listTools(uow: UnitOfWork, actor: Authority, filter?: ToolFilter): Promise<ToolView[]>;
  findTool(uow: UnitOfWork, actor: Authority, fullName: string): Promise<ToolView | null>;
  /** Those of `fullNames` that no server describes. */
  missingTools(uow: UnitOfWork, fullNames: readonly string[]): Promise<string[]>;
  /** Accepts the current description for the whole tenant; `digest` says which one was looked at. */
  approveTool(uow: UnitOfWork, actor: Authority, input: ToolApprovalInput): Promise<ToolView>;
  /** May this tenant call the tool as it is described now? A first use accepts the description. One statement. */
  checkTool(uow: UnitOfWork, fullName: string): Promise<ToolCheck>;
  /** The same for an agent that runs elsewhere: its own tools too (`builtin.`, `custom.`), which no server here describes. */
  checkToolElsewhere(uow: UnitOfWork, fullName: string): Promise<ToolCheck>;
  /** Everything wrong with `args`; paths start at the arguments' root. Also when the tool's own schema is broken. */
  validateArguments(definition: Pick<ToolDescription, 'fullName' | 'inputSchema' | 'digest'>, args: unknown): Problem[];
  /** Makes the table say what `server` describes now; descriptions of other servers stay. */
  syncDefinitions(uow: UnitOfWork, server: string, tools: readonly ToolDescription[]): Promise<DefinitionChanges>;
  /** Removes the descriptions of servers that are no longer configured. */
  forgetServers(uow: UnitOfWork, configured: readonly string[]): Promise<void>;
}

export interface ToolFilter {
  readonly server?: string | null | undefined;
  readonly risk?: RiskClass | null | undefined;
  readonly capability?: Capability | null | undefined;
  readonly status?: ToolStatus | null | undefined;
}

export interface ToolApprovalInput {
  /** `server.name` */
  readonly tool: string;
  readonly digest: string;
}

export type ToolCheck =
  | { readonly ok: true; readonly definition: ToolDescription }
  | { readonly ok: false; readonly code: 'TOOL_CHANGED' | 'TOOL_UNKNOWN' | 'TOOL_DISABLED'; readonly reason: string };

export interface ToolServiceDependencies {
  readonly clock: Clock;
  /** The tool as a server of this process describes it now; it is ahead of the table. */
  readonly live?: ((fullName: string) => ToolDescription | null) | undefined;
}

const maxCachedSchemas = 1_000;

export function createToolService({ clock, live = () => null }: ToolServiceDependencies): ToolService {
  const validators = new Map<string, Validate>();

  function validatorOf({ fullName, inputSchema, digest }: Pick<ToolDescription, 'fullName' | 'inputSchema' | 'digest'>): Validate {
    const known = validators.get(digest);
    if (known) return known;
    let validate: Validate;
    try {
      // Patterns that only a backtracking engine knows are left to the server: the schema is not the caller's to repair.
      validate = compileSchema(inputSchema, { unsupportedPatterns: 'ignore' });
    } catch (error) {
      if (!(error instanceof ValidationError)) throw error;
      const message = `cannot be checked: the JSON Schema that the server of ${fullName} gives is broken (${error.message})`;
      validate = (_value, at = '') => [{ path: at, message }];
    }
    if (validators.size >= maxCachedSchemas) validators.delete(validators.keys().next().value!);
    validators.set(digest, validate);
    return validate;
  }

  async function view(uow: UnitOfWork, fullName: string): Promise<ToolView | null> {
    const parts = splitToolName(fullName);
    if (!parts) return null;
    const [row] = await uow.rows<ViewRow>(`${viewSql} where d.server = $2 and d.name = $3`, [uow.tenantId, parts.server, parts.name]);
    return row ? toView(row) : null;
  }

  async function checkTool(uow: UnitOfWork, fullName: string): Promise<ToolCheck> {
    const parts = splitToolName(fullName);
    const row = parts && (await acceptFirstUse(uow, parts.server, parts.name, live(fullName)?.digest ?? null, clock.now()));
    const definition = live(fullName) ?? (row?.definition ? toDescription(row.definition) : null);
    if (!definition) return { ok: false, code: 'TOOL_UNKNOWN', reason: `${fullName}: no tool server describes such a tool` };
    if (!live(fullName) && row?.definition?.enabled === false) {
      return { ok: false, code: 'TOOL_DISABLED', reason: `${fullName}: the tool server "${definition.server}" is switched off` };
    }
    if (row!.accepted === definition.digest) return { ok: true, definition: overridden(definition, row!.override) };
    return {
      ok: false,
      code: 'TOOL_CHANGED',
      reason: `${fullName}: its description changed since this tenant accepted it; look at it and approve digest ${definition.digest}`,
    };
  }

  return {
    async listTools(uow, actor, filter = {}) {
      if (!mayReadTools(actor)) return [];
      const rows = await uow.rows<ViewRow>(
        `${viewSql} where ($2::text is null or d.server = $2) and ($3::text is null or coalesce(o.risk, d.risk) = $3)
         and ($4::text is null or d.capability = $4) order by d.server, d.name`,
        [uow.tenantId, filter.server ?? null, filter.risk ?? null, filter.capability ?? null],
      );
      return rows.map(toView).filter((tool) => !filter.status || tool.status === filter.status);
    },

    findTool: async (uow, actor, fullName) => (mayReadTools(actor) ? view(uow, fullName) : null),

    async missingTools(uow, fullNames) {
      const rows = await uow.rows<{ fullName: string }>(
        `select d.server || '.' || d.name as "fullName" from ${tenantTools} where d.server || '.' || d.name = any($2::text[])`,
        [uow.tenantId, [...new Set(fullNames)]],
      );
      const found = new Set(rows.map((row) => row.fullName));
      return [...new Set(fullNames)].filter((name) => !found.has(name) && !live(name) && !describeOutsideTool(name));
    },

    async approveTool(uow, actor, { tool, digest }) {
      const current = mayReadTools(actor) ? await view(uow, tool) : null;
      if (!current) throw new NotFoundError(`tool: there is no tool "${tool}"`);
      requirePermission(actor, 'tool.approve');
      if (digest !== current.digest) {
        throw new ConflictError(`digest: "${digest}" is not the current digest of ${tool}, which is "${current.digest}"; look at it again`);
      }
      await uow.rows(
        `insert into tool_approvals (tenant_id, server, name, digest, approved_by, approved_at) values ($1, $2, $3, $4, $5, $6)
         on conflict (tenant_id, server, name) do update
           set digest = excluded.digest, approved_by = excluded.approved_by, approved_at = excluded.approved_at`,
        [uow.tenantId, current.server, current.name, digest, actor.principalId, clock.now()],
      );
      return (await view(uow, tool))!;
    },

    checkTool,

    async checkToolElsewhere(uow, fullName) {
      const described = describeOutsideTool(fullName);
      if (!described) return checkTool(uow, fullName);
      return { ok: true, definition: overridden(described, await findOverride(uow, described)) };
    },

    validateArguments: (definition, args) => validatorOf(definition)(args),

    async syncDefinitions(uow, server, tools) {
      await uow.rows('select pg_advisory_xact_lock($1)', [syncLock]);
      return writeTools(uow, 'tool_definitions', server, tools, clock.now());
    },

    async forgetServers(uow, configured) {
      await uow.rows('delete from tool_definitions where server <> all($1::text[])', [[...configured]]);
    },
  };
}

const viewSql = `select ${viewColumns} from ${tenantTools}
  left join tool_approvals a on a.tenant_id = $1 and a.server = d.server and a.name = d.name
  left join tool_overrides o on o.tenant_id = $1 and o.server = d.server and o.name = d.name`;

/** Any constant: runners that start together write the same descriptions one after another. */
const syncLock = 7_120_302;

interface FirstUse {
  readonly definition: DescriptionRow | null;
  /** The digest this tenant accepts; null when nobody describes the tool. */
  readonly accepted: string | null;
  readonly override: ToolOverrideValues | null;
}

const firstUseSql = `with definition as (select * from ${tenantTools} where d.server = $2 and d.name = $3),
  digest as (select coalesce($4, (select digest from definition where enabled)) as value),
  known as (select digest from tool_approvals where tenant_id = $1 and server = $2 and name = $3),
  added as (
    insert into tool_approvals (tenant_id, server, name, digest, approved_by, approved_at)
    select $1, $2, $3, value, null, $5 from digest where value is not null and not exists (select from known)
    on conflict do nothing returning digest
  )
  select coalesce((select digest from known), (select digest from added)) as accepted,
    (select to_jsonb(d) from (select ${descriptionColumns} from definition d) d) as definition,
    (select jsonb_build_object('risk', o.risk, 'category', o.category, 'costMicroUsd', o.cost_micro_usd) from tool_overrides o
      where o.tenant_id = $1 and o.server = $2 and o.name = $3) as override`;

async function acceptFirstUse(uow: UnitOfWork, server: string, name: string, liveDigest: string | null, now: Date): Promise<FirstUse> {
  const params = [uow.tenantId, server, name, liveDigest, now];
  const [first] = await uow.rows<FirstUse>(firstUseSql, params);
  if (first!.accepted !== null || (liveDigest === null && !first!.definition?.enabled)) return first!;
  // Another transaction accepted it after this statement's snapshot; the next statement sees it.
  const [second] = await uow.rows<FirstUse>(firstUseSql, params);
  return second!;
}
