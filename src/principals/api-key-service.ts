// Use cases of API keys; besides the last use (authenticate.ts) and a tenant's first key, the only file that writes `api_keys`.
import type { Clock } from '../platform/clock.ts';
import type { UnitOfWork } from '../platform/database.ts';
import { ForbiddenError, InvalidStateError, NotFoundError, type Problem } from '../platform/errors.ts';
import type { Page, PageRequest } from '../platform/page.ts';
import { findVisible, type EnvironmentRow } from '../tenants/tenant-reads.ts';
import { refuse } from '../tenants/tenant.ts';
import { readKeyPage, readKeyPages, readKeys, type ApiKeyFilter, type ApiKeyRow } from './api-key-reads.ts';
import { generateApiKey } from '../authority/api-key.ts';
import { requirePermission } from '../authority/authorize.ts';
import { findIdentity, keyGrants, type Identity } from './authority-reads.ts';
import { holdsGrant } from '../authority/grants.ts';
import { can, roles as knownRoles, type Authority, type Role } from '../authority/permission.ts';
import { findPrincipal } from './principal-reads.ts';
import { printableProblems } from './principal.ts';

export type { ApiKeyFilter, ApiKeyRow } from './api-key-reads.ts';

export interface ApiKeyService {
  /**
   * A key for oneself, or with key.manage for another principal. It holds that principal's grants cut down to `roles` and to the
   * environment, now and later; what it holds now the actor must hold too. A key made with a key ends no later than that one.
   */
  createApiKey(uow: UnitOfWork, actor: Authority, input: NewApiKey): Promise<CreatedApiKey>;
  /** One's own, or any with key.manage. It ends at once; revoking it again changes nothing. */
  revokeApiKey(uow: UnitOfWork, actor: Authority, input: { readonly apiKeyId: string }): Promise<ApiKeyRow>;
  /** One's own; with key.manage those of all principals. */
  listApiKeys(uow: UnitOfWork, actor: Authority, request: ApiKeyFilter & PageRequest): Promise<Page<ApiKeyRow>>;
  apiKeysByIds(uow: UnitOfWork, actor: Authority, ids: readonly string[]): Promise<ApiKeyRow[]>;
  /** One page for each principal, in this order. */
  apiKeysOf(uow: UnitOfWork, actor: Authority, principalIds: readonly string[], page: PageRequest): Promise<Page<ApiKeyRow>[]>;
}

export interface NewApiKey {
  /** The actor itself when absent. */
  readonly principalId?: string | null | undefined;
  readonly name: string;
  readonly roles: readonly Role[];
  readonly environmentId?: string | null | undefined;
  readonly expiresAt?: Date | null | undefined;
}
export interface CreatedApiKey {
  readonly apiKey: ApiKeyRow;
  /** The key itself: shown this once. */
  readonly token: string;
}

export interface ApiKeyServiceSettings {
  readonly clock: Clock;
}

export function createApiKeyService({ clock }: ApiKeyServiceSettings): ApiKeyService {
  return {
    async createApiKey(uow, actor, { principalId, name, roles, environmentId, expiresAt = null }) {
      const owner = await ownerOf(uow, actor, principalId ?? actor.principalId);
      const environment = await environmentOf(uow, actor, environmentId ?? null);
      const now = clock.now();
      const limit = { environmentId: environment?.id ?? null, projectId: environment?.projectId ?? null };
      refuse([
        ...printableProblems(name, 'name'),
        ...roleProblems(owner, roles, limit),
        ...expiryProblems(expiresAt, now, actor.apiKeyId ? actor.expiresAt : undefined),
      ]);
      const beyond = keyGrants(owner.grants, { roles, ...limit }).find((grant) => !holdsGrant(actor, grant));
      if (beyond)
        throw new ForbiddenError(
          `roles: this key would hold the role ${beyond.role} on a ${beyond.kind} where you do not hold it yourself`,
        );
      const { id, token, secretHash } = generateApiKey(uow.tenantId);
      await uow.rows(
        `insert into api_keys (id, tenant_id, principal_id, name, secret_hash, roles, environment_id, created_by, created_at, expires_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
        [id, uow.tenantId, owner.principalId, name, secretHash, [...roles], limit.environmentId, actor.principalId, now, expiresAt],
      );
      const [apiKey] = await readKeys(uow, actor, [id]);
      return { apiKey: apiKey!, token };
    },

    async revokeApiKey(uow, actor, { apiKeyId }) {
      const [key] = await readKeys(uow, actor, [apiKeyId]);
      if (!key) throw new NotFoundError('apiKeyId: there is no such API key, or it is not visible to you', { apiKeyId });
      // A weak key that leaks must not be able to end the strong ones of its principal.
      const identity = await findIdentity(uow, { principalId: key.principalId, apiKeyId: key.id });
      const grants = identity?.key ? keyGrants(identity.grants, identity.key) : [];
      if (key.id !== actor.apiKeyId && !can(actor, 'key.manage') && !grants.every((grant) => holdsGrant(actor, grant))) {
        throw new ForbiddenError('apiKeyId: this key may do more than the credential you use now; revoke it with a stronger one');
      }
      const now = clock.now();
      await uow.rows('update api_keys set revoked_at = $3 where tenant_id = $1 and id = $2 and revoked_at is null', [
        uow.tenantId,
        key.id,
        now,
      ]);
      return { ...key, revokedAt: key.revokedAt ?? now };
    },

    listApiKeys: readKeyPage,
    apiKeysByIds: readKeys,
    apiKeysOf: readKeyPages,
  };
}

/** Whose key it will be, with that principal's own grants (not those of the token or key in use). */
async function ownerOf(uow: UnitOfWork, actor: Authority, principalId: string): Promise<Identity> {
  const principal = await findPrincipal(uow, actor, principalId);
  if (!principal) throw new NotFoundError('principalId: there is no such principal, or it is not visible to you', { principalId });
  if (principal.id !== actor.principalId) requirePermission(actor, 'key.manage');
  if (principal.disabledAt)
    throw new InvalidStateError(`principalId: "${principal.name}" is disabled; enable it before making keys for it`);
  const identity = await findIdentity(uow, { principalId: principal.id });
  if (!identity) throw new NotFoundError('principalId: it has been deleted meanwhile', { principalId });
  return identity;
}

async function environmentOf(uow: UnitOfWork, actor: Authority, environmentId: string | null): Promise<EnvironmentRow | null> {
  if (environmentId === null) return null;
  const found = await findVisible(uow, actor, 'environments', environmentId);
  if (!found) throw new NotFoundError('environmentId: there is no such environment, or it is not visible to you', { environmentId });
  // Deleting an environment waits for this and then finds the key.
  await uow.rows('select id from environments where tenant_id = $1 and id = $2 for key share', [uow.tenantId, found.id]);
  return found;
}

function roleProblems(
  owner: Identity,
  roles: readonly string[],
  limit: { environmentId: string | null; projectId: string | null },
): Problem[] {
  if (roles.length === 0) return [{ path: 'roles', message: 'is empty', expected: `at least one of ${knownRoles.join(', ')}` }];
  return roles.flatMap((role, index): Problem[] => {
    const path = `roles.${index}`;
    const known = knownRoles.find((each) => each === role);
    if (!known) return [{ path, message: `"${role.slice(0, 80)}" is not a role`, expected: `one of ${knownRoles.join(', ')}` }];
    if (roles.indexOf(role) !== index) return [{ path, message: `"${role}" is listed twice`, expected: 'each role once' }];
    if (keyGrants(owner.grants, { roles: [known], ...limit }).some((grant) => grant.role === known)) return [];
    const where = limit.environmentId ? ' in this environment' : '';
    return [
      {
        path,
        message: `"${owner.principalName}" does not hold the role ${role}${where} (roles that a sign-in token brings do not count for keys)`,
        expected: 'a role that the principal has been granted, or a weaker one',
      },
    ];
  });
}

function expiryProblems(expiresAt: Date | null, now: Date, latest: Date | undefined): Problem[] {
  if (expiresAt !== null && !(expiresAt > now)) {
    return [{ path: 'expiresAt', message: `${moment(expiresAt)} is not in the future`, expected: `a moment after ${moment(now)}` }];
  }
  if (latest && (expiresAt === null || expiresAt > latest)) {
    const message = 'a key made with a key cannot outlive it';
    return [{ path: 'expiresAt', message, expected: `a moment no later than ${moment(latest)}` }];
  }
  return [];
}

const moment = (date: Date): string => (Number.isNaN(date.getTime()) ? 'an invalid date' : date.toISOString());
