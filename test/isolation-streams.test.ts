// Streams between two tenants, generated from the schema: no subscription delivers, names or continues anything of another tenant.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { getNamedType } from 'graphql';
import { schema } from '#gateway/schema.ts';
import { parseGlobalId, toGlobalId } from '#schema/ids.ts';
import { newId } from '#src/platform/ids.ts';
import type { Answer, Caller } from '#test/harness/graphql.ts';
import { idPaths, requiredValues, selectionOf, withValue, type Field, type Values } from '#test/harness/schema-walk.ts';
import { startSeeded } from '#test/harness/seed.ts';
import { codesOf, nodeTypes, sample, subscriptions, twoTenants, without, type Side, type TwoTenants } from '#test/harness/two-tenants.ts';

let both: TwoTenants;
before(async () => {
  both = await twoTenants();
});
after(() => both.server.close());

const required = (field: Field, side: Side) => requiredValues(field.args, sample, side.idOf);

/** Opens a subscription; `results` grows as they come. */
function watch(field: Field, values: Values, as: Caller) {
  const used = field.args.filter(({ name }) => values[name] !== undefined);
  const use = used.length > 0 ? `(${used.map(({ name }) => `${name}: $${name}`).join(', ')})` : '';
  const declare = used.length > 0 ? `(${used.map(({ name, type }) => `$${name}: ${String(type)}`).join(', ')})` : '';
  const selection = selectionOf(schema, getNamedType(field.type), 2);
  const stream = both.server.subscribe(`subscription ${declare} { ${field.name}${use} ${selection} }`, values, { as });
  const results: Answer[] = [];
  let arrived = Promise.withResolvers<boolean>();
  const pump = async () => {
    for await (const result of stream) {
      results.push(result as Answer);
      arrived.resolve(true);
      arrived = Promise.withResolvers();
    }
  };
  pump().then(
    () => arrived.resolve(false),
    (error: unknown) => arrived.reject(error),
  );
  return {
    results,
    async until(holds: () => boolean) {
      while (!holds()) if (!(await arrived.promise)) throw new Error(`${field.name} ended with ${JSON.stringify(results.at(-1))}`);
    },
    close: () => stream.return!(),
  };
}

/** Something new happens in a tenant: an execution starts, which is audited, and an approval is requested for it. */
async function commotion({ home, seed }: Side): Promise<{ execution: string; approval: string }> {
  const { approvals, events, audit } = both.server.services;
  const execution = await startSeeded(both.server.services, home, home.admin, seed['Agent']!);
  const approval = await home.write(async (uow) => {
    const subject = {
      ...{ tenantId: home.tenantId, executionId: execution, stepId: 'sign_off', itemIndex: null, agentVersionDigest: 'seeded' },
      ...{ tool: null, toolDigest: null, arguments: {}, policies: [] },
    };
    const asked = await approvals.request(uow, {
      ...{ projectId: home.project, environmentId: home.staging, teamId: home.team, agentId: seed['Agent']!, source: 'step', risk: 'high' },
      ...{ title: 'Go on?', reason: '', subject, requestedBy: home.admin.principalId, expiresInMs: 60_000 },
    });
    const data = { stepId: 'sign_off', itemIndex: null, approvalId: asked.id, expiresAt: asked.expiresAt.toISOString() };
    await events.append(uow, execution, 2, [{ type: 'approval.requested', data } as never]);
    const origin = { address: null, userAgent: null, traceId: newId() };
    const audited = { action: 'startExecution', subject: { type: 'Execution', id: execution }, beforeDigest: null, afterDigest: null };
    audit.record(uow, home.admin, { ...audited, place: { projectId: home.project }, origin });
    return asked.id;
  });
  return { execution, approval };
}

/** Ids of executions and approvals in what was delivered. */
function seen(results: readonly Answer[]): Set<string> {
  const words = JSON.stringify(results).match(/[A-Za-z0-9+/]{30,}=*/g) ?? [];
  const ids = words.map(parseGlobalId).filter((id) => id?.typename === 'Execution' || id?.typename === 'Approval');
  return new Set(ids.map((id) => id!.id));
}

const isOfOne = ({ args }: Field) => idPaths(args, nodeTypes).some(({ path }) => path.length === 1 && isRequired(args, path[0]!));
const isRequired = (args: Field['args'], name: string) => String(args.find((arg) => arg.name === name)!.type).endsWith('!');

test('every subscription that requires an id refuses a foreign one as an absent one', async (t) => {
  assert.ok(subscriptions.some(isOfOne));
  for (const field of subscriptions.filter(isOfOne)) {
    for (const idPath of idPaths(field.args, nodeTypes).filter(({ path }) => isRequired(field.args, path[0]!))) {
      await t.test(`${field.name}(${idPath.path.join('.')})`, async () => {
        const first = async (id: string) => {
          const watched = watch(field, withValue(required(field, both.here), idPath.path, id), both.here.home.adminKey);
          await watched.until(() => watched.results.length > 0);
          await watched.close();
          assert.deepEqual(codesOf(watched.results[0]!), ['NOT_FOUND']);
          return without(watched.results[0]!, id);
        };
        const [type] = idPath.types as [string];
        assert.deepEqual(await first(both.there.idOf(type)), await first(toGlobalId(type, newId())));
      });
    }
  }
});

test('no subscription delivers anything of another tenant, whatever its filter names', async (t) => {
  const { here, there } = both;
  for (const field of subscriptions.filter((each) => !isOfOne(each))) {
    await t.test(field.name, async () => {
      const as = here.home.adminKey;
      const all = watch(field, required(field, here), as);
      const filtered = idPaths(field.args, nodeTypes).flatMap((idPath) =>
        idPath.types.map((type) => watch(field, withValue(required(field, here), idPath.path, there.idOf(type)), as)),
      );
      const theirs = watch(field, required(field, there), there.home.adminKey);
      // What happens before a subscription has begun is no business of some: make noise until the owner has heard it.
      const heard = async (side: Side, watched: ReturnType<typeof watch>) => {
        for (;;) {
          const { execution, approval } = await commotion(side);
          const before = watched.results.length;
          const isHeard = () => seen(watched.results).has(execution) || seen(watched.results).has(approval);
          const waited = new Promise((resolve) => setTimeout(resolve, 1_000));
          await Promise.race([watched.until(isHeard), waited]);
          if (isHeard() || watched.results.length > before) return;
        }
      };
      await heard(there, theirs);
      await heard(here, all);
      await both.learn();
      assert.deepEqual(both.leaksIn(all.results), []);
      for (const { results } of filtered)
        assert.deepEqual([both.leaksIn(results), [...seen(results)], results.flatMap(codesOf)], [[], [], []]);
      await Promise.all([all, theirs, ...filtered].map((each) => each.close()));
    });
  }
});

test('a cursor of a foreign stream opens nothing', async (t) => {
  for (const field of subscriptions.filter(({ args }) => args.some(({ name }) => name === 'after'))) {
    await t.test(field.name, async () => {
      const theirs = watch(field, required(field, both.there), both.there.home.adminKey);
      await theirs.until(() => theirs.results.length > 0);
      await theirs.close();
      // Of the batch, not of a list within it.
      const ofBatch = new RegExp(`"${getNamedType(field.type).name}_cursor":"([^"]+)"`);
      const cursor = ofBatch.exec(JSON.stringify(theirs.results[0]))![1]!;
      const mine = watch(field, { ...required(field, both.here), after: cursor }, both.here.home.adminKey);
      await commotion(both.here);
      await mine.until(() => mine.results.length > 0);
      await mine.close();
      assert.deepEqual(both.leaksIn(mine.results), []);
      if (isOfOne(field)) assert.deepEqual(codesOf(mine.results[0]!), ['INVALID_CURSOR']);
    });
  }
});
