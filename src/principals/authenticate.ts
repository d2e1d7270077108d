// Turns a bearer credential (API key or token of a configured issuer) into an authority, and reads it again while streams run.
// Opens its own short transactions: it is the edge, there is no tenant before it has answered.
import type { Clock } from '../platform/clock.ts';
import type { Database } from '../platform/database.ts';
import { UnauthenticatedError } from '../platform/errors.ts';
import { isId } from '../platform/ids.ts';
import { namePattern } from '../tenants/tenant.ts';
import { apiKeyPrefix, parseApiKey, sameHash } from '../authority/api-key.ts';
import { authorityOf, findIdentity, type Identity, type IdentityKey } from './authority-reads.ts';
import { createTokenVerifier, type OidcIssuer, type VerifiedToken } from './oidc.ts';
import type { Authority } from '../authority/permission.ts';
import { signedInPrincipal, tenantArchived } from './sign-in.ts';

export interface Authenticator {
  /** `credential` is what follows `Bearer `. Throws UnauthenticatedError, or UnavailableError when an issuer does not answer. */
  authenticate(credential: string): Promise<Authority>;
  /** The same credential's rights as of now; throws UnauthenticatedError once it has ended, its principal is disabled, or its tenant archived. */
  refresh(authority: Authority): Promise<Authority>;
  /** Waits for what is still being written (last use of keys). */
  close(): Promise<void>;
}

export interface AuthenticatorSettings {
  readonly database: Database;
  readonly clock: Clock;
  readonly issuers: readonly OidcIssuer[];
  readonly logger?: { warn(details: object, message: string): void } | undefined;
  /** See TokenVerifierSettings. */
  readonly keyCooldownMs?: number | undefined;
}

/** The last use of a key is written at most this often. */
const lastUseIntervalMs = 60_000;

export function createAuthenticator({ database, clock, issuers, logger, keyCooldownMs }: AuthenticatorSettings): Authenticator {
  const tokens = createTokenVerifier({ clock, issuers, keyCooldownMs });
  const writing = new Map<string, Promise<void>>();

  async function byApiKey(credential: string): Promise<Authority> {
    const parsed = parseApiKey(credential);
    if (!parsed) throw unknownKey();
    const identity = await database.lookUp(parsed.tenantId, (uow) => findIdentity(uow, { apiKeyId: parsed.id }));
    if (!identity?.key || !sameHash(identity.key.secretHash, parsed.secretHash)) throw unknownKey();
    requireUsable(identity, clock.now());
    noteUse(parsed.tenantId, identity.key);
    return authorityOf(identity);
  }

  async function byToken(credential: string): Promise<Authority> {
    const token = await tokens.verify(credential);
    const tenantId = await tenantOf(token);
    const principalId = await signedInPrincipal(database, tenantId, token, clock.now());
    const identity = await database.lookUp(tenantId, (uow) => findIdentity(uow, { principalId }));
    if (!identity) throw new UnauthenticatedError('the principal of this token no longer exists; sign in again');
    requireUsable(identity, clock.now());
    return authorityOf(identity, { tokenRoles: token.roles, expiresAt: token.expiresAt });
  }

  async function tenantOf({ tenant, tenantClaim }: VerifiedToken): Promise<string> {
    const found = await database.read(isId(tenant) ? tenant : '', async (uow) => {
      if (isId(tenant)) return uow.rows<{ id: string | null }>('select id from tenants where id = $1', [tenant]);
      if (!namePattern.test(tenant)) return [];
      return uow.rows<{ id: string | null }>('select identity.tenant_id_by_name($1) as id', [tenant]);
    });
    if (!found[0]?.id) throw new UnauthenticatedError(`the token's claim "${tenantClaim}" names no tenant of this server`);
    return found[0].id;
  }

  /** Beside the request: it neither waits for this nor fails with it. */
  function noteUse(tenantId: string, key: IdentityKey): void {
    const now = clock.now();
    if (writing.has(key.id) || (key.lastUsedAt && now.getTime() - key.lastUsedAt.getTime() < lastUseIntervalMs)) return;
    const write = database
      .write(tenantId, (uow) =>
        uow.rows('update api_keys set last_used_at = greatest(last_used_at, $3) where tenant_id = $1 and id = $2', [tenantId, key.id, now]),
      )
      .then(
        () => undefined,
        (error: unknown) => logger?.warn({ error, apiKeyId: key.id }, 'the last use of an API key was not written'),
      )
      .finally(() => writing.delete(key.id));
    writing.set(key.id, write);
  }

  return {
    authenticate: (credential) => (credential.startsWith(apiKeyPrefix) ? byApiKey(credential) : byToken(credential)),

    async refresh({ tenantId, principalId, apiKeyId, tokenRoles, expiresAt }) {
      if (expiresAt && expiresAt <= clock.now()) throw ended('credential', 'expired', expiresAt);
      const identity = await database.lookUp(tenantId, (uow) => findIdentity(uow, { principalId, apiKeyId }));
      if (!identity || (apiKeyId && !identity.key)) throw unknownKey();
      requireUsable(identity, clock.now());
      return authorityOf(identity, { tokenRoles, expiresAt });
    },

    async close() {
      await Promise.all(writing.values());
    },
  };
}

/** Only asked once the secret has proved right, so its answers tell a stranger nothing. */
function requireUsable({ key, disabledAt, tenantArchivedAt }: Identity, now: Date): void {
  if (key?.revokedAt) throw ended('API key', 'was revoked', key.revokedAt);
  if (key?.expiresAt && key.expiresAt <= now) throw ended('API key', 'expired', key.expiresAt);
  if (disabledAt) throw ended('principal', 'was disabled', disabledAt);
  if (tenantArchivedAt) throw tenantArchived(tenantArchivedAt);
}

const ended = (what: string, how: string, at: Date): Error => new UnauthenticatedError(`this ${what} ${how} at ${at.toISOString()}`);

/** One answer for malformed, unknown and wrong keys. */
const unknownKey = (): Error => new UnauthenticatedError('the API key is not valid');
