// Two tenants on one server, and probes generated from the schema: whatever takes an id or a cursor is given one of the other tenant's,
// and must answer as it does for something that does not exist. New types and fields are probed as they appear.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { getNamedType } from 'graphql';
import { schema } from '#gateway/schema.ts';
import { parseGlobalId, toGlobalId } from '#schema/ids.ts';
import { newId } from '#src/platform/ids.ts';
import type { Authority } from '#src/authority/permission.ts';
import type { Answer, Caller } from '#test/harness/graphql.ts';
import { idPaths, requiredValues, selectionOf, withValue, type Field, type IdPath, type Place } from '#test/harness/schema-walk.ts';
import {
  assertSound,
  codesOf,
  mutations,
  nodeTypes,
  places,
  sample,
  twoTenants,
  without,
  type Side,
  type TwoTenants,
} from '#test/harness/two-tenants.ts';

let both: TwoTenants;
let nobody: Authority;
/** In the other tenant, but with a role on another project than everything that was seeded. */
let neighbour: Authority;

before(async () => {
  both = await twoTenants();
  nobody = await both.here.home.principal();
  neighbour = await both.there.home.principal([['admin', 'project', both.there.home.otherProject]]);
});
after(() => both.server.close());

const named = ({ typeName, field }: Place, { path }: IdPath) => `${typeName}.${field.name}(${path.join('.')})`;
const resultOf = ({ data }: Answer, { name }: Field) => data?.[name]?.__typename as string | undefined;

test('the walk finds what it should: ids in nested inputs, lists and arguments of objects', () => {
  const found = places.flatMap((place) => idPaths(place.field.args, nodeTypes).map((idPath) => named(place, idPath)));
  const expected = ['Query.node(id)', 'Query.nodes(ids)', 'Query.executions(filter.projectId)', 'Agent.deployments(environmentId)'];
  for (const place of [...expected, 'Viewer.can(projectId)']) assert.ok(found.includes(place), `${place} is not among ${found.join(', ')}`);
  const inMutations = mutations.flatMap((field) => idPaths(field.args, nodeTypes).map(({ path }) => `${field.name}.${path.join('.')}`));
  assert.ok(inMutations.includes('createPolicy.input.scope.agentId'));
});

test('every Node type has a seeded row, which its own tenant can read', async () => {
  assert.deepEqual(Object.keys(both.there.seed).sort(), [...nodeTypes].sort());
  for (const { home, idOf } of [both.here, both.there]) {
    const ids = nodeTypes.map(idOf);
    const { data, errors } = await both.server.gql(
      'query ($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }',
      { ids },
      { as: home.adminKey },
    );
    assert.equal(errors, undefined);
    assert.deepEqual(
      data!['nodes'],
      nodeTypes.map((type, i) => ({ __typename: type, id: ids[i] })),
    );
  }
});

for (const type of nodeTypes) {
  test(`node: a foreign ${type} is null, as an absent one is; one's own shows nothing foreign`, async () => {
    const query = `query ($id: ID!) { node(id: $id) ${selectionOf(schema, schema.getType('Node')!, 1)} }`;
    for (const id of [both.there.idOf(type), toGlobalId(type, newId())]) {
      const answer = await both.server.gql(query, { id });
      assert.deepEqual([answer.data, answer.errors], [{ node: null }, undefined]);
    }
    const own = await both.server.gql(query, { id: both.here.idOf(type) });
    assertSound(own);
    assert.ok(own.data!['node']);
    assert.deepEqual(both.leaksIn(own), []);
  });
}

/** Asks one place for this id, of which its own tenant and others see what `as` may see. */
async function ask(side: Side, place: Place, idPath: IdPath, id: string, as?: Caller) {
  const values = withValue(requiredValues(place.field.args, sample, side.idOf), idPath.path, idPath.isList ? [id] : id);
  const answer = await both.read(side, place, values, as);
  assertSound(answer);
  return { answer, comparable: without(answer, id) };
}

test('every place of the read side that takes an id answers for a foreign one as for none', async (t) => {
  const { here, there } = both;
  for (const place of places) {
    for (const idPath of idPaths(place.field.args, nodeTypes)) {
      for (const type of idPath.types) {
        await t.test(`${named(place, idPath)} with a ${type}`, async () => {
          const [id, absentId] = [there.idOf(type), toGlobalId(type, newId())];
          const [foreign, absent] = [await ask(here, place, idPath, id), await ask(here, place, idPath, absentId)];
          assert.deepEqual(foreign.comparable, absent.comparable);
          assert.deepEqual(both.leaksIn(foreign.answer, [id]), []);
          // The probe would prove nothing if the argument made no difference to those who may see.
          const [theirs, absentThere] = [await ask(there, place, idPath, id), await ask(there, place, idPath, absentId)];
          assert.notDeepEqual(theirs.comparable, absentThere.comparable, 'the argument makes no difference');
        });
      }
    }
  }
});

/** Types whose seeded row lies in the first project, or on it. */
const inProject = [
  'Project',
  'Environment',
  'Agent',
  'AgentVersion',
  'Deployment',
  'Execution',
  'Signal',
  'Approval',
  'Decision',
  'ToolCall',
  'RoleGrant',
  'ApiKey',
  'DataGrant',
];

test('within a tenant, what lies in a project that one may not see answers as what does not exist', async (t) => {
  for (const place of places) {
    for (const idPath of idPaths(place.field.args, nodeTypes)) {
      for (const type of idPath.types.filter((each) => inProject.includes(each))) {
        await t.test(`${named(place, idPath)} with a ${type}`, async () => {
          const answerFor = async (id: string) => (await ask(both.there, place, idPath, id, neighbour)).comparable;
          assert.deepEqual(await answerFor(both.there.idOf(type)), await answerFor(toGlobalId(type, newId())));
        });
      }
    }
  }
});

test('every list continues behind a foreign cursor as behind one of no row, and shows nothing foreign', async (t) => {
  const { here, there } = both;
  for (const place of places) {
    if (!getNamedType(place.field.type).name.endsWith('Connection')) continue;
    await t.test(`${place.typeName}.${place.field.name}(after)`, async () => {
      const theirs = await both.read(there, place, { first: 1 });
      const cursor = /"\w+Edge_cursor":"([^"]+)"/.exec(JSON.stringify(theirs.data))?.[1];
      assert.ok(cursor, 'the other tenant has no row here: seed one');
      const behind = await both.read(here, place, { after: cursor });
      assertSound(behind);
      assert.deepEqual(both.leaksIn(behind), []);
      const [list, id] = Buffer.from(cursor, 'base64url').toString().split(':') as [string, string];
      if (/^\d+$/.test(id)) return; // a position, the same in every tenant
      const beside = `${list}:${id.replace(/.$/, (last) => (last === '0' ? '1' : '0'))}`;
      assert.deepEqual(behind, await both.read(here, place, { after: Buffer.from(beside).toString('base64url') }));
    });
  }
});

/** These name other tenants on purpose, for the operator alone: permissions.test.ts. */
const operatorsVerbs = ['archiveTenant', 'restoreTenant'];

test('every mutation answers for a foreign id with NotFoundError, as for an absent one, and changes nothing there', async (t) => {
  const { here, there } = both;
  const untouched = await both.snapshot(there.home);
  for (const field of mutations.filter(({ name }) => !operatorsVerbs.includes(name))) {
    for (const at of idPaths(field.args, nodeTypes)) {
      for (const type of at.types) {
        await t.test(`${field.name}(${at.path.join('.')}) with a ${type}`, async () => {
          const [id, absentId] = [there.idOf(type), toGlobalId(type, newId())];
          const foreign = await both.mutate(field, here, { at, value: id });
          assertSound(foreign);
          assert.equal(resultOf(foreign, field), 'NotFoundError', JSON.stringify(foreign));
          assert.deepEqual(without(foreign, id), without(await both.mutate(field, here, { at, value: absentId }), absentId));
          assert.deepEqual(both.leaksIn(foreign, [id]), []);
        });
      }
    }
  }
  assert.deepEqual(await both.snapshot(there.home), untouched);
});

test('within a tenant, no mutation reaches into a project that one may not see', async (t) => {
  const untouched = await both.snapshot(both.there.home);
  for (const field of mutations) {
    for (const at of idPaths(field.args, nodeTypes)) {
      for (const type of at.types.filter((each) => inProject.includes(each))) {
        await t.test(`${field.name}(${at.path.join('.')}) with a ${type}`, async () => {
          const [id, absentId] = [both.there.idOf(type), toGlobalId(type, newId())];
          const hidden = await both.mutate(field, both.there, { at, value: id }, neighbour);
          assertSound(hidden);
          assert.ok(['NotFoundError', 'ForbiddenError'].includes(resultOf(hidden, field)!), JSON.stringify(hidden));
          assert.deepEqual(
            without(hidden, id),
            without(await both.mutate(field, both.there, { at, value: absentId }, neighbour), absentId),
          );
        });
      }
    }
  }
  assert.deepEqual(await both.snapshot(both.there.home), untouched);
});

test('whoever holds no role is refused by every mutation, and nothing changes', async (t) => {
  const untouched = await both.snapshot(both.here.home);
  for (const field of mutations) {
    await t.test(field.name, async () => {
      const answer = await both.mutate(field, both.here, null, nobody);
      assertSound(answer);
      const { authScopes } = field.extensions['pothosOptions'] as { authScopes: { authenticated?: true } };
      // What anyone may do for themselves is refused by what they lack, in the field's own words.
      const refusals = ['ForbiddenError', 'NotFoundError', ...(authScopes.authenticated ? ['ValidationError'] : [])];
      assert.ok(refusals.includes(resultOf(answer, field)!), JSON.stringify(answer));
    });
  }
  assert.deepEqual(await both.snapshot(both.here.home), untouched);
});

test('whoever holds no role is refused by every query, or is shown nothing but themselves', async (t) => {
  const mine = await both.idsOf(both.here.home);
  const { principalId, tenantId } = nobody;
  for (const field of Object.values(schema.getQueryType()!.getFields())) {
    await t.test(field.name, async () => {
      const place: Place = { typeName: 'Query', field, path: [], rootType: null };
      const answer = await both.read(both.here, place, requiredValues(field.args, sample, both.here.idOf), nobody);
      const shown = (JSON.stringify(answer.data).match(/[A-Za-z0-9+/]{30,}=*/g) ?? []).flatMap((word) => parseGlobalId(word)?.id ?? []);
      assert.deepEqual(
        shown.filter((id) => mine.has(id) && id !== principalId && id !== tenantId),
        [],
      );
      assert.ok(
        codesOf(answer).every((code) => code === 'FORBIDDEN'),
        JSON.stringify(answer.errors),
      );
    });
  }
});

test('without a credential every query and mutation is answered 401 alike', async () => {
  const answers = new Set<string>();
  for (const { name } of [...Object.values(schema.getQueryType()!.getFields()), ...mutations]) {
    answers.add(JSON.stringify(await both.server.gql(`{ ${name} }`, {}, { as: null })));
  }
  assert.equal(answers.size, 1);
  assert.match([...answers][0]!, /"status":401.*UNAUTHENTICATED/);
});
