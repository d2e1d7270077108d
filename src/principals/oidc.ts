// Verifies tokens of configured OpenID Connect issuers: discovery, keys, signature, claims. Knows no table and no principal.
import { createRemoteJWKSet, decodeJwt, errors, jwtVerify, type JWTPayload, type JWTVerifyGetKey } from 'jose';
import type { Clock } from '../platform/clock.ts';
import { UnauthenticatedError, UnavailableError } from '../platform/errors.ts';
import { roles as knownRoles, type Role } from '../authority/permission.ts';
import { subjectForm } from './principal.ts';

/** One issuer as configured. Claims are named by their key, or by a dotted path into nested objects. */
export interface OidcIssuer {
  /** Exactly the `iss` of its tokens; `/.well-known/openid-configuration` below it is read. */
  readonly issuer: string;
  /** What `aud` must contain. */
  readonly audience: string;
  /** Claim that holds the tenant's name or id. */
  readonly tenantClaim: string;
  /** Claim that holds role names (a list, or text separated by spaces); unknown names are ignored. */
  readonly rolesClaim?: string | undefined;
  /** Claim to name a new principal after; without it `name`, `preferred_username`, `email`, then `sub`. */
  readonly nameClaim?: string | undefined;
}

export interface VerifiedToken {
  readonly issuer: string;
  readonly subject: string;
  /** Name or id of the tenant, not yet looked up. */
  readonly tenant: string;
  readonly tenantClaim: string;
  readonly roles: readonly Role[];
  readonly name: string;
  readonly email: string | null;
  readonly expiresAt: Date;
}

export interface TokenVerifierSettings {
  readonly clock: Clock;
  readonly issuers: readonly OidcIssuer[];
  /** After keys were fetched, an unknown key id makes them be fetched again only when this time has passed. */
  readonly keyCooldownMs?: number | undefined;
}

export interface TokenVerifier {
  /** Throws UnauthenticatedError for a token that is not good, UnavailableError when its issuer does not answer. */
  verify(token: string): Promise<VerifiedToken>;
}

/** Signatures that only the issuer's private key can make: no `none`, no shared secrets. */
const algorithms = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'];
const fetchTimeoutMs = 5_000;
/** Clocks of issuers may be ahead by this much (`nbf`). */
const clockToleranceSeconds = 5;

export function createTokenVerifier({ clock, issuers, keyCooldownMs = 30_000 }: TokenVerifierSettings): TokenVerifier {
  const keySets = new Map<string, Promise<JWTVerifyGetKey>>();

  function keysOf(issuer: string): Promise<JWTVerifyGetKey> {
    const known = keySets.get(issuer);
    if (known) return known;
    const found = discover(issuer).then((url) =>
      createRemoteJWKSet(url, { cooldownDuration: keyCooldownMs, timeoutDuration: fetchTimeoutMs }),
    );
    keySets.set(issuer, found);
    found.catch(() => keySets.delete(issuer)); // the next token tries again
    return found;
  }

  return {
    async verify(token) {
      const issuer = configuredIssuer(issuers, token);
      let payload: JWTPayload;
      try {
        const keys: JWTVerifyGetKey = async (header, input) => (await keysOf(issuer.issuer))(header, input);
        ({ payload } = await jwtVerify(token, keys, {
          algorithms,
          issuer: issuer.issuer,
          audience: issuer.audience,
          requiredClaims: ['sub', 'exp'],
          currentDate: clock.now(),
          clockTolerance: clockToleranceSeconds,
        }));
      } catch (error) {
        throw refusal(error, issuer);
      }
      return verified(payload, issuer, clock.now());
    },
  };
}

function configuredIssuer(issuers: readonly OidcIssuer[], token: string): OidcIssuer {
  let claims: JWTPayload;
  try {
    claims = decodeJwt(token);
  } catch {
    throw new UnauthenticatedError('the credential is neither an API key nor a token (JWT)');
  }
  const named = issuers.filter(({ issuer }) => issuer === claims.iss);
  const audiences = [claims.aud ?? []].flat();
  const found = named.find(({ audience }) => audiences.includes(audience)) ?? named[0];
  if (!found) throw new UnauthenticatedError(`the token's issuer ${quoted(claims.iss)} is not configured on this server`);
  return found;
}

function verified(payload: JWTPayload, issuer: OidcIssuer, now: Date): VerifiedToken {
  const expiresAt = new Date(Number(payload.exp) * 1000);
  if (expiresAt <= now) throw expired(payload);
  const subject = payload.sub;
  if (typeof subject !== 'string' || !subjectForm.test(subject)) throw missing('sub', 'at most 255 printable characters');
  const tenant = claim(payload, issuer.tenantClaim);
  if (typeof tenant !== 'string' || tenant === '') throw missing(issuer.tenantClaim, 'the name or id of a tenant');
  const names = issuer.nameClaim ? [issuer.nameClaim] : ['name', 'preferred_username', 'email'];
  return {
    issuer: issuer.issuer,
    subject,
    tenant,
    tenantClaim: issuer.tenantClaim,
    roles: issuer.rolesClaim ? rolesOf(claim(payload, issuer.rolesClaim)) : [],
    name: names.map((name) => claim(payload, name)).find(isText) ?? subject,
    email: typeof payload['email'] === 'string' ? payload['email'].replace(/\p{Cc}/gu, '') : null,
    expiresAt,
  };
}

const isText = (value: unknown): value is string => typeof value === 'string' && value.trim() !== '';

function rolesOf(value: unknown): Role[] {
  const names: unknown[] = typeof value === 'string' ? value.split(/[\s,]+/) : Array.isArray(value) ? value : [];
  return knownRoles.filter((role) => names.includes(role));
}

/** The claim of that very name (they may be URLs), else the dotted path. */
function claim(payload: JWTPayload, name: string): unknown {
  if (Object.hasOwn(payload, name)) return payload[name];
  let value: unknown = payload;
  for (const key of name.split('.')) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
    value = (value as Record<string, unknown>)[key];
  }
  return value;
}

function refusal(error: unknown, { issuer, audience }: OidcIssuer): Error {
  if (error instanceof UnavailableError) return error;
  if (error instanceof errors.JWTExpired) return expired(error.payload);
  if (error instanceof errors.JWTClaimValidationFailed) {
    const expected = error.claim === 'aud' ? `; it must contain "${audience}"` : '';
    return new UnauthenticatedError(
      `the token's claim "${error.claim}" is ${error.reason === 'missing' ? 'missing' : `not acceptable`}${expected}`,
    );
  }
  if (unverifiable.some((type) => error instanceof type)) {
    return new UnauthenticatedError(`the token is not signed by a key of its issuer "${issuer}"`, { cause: String(error) });
  }
  return new UnavailableError(`the keys of the issuer "${issuer}" cannot be read; try again later`, { cause: String(error) });
}

const unverifiable = [
  errors.JOSEAlgNotAllowed,
  errors.JOSENotSupported,
  errors.JWSInvalid,
  errors.JWTInvalid,
  errors.JWSSignatureVerificationFailed,
  errors.JWKSNoMatchingKey,
  errors.JWKSMultipleMatchingKeys,
];

const expired = ({ exp }: JWTPayload): Error =>
  new UnauthenticatedError(`the token expired at ${new Date(Number(exp) * 1000).toISOString()}; sign in again`);

const missing = (name: string, expected: string): Error =>
  new UnauthenticatedError(`the token's claim "${name}" is missing or malformed; expected ${expected}`);

const quoted = (value: unknown): string => (typeof value === 'string' ? `"${value.slice(0, 200)}"` : '(none)');

/** Reads where the issuer publishes its keys. Only https, or http on this machine. */
async function discover(issuer: string): Promise<URL> {
  const where = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
  try {
    const response = await fetch(secure(where), { redirect: 'error', signal: AbortSignal.timeout(fetchTimeoutMs) });
    if (!response.ok) throw new Error(`HTTP status ${response.status}`);
    const document = (await response.json()) as { issuer?: unknown; jwks_uri?: unknown };
    if (document.issuer !== issuer) throw new Error(`it names the issuer ${quoted(document.issuer)}`);
    return secure(String(document.jwks_uri));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new UnavailableError(`the issuer "${issuer}" cannot be used now: ${where}: ${reason}`);
  }
}

function secure(text: string): URL {
  const url = new URL(text);
  const local = ['localhost', '127.0.0.1', '[::1]'].includes(url.hostname);
  if (url.protocol === 'https:' || (url.protocol === 'http:' && local)) return url;
  throw new Error(`${url.origin} must be https`);
}
