// Teams: the part of the tenant service that writes `teams`. Who is in a team is the principals' business.
import type { Clock } from '../platform/clock.ts';
import { orConflict } from '../platform/conflict.ts';
import type { UnitOfWork } from '../platform/database.ts';
import { InvalidStateError, NotFoundError } from '../platform/errors.ts';
import { newId } from '../platform/ids.ts';
import type { Page, PageRequest } from '../platform/page.ts';
import { requirePermission } from '../authority/authorize.ts';
import type { Authority } from '../authority/permission.ts';
import { dependents, findVisible, readByIds, readPage, readPages, type TeamRow } from './tenant-reads.ts';
import { nameProblems, refuse } from './tenant.ts';

export interface TeamService {
  createTeam(uow: UnitOfWork, actor: Authority, input: { readonly name: string }): Promise<TeamRow>;
  updateTeam(uow: UnitOfWork, actor: Authority, input: TeamChange): Promise<TeamRow>;
  /** Only when it has neither members nor agents; grants on it and to it go with it. Returns its id. */
  deleteTeam(uow: UnitOfWork, actor: Authority, input: { readonly teamId: string }): Promise<string>;
  getTeam(uow: UnitOfWork, actor: Authority, teamId: string): Promise<TeamRow>;
  listTeams(uow: UnitOfWork, actor: Authority, request: TeamFilter & PageRequest): Promise<Page<TeamRow>>;
  teamsByIds(uow: UnitOfWork, actor: Authority, ids: readonly string[]): Promise<TeamRow[]>;
  /** One page for each principal, in this order: the teams it is in. */
  teamsOf(uow: UnitOfWork, actor: Authority, principalIds: readonly string[], page: PageRequest): Promise<Page<TeamRow>[]>;
}

/** What is left out or null stays as it is. */
export interface TeamChange {
  readonly teamId: string;
  readonly name?: string | null | undefined;
}
export interface TeamFilter {
  readonly name?: string | null | undefined;
  /** Teams that this principal is a member of. */
  readonly memberId?: string | null | undefined;
}

const taken = (name: string) => ({
  teams_name_unique: `name: a team named "${name}" already exists in this tenant; choose another name`,
});

export function createTeamService(clock: Clock): TeamService {
  async function visible(uow: UnitOfWork, actor: Authority, teamId: string, forUpdate = false): Promise<TeamRow> {
    const found = await findVisible(uow, actor, 'teams', teamId, { forUpdate });
    if (!found) throw new NotFoundError('teamId: there is no such team, or it is not visible to you', { teamId });
    return found;
  }

  return {
    async createTeam(uow, actor, { name }) {
      requirePermission(actor, 'team.manage');
      refuse(nameProblems(name));
      const team = { id: newId(), name, createdAt: clock.now() };
      await orConflict(
        uow.rows('insert into teams (id, tenant_id, name, created_at) values ($1, $2, $3, $4)', [
          team.id,
          uow.tenantId,
          name,
          team.createdAt,
        ]),
        taken(name),
      );
      return team;
    },

    async updateTeam(uow, actor, { teamId, name }) {
      const before = await visible(uow, actor, teamId, true);
      requirePermission(actor, 'team.manage', { teamId: before.id });
      const after = { ...before, name: name ?? before.name };
      refuse(nameProblems(after.name));
      await orConflict(
        uow.rows('update teams set name = $3 where tenant_id = $1 and id = $2 and name <> $3', [uow.tenantId, before.id, after.name]),
        taken(after.name),
      );
      return after;
    },

    async deleteTeam(uow, actor, { teamId }) {
      const team = await visible(uow, actor, teamId, true);
      requirePermission(actor, 'team.manage', { teamId: team.id });
      // Its lock keeps new members and agents out: their rows reference this one.
      const remaining = await dependents(uow, team.id, {
        members: 'team_members where team_id = $2',
        agents: 'agents where team_id = $2',
      });
      if (remaining.length > 0) throw new InvalidStateError(`team "${team.name}" is not empty: it still has ${remaining.join(' and ')}`);
      await uow.rows('delete from role_grants where tenant_id = $1 and (scope_id = $2 or grantee_team_id = $2)', [uow.tenantId, team.id]);
      await uow.rows('delete from teams where tenant_id = $1 and id = $2', [uow.tenantId, team.id]);
      return team.id;
    },

    getTeam: (uow, actor, teamId) => visible(uow, actor, teamId),
    listTeams: (uow, actor, { name, memberId, first, after }) => readPage(uow, actor, 'teams', { name, memberId, first, after }),
    teamsByIds: (uow, actor, ids) => readByIds(uow, actor, 'teams', ids),
    teamsOf: (uow, actor, principalIds, page) => readPages(uow, actor, 'teams', principalIds, page),
  };
}
