// Scopes as people write them in a file, by names: finds the ids they stand for, with every problem at once.
import type { UnitOfWork } from '../platform/database.ts';
import type { Problem } from '../platform/errors.ts';
import type { Authority } from '../authority/permission.ts';
import { find, findTeams, scopePath, type Found, type PlaceKind, type ScopeInput } from './policy-scope.ts';

/** As people write it in a file. Environments and agents are named within their project. */
export interface NamedScope {
  readonly project?: string | undefined;
  readonly environment?: string | undefined;
  readonly agent?: string | undefined;
  readonly team?: string | undefined;
  readonly tag?: string | undefined;
  readonly tool?: string | undefined;
}

/** Names to ids. What is absent and what is not visible get the same answer. */
export async function scopesByName(
  uow: UnitOfWork,
  actor: Authority,
  named: readonly NamedScope[],
): Promise<{ ok: true; scopes: ScopeInput[] } | { ok: false; problems: Problem[] }> {
  const problems: Problem[] = [];
  const names = (field: keyof NamedScope) => named.flatMap((each) => each[field] ?? []);
  const projects = byName(await find(uow, actor, 'project', 'name = any($2::text[])', [names('project')]));
  const pairs = (field: 'environment' | 'agent') =>
    named.flatMap((each) => {
      const project = projects.get(each.project ?? '');
      return each[field] !== undefined && project ? [{ project: project.id, name: each[field] }] : [];
    });
  const within = async (kind: 'environment' | 'agent') => {
    const wanted = pairs(kind);
    const condition = '(project_id, name) in (select * from unnest($2::uuid[], $3::text[]))';
    const params = [wanted.map(({ project }) => project), wanted.map(({ name }) => name)];
    return new Map((await find(uow, actor, kind, condition, params)).map((row) => [`${row.projectId} ${row.name}`, row]));
  };
  const [environments, agents] = [await within('environment'), await within('agent')];
  const teamIds =
    names('team').length === 0
      ? []
      : await uow.rows<{ id: string }>('select id from teams where tenant_id = $1 and name = any($2::text[])', [
          uow.tenantId,
          names('team'),
        ]);
  const teams = byName([
    ...(
      await findTeams(
        uow,
        actor,
        teamIds.map(({ id }) => id),
      )
    ).values(),
  ]);

  const scopes = named.map((each, index): ScopeInput => {
    const project = each.project === undefined ? undefined : projects.get(each.project);
    const report = (kind: PlaceKind, message: string, expected?: string) =>
      problems.push({ path: `${scopePath(index)}.${kind}`, message, expected });
    const idOf = (kind: PlaceKind, row: Found | undefined): string | undefined => {
      if (each[kind] !== undefined && !row) {
        const where = kind === 'environment' || kind === 'agent' ? ` in the project "${each.project}"` : '';
        report(kind, `there is no ${kind} "${each[kind]}"${where}, or it is not visible to you`);
      }
      return row?.id;
    };
    const inProject = (kind: 'environment' | 'agent', rows: ReadonlyMap<string, Found>): string | undefined => {
      if (each[kind] === undefined) return undefined;
      if (each.project === undefined) return void report(kind, 'needs the project, too', 'a "project" beside it');
      return project && idOf(kind, rows.get(`${project.id} ${each[kind]}`));
    };
    return {
      projectId: idOf('project', project),
      environmentId: inProject('environment', environments),
      agentId: inProject('agent', agents),
      teamId: idOf('team', teams.get(each.team ?? '')),
      tag: each.tag,
      tool: each.tool,
    };
  });
  return problems.length > 0 ? { ok: false, problems } : { ok: true, scopes };
}

const byName = (rows: readonly Found[]): ReadonlyMap<string, Found> => new Map(rows.map((row) => [row.name, row]));
