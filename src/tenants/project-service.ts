// Projects: the part of the tenant service that writes `projects`.
import type { RowCache } from '../cache/row-cache.ts';
import type { Clock } from '../platform/clock.ts';
import { orConflict } from '../platform/conflict.ts';
import type { UnitOfWork } from '../platform/database.ts';
import { InvalidStateError, NotFoundError } from '../platform/errors.ts';
import { newId } from '../platform/ids.ts';
import type { Page, PageRequest } from '../platform/page.ts';
import { requirePermission } from '../authority/authorize.ts';
import type { Authority } from '../authority/permission.ts';
import { dependents, findVisible, readByIds, readPage, type ProjectRow } from './tenant-reads.ts';
import { descriptionProblems, nameProblems, refuse } from './tenant.ts';

export interface ProjectService {
  createProject(uow: UnitOfWork, actor: Authority, input: NewProject): Promise<ProjectRow>;
  updateProject(uow: UnitOfWork, actor: Authority, input: ProjectChange): Promise<ProjectRow>;
  /** Only when nothing is in it; grants on it go with it. Returns its id. */
  deleteProject(uow: UnitOfWork, actor: Authority, input: { readonly projectId: string }): Promise<string>;
  getProject(uow: UnitOfWork, actor: Authority, projectId: string): Promise<ProjectRow>;
  listProjects(uow: UnitOfWork, actor: Authority, request: ProjectFilter & PageRequest): Promise<Page<ProjectRow>>;
  projectsByIds(uow: UnitOfWork, actor: Authority, ids: readonly string[]): Promise<ProjectRow[]>;
}

export interface NewProject {
  readonly name: string;
  readonly description?: string | null | undefined;
}
/** What is left out or null stays as it is. */
export interface ProjectChange {
  readonly projectId: string;
  readonly name?: string | null | undefined;
  readonly description?: string | null | undefined;
}
export interface ProjectFilter {
  readonly name?: string | null | undefined;
}

const taken = (name: string) => ({
  projects_name_unique: `name: a project named "${name}" already exists in this tenant; choose another name`,
});

export function createProjectService(clock: Clock, rows: Pick<RowCache, 'changed'>): ProjectService {
  async function visible(uow: UnitOfWork, actor: Authority, projectId: string, forUpdate = false): Promise<ProjectRow> {
    const found = await findVisible(uow, actor, 'projects', projectId, { forUpdate });
    if (!found) throw new NotFoundError('projectId: there is no such project, or it is not visible to you', { projectId });
    return found;
  }

  return {
    async createProject(uow, actor, { name, description }) {
      requirePermission(actor, 'project.manage');
      const text = description ?? '';
      refuse([...nameProblems(name), ...descriptionProblems(text)]);
      const project = { id: newId(), name, description: text, createdAt: clock.now() };
      await orConflict(
        uow.rows('insert into projects (id, tenant_id, name, description, created_at) values ($1, $2, $3, $4, $5)', [
          project.id,
          uow.tenantId,
          name,
          text,
          project.createdAt,
        ]),
        taken(name),
      );
      return project;
    },

    async updateProject(uow, actor, { projectId, name, description }) {
      const before = await visible(uow, actor, projectId, true);
      requirePermission(actor, 'project.manage', { projectId: before.id });
      const after = { ...before, name: name ?? before.name, description: description ?? before.description };
      refuse([...nameProblems(after.name), ...descriptionProblems(after.description)]);
      rows.changed(uow, 'Project', before.id);
      await orConflict(
        uow.rows('update projects set name = $3, description = $4 where tenant_id = $1 and id = $2 and (name, description) <> ($3, $4)', [
          uow.tenantId,
          before.id,
          after.name,
          after.description,
        ]),
        taken(after.name),
      );
      return after;
    },

    async deleteProject(uow, actor, { projectId }) {
      const project = await visible(uow, actor, projectId, true);
      requirePermission(actor, 'project.manage', { projectId: project.id });
      const remaining = await dependents(uow, project.id, {
        environments: 'environments where project_id = $2',
        'agents (archived ones keep their history)': 'agents where project_id = $2',
        policies: 'policies where project_id = $2 and deleted_at is null',
      });
      if (remaining.length > 0) {
        throw new InvalidStateError(`project "${project.name}" is not empty: it still has ${remaining.join(' and ')}`);
      }
      await uow.rows('delete from role_grants where tenant_id = $1 and scope_id = $2', [uow.tenantId, project.id]);
      rows.changed(uow, 'Project', project.id);
      await uow.rows('delete from projects where tenant_id = $1 and id = $2', [uow.tenantId, project.id]);
      return project.id;
    },

    getProject: (uow, actor, projectId) => visible(uow, actor, projectId),
    listProjects: (uow, actor, { name, first, after }) => readPage(uow, actor, 'projects', { name, first, after }),
    projectsByIds: (uow, actor, ids) => readByIds(uow, actor, 'projects', ids),
  };
}
