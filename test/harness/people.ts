// Two tenants with projects, environments, teams and an admin each, and principals with whatever grants a test needs.
import { systemClock, type Clock } from '#src/platform/clock.ts';
import type { Database, UnitOfWork } from '#src/platform/database.ts';
import { newId } from '#src/platform/ids.ts';
import { createApiKeyService } from '#src/principals/api-key-service.ts';
import { createAuthenticator, type Authenticator } from '#src/principals/authenticate.ts';
import { loadAuthority } from '#src/principals/authority-reads.ts';
import { ensureFirstTenant } from '#src/principals/bootstrap.ts';
import { createGrantService } from '#src/principals/grant-service.ts';
import type { Authority, PrincipalKind, Role, ScopeKind } from '#src/authority/permission.ts';
import { createPrincipalService } from '#src/principals/principal-service.ts';
import { createTenantService } from '#src/tenants/tenant-service.ts';

export type Scope = readonly [kind: ScopeKind, id: string];

export interface Home {
  readonly tenantId: string;
  readonly adminKey: string;
  readonly admin: Authority;
  readonly project: string;
  readonly otherProject: string;
  /** In `project`. */
  readonly staging: string;
  readonly production: string;
  readonly team: string;
  readonly otherTeam: string;
  /** Commits. */
  write<T>(work: (uow: UnitOfWork) => Promise<T>): Promise<T>;
  read<T>(work: (uow: UnitOfWork) => Promise<T>): Promise<T>;
  /** A new principal with these roles. */
  principal(grants?: readonly (readonly [Role, ...Scope])[], kind?: PrincipalKind): Promise<Authority>;
  /** What a principal may do by now. */
  again(authority: Authority): Promise<Authority>;
}

export async function createPeople(database: Database, clock: Clock = systemClock) {
  const services = {
    tenants: createTenantService({ clock, rows: { changed() {} } }),
    principals: createPrincipalService({ clock }),
    grants: createGrantService({ clock }),
    apiKeys: createApiKeyService({ clock }),
  };
  const authenticator: Authenticator = createAuthenticator({ database, clock, issuers: [] });
  const { tenants, principals, grants } = services;

  async function home(tenantId: string, adminKey: string): Promise<Home> {
    const admin = await authenticator.authenticate(adminKey);
    const write: Home['write'] = (work) => database.write(tenantId, work);
    const project = (name: string) => write((uow) => tenants.createProject(uow, admin, { name }));
    const team = (name: string) => write((uow) => tenants.createTeam(uow, admin, { name }));
    const [one, two] = [await project('one'), await project('two')];
    const environment = (name: string, kind: 'staging' | 'production') =>
      write((uow) => tenants.createEnvironment(uow, admin, { projectId: one.id, name, kind }));
    return {
      tenantId,
      adminKey,
      admin,
      project: one.id,
      otherProject: two.id,
      staging: (await environment('staging', 'staging')).id,
      production: (await environment('production', 'production')).id,
      team: (await team('red')).id,
      otherTeam: (await team('blue')).id,
      write,
      read: (work) => database.read(tenantId, work),
      async principal(given = [], kind = 'service_account') {
        const principal = await write((uow) => principals.createPrincipal(uow, admin, { kind, name: `p-${newId()}` }));
        for (const [role, scopeKind, scopeId] of given) {
          await write((uow) => grants.grantRole(uow, admin, { role, scopeKind, scopeId, principalId: principal.id }));
        }
        return database.read(tenantId, async (uow) => (await loadAuthority(uow, principal.id))!);
      },
      again: ({ principalId }) => database.read(tenantId, async (uow) => (await loadAuthority(uow, principalId))!),
    };
  }

  const first = await ensureFirstTenant(database, clock);
  if (!first.created) throw new Error('the test database is not empty');
  const operator = await home(first.tenantId, first.adminKey);
  const otherId = newId();
  const created = await database.write(otherId, (uow) => tenants.createTenant(uow, operator.admin, { name: 'other' }));
  return { ...services, authenticator, operator, other: await home(otherId, created.apiKey) };
}

export type People = Awaited<ReturnType<typeof createPeople>>;
