// What a tenant's operators say of single tools, instead of annotations and names. Owns tool_overrides.
import type { Clock } from '../platform/clock.ts';
import type { UnitOfWork } from '../platform/database.ts';
import { LimitExceededError, NotFoundError, ValidationError } from '../platform/errors.ts';
import { requirePermission } from '../authority/authorize.ts';
import type { Authority } from '../authority/permission.ts';
import { mayReadTools, tenantTools, type ToolOverrideValues } from './tool-reads.ts';
import { costProblems, describeOutsideTool, splitToolName, type RiskClass, type ToolCategory } from './tool.ts';

export interface ToolOverrideRow extends ToolOverrideValues {
  readonly server: string;
  readonly name: string;
  readonly setBy: string;
  readonly setAt: Date;
}

export interface NewToolOverride {
  /** `server.name` */
  readonly tool: string;
  readonly risk?: RiskClass | null | undefined;
  readonly category?: ToolCategory | null | undefined;
  /** Estimated cost of a call, integer micro-USD. */
  readonly costMicroUsd?: number | null | undefined;
}

export interface ToolOverrideService {
  /** Replaces what was said before. In force for every later call; what its arguments show still raises the risk. */
  setToolOverride(uow: UnitOfWork, actor: Authority, input: NewToolOverride): Promise<ToolOverrideRow>;
  /** The tool is as described again; gives what was said. */
  removeToolOverride(uow: UnitOfWork, actor: Authority, tool: string): Promise<ToolOverrideRow>;
  /** By name; few by their limit. Empty for those who may read no tools. */
  listToolOverrides(uow: UnitOfWork, actor: Authority): Promise<ToolOverrideRow[]>;
}

export const maxOverrides = 500;
const columns = 'server, name, risk, category, cost_micro_usd::float8 as "costMicroUsd", set_by as "setBy", set_at as "setAt"';
type Stored = Omit<ToolOverrideRow, 'setAt'> & { readonly setAt: string };
const toRow = (row: Stored): ToolOverrideRow => ({ ...row, setAt: new Date(row.setAt) });

export async function findOverride(
  uow: UnitOfWork,
  { server, name }: { server: string; name: string },
): Promise<ToolOverrideValues | null> {
  const [found] = await uow.rows<ToolOverrideValues>(
    'select risk, category, cost_micro_usd::float8 as "costMicroUsd" from tool_overrides where tenant_id = $1 and server = $2 and name = $3',
    [uow.tenantId, server, name],
  );
  return found ?? null;
}

export function createToolOverrideService({ clock }: { readonly clock: Clock }): ToolOverrideService {
  /** The same for all who may not see tools as for a tool that does not exist. */
  async function existing(uow: UnitOfWork, actor: Authority, tool: string) {
    const parts = splitToolName(tool);
    const isKnown = parts !== null && mayReadTools(actor) && (describeOutsideTool(tool) !== null || (await isDescribed(uow, parts)));
    if (!isKnown) throw new NotFoundError(`tool: there is no tool "${tool.slice(0, 200)}"`);
    requirePermission(actor, 'tool.manage');
    return parts;
  }

  return {
    async setToolOverride(uow, actor, { tool, risk = null, category = null, costMicroUsd = null }) {
      const { server, name } = await existing(uow, actor, tool);
      if (risk === null && category === null && costMicroUsd === null) {
        const message = 'say a risk, a category, a cost or several of them; removeToolOverride takes back what was said';
        throw new ValidationError([{ path: 'risk', message }]);
      }
      const problems = costProblems(costMicroUsd);
      if (problems.length > 0) throw new ValidationError(problems);
      // One change of a tenant at a time, so that the limit holds.
      await uow.rows(`select pg_advisory_xact_lock(hashtextextended('tool_overrides ' || $1, 0))`, [uow.tenantId]);
      const [others] = await uow.rows<{ count: number }>(
        'select count(*)::int as "count" from tool_overrides where tenant_id = $1 and (server, name) <> ($2, $3)',
        [uow.tenantId, server, name],
      );
      if (others!.count >= maxOverrides) {
        throw new LimitExceededError(`a tenant says something of at most ${maxOverrides} tools; remove what is no longer needed`);
      }
      const [row] = await uow.rows<Stored>(
        `insert into tool_overrides (tenant_id, server, name, risk, category, cost_micro_usd, set_by, set_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8)
         on conflict (tenant_id, server, name) do update
           set risk = excluded.risk, category = excluded.category, cost_micro_usd = excluded.cost_micro_usd, set_by = excluded.set_by, set_at = excluded.set_at
         returning ${columns}`,
        [uow.tenantId, server, name, risk, category, costMicroUsd, actor.principalId, clock.now()],
      );
      return toRow(row!);
    },

    async removeToolOverride(uow, actor, tool) {
      const missing = new NotFoundError(`tool: nothing is said of a tool "${tool.slice(0, 200)}"`);
      const parts = splitToolName(tool);
      if (!parts || !mayReadTools(actor)) throw missing;
      requirePermission(actor, 'tool.manage');
      const [row] = await uow.rows<Stored>(
        `delete from tool_overrides where tenant_id = $1 and server = $2 and name = $3 returning ${columns}`,
        [uow.tenantId, parts.server, parts.name],
      );
      if (!row) throw missing;
      return toRow(row);
    },

    async listToolOverrides(uow, actor) {
      if (!mayReadTools(actor)) return [];
      const rows = await uow.rows<Stored>(`select ${columns} from tool_overrides where tenant_id = $1 order by server, name`, [
        uow.tenantId,
      ]);
      return rows.map(toRow);
    },
  };
}

async function isDescribed(uow: UnitOfWork, { server, name }: { server: string; name: string }): Promise<boolean> {
  const [found] = await uow.rows(`select 1 from ${tenantTools} where d.server = $2 and d.name = $3`, [uow.tenantId, server, name]);
  return found !== undefined;
}
