// Use cases of tenants, projects, environments and teams; the only files that write these tables are this one and what it composes.
import type { RowCache } from '../cache/row-cache.ts';
import type { Clock } from '../platform/clock.ts';
import { orConflict } from '../platform/conflict.ts';
import type { UnitOfWork } from '../platform/database.ts';
import { generateApiKey } from '../authority/api-key.ts';
import { requirePermission } from '../authority/authorize.ts';
import { addFirstAdmin } from '../authority/first-admin.ts';
import type { Authority } from '../authority/permission.ts';
import { createEnvironmentService, type EnvironmentService } from './environment-service.ts';
import { createProjectService, type ProjectService } from './project-service.ts';
import { createTeamService, type TeamService } from './team-service.ts';
import { readByIds, type TenantRow } from './tenant-reads.ts';
import { nameProblems, refuse } from './tenant.ts';

export type { EnvironmentRow, ProjectRow, TeamRow, TenantRow } from './tenant-reads.ts';

export interface TenantService extends ProjectService, EnvironmentService, TeamService {
  /**
   * Runs in a transaction of the NEW tenant (`uow.tenantId` is a fresh id) for an admin of the operator's tenant.
   * The key belongs to the new tenant's first service account, `admin`, and is shown this once.
   */
  createTenant(uow: UnitOfWork, actor: Authority, input: { readonly name: string }): Promise<CreatedTenant>;
  /** The actor's own tenant; no other is ever visible. */
  tenantsByIds(uow: UnitOfWork, actor: Authority, ids: readonly string[]): Promise<TenantRow[]>;
}

export interface CreatedTenant {
  readonly tenant: TenantRow;
  /** The service account that `apiKey` belongs to. */
  readonly principalId: string;
  readonly apiKey: string;
}

export interface TenantServiceSettings {
  readonly clock: Clock;
  readonly rows: Pick<RowCache, 'changed'>;
}

export function createTenantService({ clock, rows }: TenantServiceSettings): TenantService {
  return {
    async createTenant(uow, actor, { name }) {
      requirePermission(actor, 'tenant.create');
      if (uow.tenantId === actor.tenantId) throw new Error('createTenant needs a transaction of the new tenant');
      refuse(nameProblems(name));
      const createdAt = clock.now();
      await orConflict(
        uow.rows('insert into tenants (id, tenant_id, name, created_at) values ($1, $1, $2, $3)', [uow.tenantId, name, createdAt]),
        {
          tenants_name_unique: `name: a tenant named "${name}" already exists; choose another name`,
        },
      );
      const key = generateApiKey(uow.tenantId);
      const principalId = await addFirstAdmin(uow, key, createdAt);
      return { tenant: { id: uow.tenantId, name, isOperator: false, createdAt, archivedAt: null }, principalId, apiKey: key.token };
    },
    tenantsByIds: (uow, actor, ids) => readByIds(uow, actor, 'tenants', ids),
    ...createProjectService(clock, rows),
    ...createEnvironmentService(clock, rows),
    ...createTeamService(clock),
  };
}
