// Environments: the part of the tenant service that writes `environments`.
import type { RowCache } from '../cache/row-cache.ts';
import type { Clock } from '../platform/clock.ts';
import { orConflict } from '../platform/conflict.ts';
import type { UnitOfWork } from '../platform/database.ts';
import { InvalidStateError, NotFoundError, type Problem } from '../platform/errors.ts';
import { newId } from '../platform/ids.ts';
import type { Page, PageRequest } from '../platform/page.ts';
import { requirePermission } from '../authority/authorize.ts';
import type { Authority } from '../authority/permission.ts';
import { dependents, findVisible, readByIds, readPage, readPages, type EnvironmentRow } from './tenant-reads.ts';
import { environmentKinds, nameProblems, refuse, type EnvironmentKind } from './tenant.ts';

export interface EnvironmentService {
  createEnvironment(uow: UnitOfWork, actor: Authority, input: NewEnvironment): Promise<EnvironmentRow>;
  /** Its kind decides which policies apply, so changing that needs the permission on the whole project. */
  updateEnvironment(uow: UnitOfWork, actor: Authority, input: EnvironmentChange): Promise<EnvironmentRow>;
  /** Only when nothing was ever deployed or run in it, and no policy or living key names it. Returns its id. */
  deleteEnvironment(uow: UnitOfWork, actor: Authority, input: { readonly environmentId: string }): Promise<string>;
  getEnvironment(uow: UnitOfWork, actor: Authority, environmentId: string): Promise<EnvironmentRow>;
  listEnvironments(uow: UnitOfWork, actor: Authority, request: EnvironmentFilter & PageRequest): Promise<Page<EnvironmentRow>>;
  environmentsByIds(uow: UnitOfWork, actor: Authority, ids: readonly string[]): Promise<EnvironmentRow[]>;
  /** One page for each project, in this order. */
  environmentsOf(uow: UnitOfWork, actor: Authority, projectIds: readonly string[], page: PageRequest): Promise<Page<EnvironmentRow>[]>;
}

export interface NewEnvironment {
  readonly projectId: string;
  readonly name: string;
  readonly kind: EnvironmentKind;
}
/** What is left out or null stays as it is. */
export interface EnvironmentChange {
  readonly environmentId: string;
  readonly name?: string | null | undefined;
  readonly kind?: EnvironmentKind | null | undefined;
}
export interface EnvironmentFilter {
  readonly projectId?: string | null | undefined;
  readonly name?: string | null | undefined;
  readonly kind?: EnvironmentKind | null | undefined;
}

const taken = (name: string) => ({
  environments_name_unique: `name: an environment named "${name}" already exists in this project; choose another name`,
});

function kindProblems(kind: string): Problem[] {
  if ((environmentKinds as readonly string[]).includes(kind)) return [];
  return [
    { path: 'kind', message: `"${kind.slice(0, 80)}" is not a kind of environment`, expected: `one of ${environmentKinds.join(', ')}` },
  ];
}

export function createEnvironmentService(clock: Clock, rows: Pick<RowCache, 'changed'>): EnvironmentService {
  async function visible(uow: UnitOfWork, actor: Authority, environmentId: string, forUpdate = false): Promise<EnvironmentRow> {
    const found = await findVisible(uow, actor, 'environments', environmentId, { forUpdate });
    if (!found) throw new NotFoundError('environmentId: there is no such environment, or it is not visible to you', { environmentId });
    return found;
  }

  return {
    async createEnvironment(uow, actor, { projectId, name, kind }) {
      const project = await findVisible(uow, actor, 'projects', projectId);
      if (!project) throw new NotFoundError('projectId: there is no such project, or it is not visible to you', { projectId });
      requirePermission(actor, 'environment.manage', { projectId: project.id });
      refuse([...nameProblems(name), ...kindProblems(kind)]);
      const environment = { id: newId(), projectId: project.id, name, kind, createdAt: clock.now() };
      await orConflict(
        uow.rows('insert into environments (id, tenant_id, project_id, name, kind, created_at) values ($1, $2, $3, $4, $5, $6)', [
          environment.id,
          uow.tenantId,
          project.id,
          name,
          kind,
          environment.createdAt,
        ]),
        { ...taken(name), environments_project_id_foreign: 'projectId: the project has been deleted meanwhile' },
      );
      return environment;
    },

    async updateEnvironment(uow, actor, { environmentId, name, kind }) {
      const before = await visible(uow, actor, environmentId, true);
      const { projectId } = before;
      requirePermission(actor, 'environment.manage', { projectId, environmentId: before.id });
      const after = { ...before, name: name ?? before.name, kind: kind ?? before.kind };
      if (after.kind !== before.kind) requirePermission(actor, 'environment.manage', { projectId });
      refuse([...nameProblems(after.name), ...kindProblems(after.kind)]);
      rows.changed(uow, 'Environment', before.id);
      await orConflict(
        uow.rows('update environments set name = $3, kind = $4 where tenant_id = $1 and id = $2 and (name, kind) <> ($3, $4)', [
          uow.tenantId,
          before.id,
          after.name,
          after.kind,
        ]),
        taken(after.name),
      );
      return after;
    },

    async deleteEnvironment(uow, actor, { environmentId }) {
      const environment = await visible(uow, actor, environmentId, true);
      requirePermission(actor, 'environment.manage', { projectId: environment.projectId });
      const remaining = await dependents(uow, environment.id, {
        'deployments (their history is kept)': 'deployments where environment_id = $2',
        'executions (their history is kept)': 'executions where environment_id = $2',
        'tool calls (their history is kept)': 'tool_calls where environment_id = $2',
        policies: 'policies where environment_id = $2 and deleted_at is null',
        'API keys that are not revoked': 'api_keys where environment_id = $2 and revoked_at is null',
      });
      if (remaining.length > 0) {
        throw new InvalidStateError(`environment "${environment.name}" is not empty: it still has ${remaining.join(' and ')}`);
      }
      await uow.rows('delete from role_grants where tenant_id = $1 and scope_id = $2', [uow.tenantId, environment.id]);
      rows.changed(uow, 'Environment', environment.id);
      await uow.rows('delete from environments where tenant_id = $1 and id = $2', [uow.tenantId, environment.id]);
      return environment.id;
    },

    getEnvironment: (uow, actor, environmentId) => visible(uow, actor, environmentId),
    listEnvironments: (uow, actor, { projectId, name, kind, first, after }) =>
      readPage(uow, actor, 'environments', { projectId, name, kind, first, after }),
    environmentsByIds: (uow, actor, ids) => readByIds(uow, actor, 'environments', ids),
    environmentsOf: (uow, actor, projectIds, page) => readPages(uow, actor, 'environments', projectIds, page),
  };
}
