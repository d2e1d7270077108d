// Use cases of principals and team membership; the only file that writes `principals` (besides sign-in) and `team_members`.
import type { Clock } from '../platform/clock.ts';
import { orConflict } from '../platform/conflict.ts';
import type { UnitOfWork } from '../platform/database.ts';
import { ForbiddenError, NotFoundError, type Problem } from '../platform/errors.ts';
import { newId } from '../platform/ids.ts';
import type { Page, PageRequest } from '../platform/page.ts';
import { findVisible, type TeamRow } from '../tenants/tenant-reads.ts';
import { refuse } from '../tenants/tenant.ts';
import { requirePermission } from '../authority/authorize.ts';
import { readGrants } from './grant-reads.ts';
import { holdsGrant } from '../authority/grants.ts';
import { principalKinds, type Authority, type PrincipalKind } from '../authority/permission.ts';
import {
  findPrincipal,
  readMemberPages,
  readPrincipalPage,
  readPrincipals,
  type PrincipalFilter,
  type PrincipalRow,
} from './principal-reads.ts';
import { emailProblems, principalNameProblems, subjectProblems } from './principal.ts';
import { keepingAnAdmin } from './tenant-admin.ts';

export type { PrincipalFilter, PrincipalRow } from './principal-reads.ts';

export interface PrincipalService {
  /** It holds nothing yet. A user may be bound to an issuer's subject in advance of their first sign-in. */
  createPrincipal(uow: UnitOfWork, actor: Authority, input: NewPrincipal): Promise<PrincipalRow>;
  /** Ends its credentials at once; its history stays. Doing it again changes nothing. */
  disablePrincipal(uow: UnitOfWork, actor: Authority, input: { readonly principalId: string }): Promise<PrincipalRow>;
  enablePrincipal(uow: UnitOfWork, actor: Authority, input: { readonly principalId: string }): Promise<PrincipalRow>;
  getPrincipal(uow: UnitOfWork, actor: Authority, principalId: string): Promise<PrincipalRow>;
  listPrincipals(uow: UnitOfWork, actor: Authority, request: PrincipalFilter & PageRequest): Promise<Page<PrincipalRow>>;
  principalsByIds(uow: UnitOfWork, actor: Authority, ids: readonly string[]): Promise<PrincipalRow[]>;
  /** One page for each team, in this order. */
  membersOf(uow: UnitOfWork, actor: Authority, teamIds: readonly string[], page: PageRequest): Promise<Page<PrincipalRow>[]>;

  /** Hands on every role that the team has been given, so the actor must hold these too. Doing it again changes nothing. */
  addTeamMember(uow: UnitOfWork, actor: Authority, input: Membership): Promise<TeamMembership>;
  removeTeamMember(uow: UnitOfWork, actor: Authority, input: Membership): Promise<TeamMembership>;
}

export interface NewPrincipal {
  readonly kind: PrincipalKind;
  readonly name: string;
  readonly email?: string | null | undefined;
  /** `iss` and `sub` of the user's tokens: both or neither. */
  readonly issuer?: string | null | undefined;
  readonly subject?: string | null | undefined;
}
export interface Membership {
  readonly teamId: string;
  readonly principalId: string;
}
export interface TeamMembership {
  readonly team: TeamRow;
  readonly principal: PrincipalRow;
}

export interface PrincipalServiceSettings {
  readonly clock: Clock;
}

export function createPrincipalService({ clock }: PrincipalServiceSettings): PrincipalService {
  async function visible(uow: UnitOfWork, actor: Authority, principalId: string): Promise<PrincipalRow> {
    const found = await findPrincipal(uow, actor, principalId);
    if (!found) throw new NotFoundError('principalId: there is no such principal, or it is not visible to you', { principalId });
    return found;
  }

  async function setDisabled(uow: UnitOfWork, actor: Authority, principalId: string, at: Date | null): Promise<PrincipalRow> {
    const principal = await visible(uow, actor, principalId);
    requirePermission(actor, 'principal.manage');
    if ((principal.disabledAt === null) === (at === null)) return principal;
    await keepingAnAdmin(uow, () =>
      uow.rows('update principals set disabled_at = $3 where tenant_id = $1 and id = $2', [uow.tenantId, principal.id, at]),
    );
    return { ...principal, disabledAt: at };
  }

  async function membership(uow: UnitOfWork, actor: Authority, { teamId, principalId }: Membership): Promise<TeamMembership> {
    const team = await findVisible(uow, actor, 'teams', teamId);
    if (!team) throw new NotFoundError('teamId: there is no such team, or it is not visible to you', { teamId });
    const principal = await visible(uow, actor, principalId);
    requirePermission(actor, 'team.manage', { teamId: team.id });
    return { team, principal };
  }

  return {
    async createPrincipal(uow, actor, { kind, name, email, issuer, subject }) {
      requirePermission(actor, 'principal.manage');
      refuse([
        ...kindProblems(kind),
        ...principalNameProblems(kind, name),
        ...emailProblems(email ?? null),
        ...subjectProblems(kind, issuer ?? null, subject ?? null),
      ]);
      const row = { id: newId(), kind, name, email: email ?? null, issuer: issuer ?? null, subject: subject ?? null };
      const createdAt = clock.now();
      await orConflict(
        uow.rows(
          'insert into principals (id, tenant_id, kind, name, email, issuer, subject, created_at) values ($1, $2, $3, $4, $5, $6, $7, $8)',
          [row.id, uow.tenantId, kind, name, row.email, row.issuer, row.subject, createdAt],
        ),
        {
          principals_name_unique: `name: a principal named "${name}" already exists in this tenant; choose another name`,
          principals_subject_unique: `subject: "${row.subject}" of "${row.issuer}" already is a principal of this tenant`,
        },
      );
      return { ...row, createdAt, disabledAt: null };
    },

    disablePrincipal: (uow, actor, { principalId }) => setDisabled(uow, actor, principalId, clock.now()),
    enablePrincipal: (uow, actor, { principalId }) => setDisabled(uow, actor, principalId, null),
    getPrincipal: visible,
    listPrincipals: readPrincipalPage,
    principalsByIds: readPrincipals,
    membersOf: readMemberPages,

    async addTeamMember(uow, actor, input) {
      const { team, principal } = await membership(uow, actor, input);
      // Shared with `grantRole` to this team: whichever comes second sees what the first did.
      const locked = await uow.rows('select id from teams where tenant_id = $1 and id = $2 for no key update', [uow.tenantId, team.id]);
      if (locked.length === 0) throw new NotFoundError('teamId: the team has been deleted meanwhile');
      const beyond = (await readGrants(uow, { granteeTeamId: team.id })).find((grant) => !holdsGrant(actor, grant));
      if (beyond) {
        throw new ForbiddenError(
          `team "${team.name}" has been given the role ${beyond.role} on a ${beyond.kind} where you do not hold it yourself, so you cannot add members`,
        );
      }
      await uow.rows(
        'insert into team_members (team_id, principal_id, tenant_id, created_at) values ($1, $2, $3, $4) on conflict do nothing',
        [team.id, principal.id, uow.tenantId, clock.now()],
      );
      return { team, principal };
    },

    async removeTeamMember(uow, actor, input) {
      const { team, principal } = await membership(uow, actor, input);
      const removed = await keepingAnAdmin(uow, () =>
        uow.rows('delete from team_members where tenant_id = $1 and team_id = $2 and principal_id = $3 returning team_id', [
          uow.tenantId,
          team.id,
          principal.id,
        ]),
      );
      if (removed.length === 0) throw new NotFoundError(`principalId: "${principal.name}" is not a member of team "${team.name}"`);
      return { team, principal };
    },
  };
}

function kindProblems(kind: string): Problem[] {
  if ((principalKinds as readonly string[]).includes(kind)) return [];
  return [{ path: 'kind', message: `"${kind.slice(0, 80)}" is not a kind of principal`, expected: `one of ${principalKinds.join(', ')}` }];
}
