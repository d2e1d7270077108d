// Signing in with tokens of a real OpenID Connect issuer, and every token that must be refused.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { UnsecuredJWT } from 'jose';
import { UnauthenticatedError, UnavailableError } from '#src/platform/errors.ts';
import { createApiKeyService } from '#src/principals/api-key-service.ts';
import { createAuthenticator, type Authenticator, type AuthenticatorSettings } from '#src/principals/authenticate.ts';
import { ensureFirstTenant } from '#src/principals/bootstrap.ts';
import type { OidcIssuer } from '#src/principals/oidc.ts';
import { can, type Authority } from '#src/authority/permission.ts';
import { createPrincipalService } from '#src/principals/principal-service.ts';
import { testDatabase, type TestDatabase } from './harness/database.ts';
import { audience, startIssuer, type TestIssuer } from './harness/issuer.ts';

let db: TestDatabase;
let issuer: TestIssuer;
let tenantId: string;
let admin: Authority;
let authenticator: Authenticator;
let ahead = 0;
const clock = { now: () => new Date(Date.now() + ahead) };

const configured = (changes: Partial<OidcIssuer> = {}): OidcIssuer => ({
  issuer: issuer.url,
  audience,
  tenantClaim: 'tenant',
  rolesClaim: 'access.roles',
  nameClaim: 'nickname',
  ...changes,
});
const withSettings = (settings: Partial<AuthenticatorSettings> = {}): Authenticator =>
  createAuthenticator({ database: db.database, clock, issuers: [configured()], keyCooldownMs: 0, ...settings });

before(async () => {
  [db, issuer] = await Promise.all([testDatabase(), startIssuer()]);
  const first = await ensureFirstTenant(db.database, clock);
  assert.ok(first.created);
  tenantId = first.tenantId;
  authenticator = withSettings();
  admin = await authenticator.authenticate(first.adminKey);
});
after(async () => {
  await authenticator.close();
  await Promise.all([issuer.close(), db.close()]);
});

const refused = (token: string, message: RegExp, by = authenticator) =>
  assert.rejects(by.authenticate(token), (error) => {
    assert.ok(error instanceof UnauthenticatedError, String(error));
    assert.match(error.message, message);
    return true;
  });

test('a token of the issuer signs its subject in, with the roles it names, for as long as it lasts', async () => {
  const token = await issuer.token('ada', { tenant: 'default', nickname: 'Ada', access: { roles: ['operator', 'superuser'] } });
  const authority = await authenticator.authenticate(token);
  assert.equal(authority.tenantId, tenantId);
  assert.equal(authority.principalName, 'Ada');
  assert.equal(authority.principalKind, 'user');
  assert.deepEqual(authority.grants, [{ role: 'operator', kind: 'tenant', scopeId: tenantId }]);
  assert.ok(can(authority, 'execution.start') && !can(authority, 'project.manage'));
  assert.ok(authority.expiresAt && authority.expiresAt > clock.now());

  const later = await authenticator.authenticate(await issuer.token('ada', { tenant: tenantId, nickname: 'Ada Lovelace' }));
  assert.equal(later.principalId, authority.principalId, 'the same person, found by issuer and subject');
  assert.deepEqual(later.grants, [], 'the roles belonged to the other token');
});

test('two first requests of one person at once make one principal; a taken name gets the subject appended', async () => {
  const token = await issuer.token('grace', { tenant: 'default', nickname: 'admin' });
  const [one, two] = await Promise.all([authenticator.authenticate(token), authenticator.authenticate(token)]);
  assert.equal(one.principalId, two.principalId);
  assert.equal(one.principalName, 'admin (grace)');
});

test('a token signed by another key, or for another issuer or audience, is refused', async () => {
  const stranger = await startIssuer();
  try {
    const claims = { tenant: 'default' };
    await refused(await issuer.forge(claims, {}, stranger.key().privateKey), /not signed by a key of its issuer/);
    await refused(await issuer.forge({ ...claims, iss: stranger.url }), /issuer "http.*" is not configured/);
    await refused(await stranger.token('ada', claims), /is not configured/);
    await refused(
      await issuer.token('ada', claims, 'https://other.test'),
      /claim "aud" is not acceptable; it must contain "https:\/\/signalbox.test"/,
    );
    const [head, body, signature] = (await issuer.token('ada', claims)).split('.');
    const altered = Buffer.from(JSON.stringify({ ...JSON.parse(Buffer.from(body!, 'base64url').toString()), tenant: 'other' })).toString(
      'base64url',
    );
    await refused(`${head}.${altered}.${signature}`, /not signed by a key of its issuer/);
    await authenticator.authenticate(`${head}.${body}.${signature}`);
  } finally {
    await stranger.close();
  }
});

test('alg none, and HS256 with the public key as its secret, are refused', async () => {
  const claims = { tenant: 'default', access: { roles: ['admin'] } };
  const none = new UnsecuredJWT({
    ...claims,
    iss: issuer.url,
    aud: audience,
    sub: 'ada',
    exp: Math.floor(Date.now() / 1000) + 600,
  }).encode();
  await refused(none, /not signed by a key of its issuer/);
  const published = new TextEncoder().encode(JSON.stringify(issuer.key().publicJwk));
  await refused(await issuer.forge(claims, { alg: 'HS256' }, published), /not signed by a key of its issuer/);
});

test('an expired or not yet valid token is refused, and so is refreshing it after its end', async () => {
  const token = await issuer.token('ada', { tenant: 'default' });
  const authority = await authenticator.authenticate(token);
  assert.equal((await authenticator.refresh(authority)).principalId, authority.principalId);
  ahead = 600_000;
  try {
    await refused(token, /the token expired at \d{4}-/);
    await assert.rejects(authenticator.refresh(authority), /expired at/);
  } finally {
    ahead = 0;
  }
  await refused(await issuer.forge({ tenant: 'default', nbf: Math.floor(Date.now() / 1000) + 60 }), /claim "nbf" is not acceptable/);
  await refused(await issuer.forge({ tenant: 'default', exp: undefined }), /claim "exp" is missing/);
});

test('after a rotation new tokens work at once and old ones no longer, yet unknown keys cannot make the issuer be asked again and again', async () => {
  const before = await issuer.token('ada', { tenant: 'default' });
  await authenticator.authenticate(before);
  const patient = withSettings({ keyCooldownMs: 3_600_000 });
  await patient.authenticate(before);
  await issuer.rotate();
  const later = await issuer.token('ada', { tenant: 'default' });
  await authenticator.authenticate(later);
  await refused(before, /not signed by a key of its issuer/);

  const reads = issuer.keyReads();
  for (let i = 0; i < 5; i++) await refused(await issuer.forge({ tenant: 'default' }, { kid: `made-up-${i}` }), /not signed/, patient);
  assert.equal(issuer.keyReads(), reads, 'within the cooldown its key set is not read');
});

test('a token without a tenant, with an unknown one or without subject is refused', async () => {
  await refused(await issuer.token('ada', {}), /claim "tenant" is missing or malformed; expected the name or id of a tenant/);
  await refused(await issuer.token('ada', { tenant: 7 }), /claim "tenant" is missing or malformed/);
  for (const tenant of ['nobody', "x'; drop table tenants", '019a0000-0000-7000-8000-000000000000']) {
    await refused(await issuer.token('ada', { tenant }), /claim "tenant" names no tenant of this server/);
  }
  await refused(await issuer.forge({ tenant: 'default', sub: '' }), /claim "sub" is missing or malformed/);
  await refused('not.a.token', /neither an API key nor a token/);
  await refused('', /neither an API key nor a token/);
});

test('a person whose principal is disabled is refused, also in the middle of a stream', async () => {
  const principals = createPrincipalService({ clock });
  const token = await issuer.token('linus', { tenant: 'default', access: { roles: 'viewer' } });
  const authority = await authenticator.authenticate(token);
  await db.database.write(tenantId, (uow) => principals.disablePrincipal(uow, admin, { principalId: authority.principalId }));
  await refused(token, /principal was disabled at/);
  await assert.rejects(authenticator.refresh(authority), UnauthenticatedError);
  await db.database.write(tenantId, (uow) => principals.enablePrincipal(uow, admin, { principalId: authority.principalId }));
  assert.ok(can(await authenticator.refresh(authority), 'execution.read'), 'its token’s roles survive a refresh');
});

test('roles that a token brings cannot be turned into an API key', async () => {
  const keys = createApiKeyService({ clock });
  const authority = await authenticator.authenticate(await issuer.token('margaret', { tenant: 'default', access: { roles: ['admin'] } }));
  assert.ok(can(authority, 'key.manage'));
  const input = { name: 'mine', roles: ['viewer'] as const };
  await assert.rejects(
    db.database.write(tenantId, (uow) => keys.createApiKey(uow, authority, input)),
    /roles.0: .* does not hold the role viewer/,
  );
});

test('an issuer that does not answer, or is not who it says, is an outage and not a refusal; it recovers by itself', async () => {
  const token = await issuer.token('ada', { tenant: 'default' });
  const silent = withSettings({ issuers: [configured({ issuer: 'http://127.0.0.1:9' })] });
  await assert.rejects(silent.authenticate(await issuer.forge({ iss: 'http://127.0.0.1:9', tenant: 'default' })), UnavailableError);
  const alias = issuer.url.replace('127.0.0.1', 'localhost');
  const other = withSettings({ issuers: [configured({ issuer: alias })] });
  await assert.rejects(other.authenticate(await issuer.forge({ iss: alias, tenant: 'default' })), /it names the issuer/);
  const plain = withSettings({ issuers: [configured({ issuer: 'http://issuer.test' })] });
  await assert.rejects(plain.authenticate(await issuer.forge({ iss: 'http://issuer.test', tenant: 'default' })), /must be https/);

  const fresh = withSettings();
  issuer.outage(true);
  await assert.rejects(fresh.authenticate(token), /HTTP status 503/);
  issuer.outage(false);
  await fresh.authenticate(token);
});
