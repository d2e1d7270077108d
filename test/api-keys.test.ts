// API keys: what they look like, what they may do, when they stop.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { ForbiddenError, InvalidStateError, NotFoundError, UnauthenticatedError, ValidationError } from '#src/platform/errors.ts';
import { newId } from '#src/platform/ids.ts';
import type { NewApiKey } from '#src/principals/api-key-service.ts';
import { generateApiKey, parseApiKey } from '#src/authority/api-key.ts';
import { createAuthenticator } from '#src/principals/authenticate.ts';
import { can, type Authority } from '#src/authority/permission.ts';
import { testDatabase, type TestDatabase } from './harness/database.ts';
import { createPeople, type Home, type People } from './harness/people.ts';

let db: TestDatabase;
let people: People;
let home: Home;
let ahead = 0;
const clock = { now: () => new Date(Date.now() + ahead) };
before(async () => {
  db = await testDatabase();
  people = await createPeople(db.database, clock);
  home = people.operator;
});
after(async () => {
  await people.authenticator.close();
  await db.close();
});

const create = (actor: Authority, input: Partial<NewApiKey> = {}, where = home) =>
  where.write((uow) => people.apiKeys.createApiKey(uow, actor, { name: 'a key', roles: ['viewer'], ...input }));
const revoke = (actor: Authority, apiKeyId: string, where = home) =>
  where.write((uow) => people.apiKeys.revokeApiKey(uow, actor, { apiKeyId }));
const signIn = (token: string) => people.authenticator.authenticate(token);
const problem = (path: string, message: RegExp) => (error: unknown) => {
  assert.ok(error instanceof ValidationError, String(error));
  assert.deepEqual(
    error.problems.map((each) => each.path),
    [path],
  );
  assert.match(error.problems[0]!.message, message);
  return true;
};

test('a key names its tenant and itself, and its secret is stored only as a hash', async () => {
  const { apiKey, token } = await create(home.admin);
  assert.match(token, /^sbk_[\w-]{43}_[\w-]{43}$/);
  const parsed = parseApiKey(token)!;
  assert.deepEqual([parsed.tenantId, parsed.id], [home.tenantId, apiKey.id]);
  const rows = await home.read((uow) => uow.rows('select * from api_keys where id = $1', [apiKey.id]));
  assert.ok(!JSON.stringify(rows).includes(token.slice(-43)));
  assert.ok(!('secretHash' in apiKey));
});

test('malformed, unknown and wrong keys all get the same answer', async () => {
  const { token } = await create(home.admin);
  const [address, secret] = [token.slice(4, 47), token.slice(48)];
  const wrong = [
    'sbk_',
    `sbk_${address}`,
    `sbk_${address}_${'A'.repeat(43)}`,
    `sbk_${'A'.repeat(43)}_${secret}`,
    `sbk_${address}_${secret}x`,
    ` ${token}`.replace(' ', 'sbk_'),
    generateApiKey(home.tenantId).token,
    generateApiKey(newId()).token,
    // The key's own secret under another tenant's name.
    `sbk_${Buffer.concat([Buffer.from(people.other.tenantId.replaceAll('-', ''), 'hex'), Buffer.from(address, 'base64url').subarray(16)]).toString('base64url')}_${secret}`,
    // The same bytes written with other unused bits.
    `${token.slice(0, -1)}${String.fromCharCode(token.charCodeAt(token.length - 1) + 1)}`,
  ];
  const messages = await Promise.all(
    wrong.map((text) =>
      signIn(text).then(
        () => 'accepted',
        (error: Error) => (error instanceof UnauthenticatedError ? error.message : String(error)),
      ),
    ),
  );
  assert.deepEqual(new Set(messages), new Set(['the API key is not valid']));
});

test('a key holds its principal’s grants cut down to its roles, and follows them', async () => {
  const operator = await home.principal([['operator', 'project', home.project]]);
  const { token } = await create(operator, { roles: ['reviewer'] });
  const authority = await signIn(token);
  assert.deepEqual(authority.grants, [{ role: 'reviewer', kind: 'project', scopeId: home.project }]);
  assert.ok(
    can(authority, 'approval.decide', { projectId: home.project }) && !can(authority, 'execution.start', { projectId: home.project }),
  );
  const [grant] = (await home.read((uow) => people.grants.listGrants(uow, home.admin, { principalId: operator.principalId }))).rows;
  await home.write((uow) => people.grants.revokeRole(uow, home.admin, { grantId: grant!.id }));
  assert.deepEqual((await people.authenticator.refresh(authority)).grants, []);
});

test('a key for an environment reaches nothing outside it', async () => {
  const { token, apiKey } = await create(home.admin, { roles: ['operator'], environmentId: home.staging });
  assert.equal(apiKey.environmentId, home.staging);
  const authority = await signIn(token);
  const may = (environmentId: string) => can(authority, 'execution.start', { projectId: home.project, environmentId });
  assert.deepEqual([may(home.staging), may(home.production), can(authority, 'execution.start')], [true, false, false]);
  assert.ok(can(authority, 'agent.read', { projectId: home.project }) && !can(authority, 'agent.read', { projectId: home.otherProject }));
  const elsewhere = await home.principal([['operator', 'project', home.otherProject]]);
  await assert.rejects(create(elsewhere, { environmentId: home.staging }), NotFoundError);
});

test('a role that the principal lacks, no role, a bad name and a past expiry are refused, all at once', async () => {
  const viewer = await home.principal([['viewer', 'tenant', home.tenantId]]);
  await assert.rejects(create(viewer, { roles: ['viewer', 'operator'] }), problem('roles.1', /does not hold the role operator/));
  await assert.rejects(create(viewer, { roles: ['viewer', 'viewer'] }), problem('roles.1', /twice/));
  await assert.rejects(create(viewer, { roles: [] }), problem('roles', /empty/));
  await assert.rejects(create(viewer, { name: 'a\u0000b' }), problem('name', /not a name/));
  await assert.rejects(create(viewer, { expiresAt: clock.now() }), problem('expiresAt', /not in the future/));
  await assert.rejects(
    create(viewer, { name: '', roles: ['admin'], expiresAt: new Date(0) }),
    (error: ValidationError) => error.problems.length === 3,
  );
  await create(viewer, { expiresAt: new Date(clock.now().getTime() + 60_000) });
});

test('a key cannot make a stronger, wider or longer-lived key', async () => {
  const hour = new Date(clock.now().getTime() + 3_600_000);
  const weak = await signIn((await create(home.admin, { roles: ['viewer'], environmentId: home.staging, expiresAt: hour })).token);
  await assert.rejects(create(weak, { roles: ['admin'], environmentId: home.staging, expiresAt: hour }), ForbiddenError);
  await assert.rejects(create(weak, { expiresAt: hour }), ForbiddenError);
  await assert.rejects(create(weak, { environmentId: home.staging }), problem('expiresAt', /cannot outlive/));
  const same = await create(weak, { environmentId: home.staging, expiresAt: hour });
  assert.equal((await signIn(same.token)).principalId, home.admin.principalId);
});

test('a key for another principal needs key.manage on the tenant', async () => {
  const worker = await home.principal([['service', 'project', home.project]], 'worker');
  const projectAdmin = await home.principal([['admin', 'project', home.project]]);
  const input = { principalId: worker.principalId, roles: ['service'] as const };
  await assert.rejects(create(projectAdmin, input), /needs the permission key.manage/);
  const { token } = await create(home.admin, input);
  assert.equal((await signIn(token)).principalId, worker.principalId);
  await assert.rejects(create(home.admin, { principalId: people.other.admin.principalId }), NotFoundError);
  await assert.rejects(create(home.admin, { environmentId: people.other.staging }), NotFoundError);
  await assert.rejects(create(home.admin, { principalId: 'x' }), NotFoundError);
});

test('one revokes one’s own keys, others with key.manage; a weak key cannot end a strong one; it takes effect at once', async () => {
  const principal = await home.principal([['operator', 'tenant', home.tenantId]]);
  const strong = await create(principal, { roles: ['operator'] });
  const weak = await signIn((await create(principal)).token);
  const using = await signIn(strong.token);
  await assert.rejects(revoke(weak, strong.apiKey.id), ForbiddenError);
  await assert.rejects(revoke(await home.principal([['operator', 'tenant', home.tenantId]]), strong.apiKey.id), NotFoundError);
  await assert.rejects(revoke(people.other.admin, strong.apiKey.id, people.other), NotFoundError);
  const revoked = await revoke(home.admin, strong.apiKey.id);
  assert.deepEqual((await revoke(principal, strong.apiKey.id)).revokedAt, revoked.revokedAt, 'again: nothing changes');
  await assert.rejects(signIn(strong.token), /this API key was revoked at/);
  await assert.rejects(people.authenticator.refresh(using), /this API key was revoked at/);
  await revoke(weak, weak.apiKeyId!);
  await assert.rejects(people.authenticator.refresh(weak), UnauthenticatedError);
});

test('an expired key and the key of a disabled principal say so, to whoever knows the secret', async () => {
  const principal = await home.principal([['viewer', 'tenant', home.tenantId]]);
  const { token } = await create(principal, { expiresAt: new Date(clock.now().getTime() + 60_000) });
  const forever = (await create(principal)).token;
  const authority = await signIn(token);
  ahead += 60_001;
  await assert.rejects(signIn(token), /this API key expired at/);
  await assert.rejects(people.authenticator.refresh(authority), /expired at/);
  await home.write((uow) => people.principals.disablePrincipal(uow, home.admin, { principalId: principal.principalId }));
  await assert.rejects(signIn(forever), /this principal was disabled at/);
  await assert.rejects(create(home.admin, { principalId: principal.principalId }), InvalidStateError);
});

test('the last use is written at most once a minute, and failing to write it fails nothing', async () => {
  const { token, apiKey } = await create(home.admin);
  const lastUse = async () => {
    await people.authenticator.close();
    const [row] = await home.read((uow) => people.apiKeys.apiKeysByIds(uow, home.admin, [apiKey.id]));
    return row!.lastUsedAt?.getTime();
  };
  assert.equal(await lastUse(), undefined);
  await signIn(token);
  const first = await lastUse();
  assert.ok(first);
  await signIn(token);
  assert.equal(await lastUse(), first);
  ahead += 60_000;
  await signIn(token);
  const second = (await lastUse())!;
  assert.ok(second >= first + 60_000);

  ahead += 60_000;
  const warnings: string[] = [];
  const broken = { ...db.database, write: () => Promise.reject(new Error('disk full')) };
  const logger = { warn: (_: object, message: string) => void warnings.push(message) };
  const authenticator = createAuthenticator({ database: broken, clock, issuers: [], logger });
  await authenticator.authenticate(token);
  await authenticator.close();
  assert.equal(warnings.length, 1);
});

test('a list shows one’s own keys, with key.manage everybody’s, and never another tenant’s', async () => {
  const principal = await home.principal([['viewer', 'tenant', home.tenantId]]);
  const mine = [(await create(principal)).apiKey.id, (await create(principal)).apiKey.id].reverse();
  const list = (actor: Authority, request: object, where = home) =>
    where.read(async (uow) => (await people.apiKeys.listApiKeys(uow, actor, request)).rows.map(({ id }) => id));
  assert.deepEqual(await list(principal, {}), mine);
  assert.deepEqual(await list(home.admin, { principalId: principal.principalId, first: 1 }), mine.slice(0, 1));
  assert.deepEqual(await list(principal, { principalId: home.admin.principalId }), []);
  assert.deepEqual(await list(people.other.admin, { principalId: principal.principalId }, people.other), []);
  await revoke(principal, mine[0]!);
  assert.deepEqual(await list(principal, { revoked: false }), mine.slice(1));
  assert.deepEqual(await people.other.read((uow) => people.apiKeys.apiKeysByIds(uow, people.other.admin, mine)), []);
});
