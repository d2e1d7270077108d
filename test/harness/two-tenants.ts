// Two seeded tenants on one server, and what isolation tests need: fitting inputs, and finding the other tenant in an answer.
import assert from 'node:assert/strict';
import { getNamedType, type GraphQLInputObjectType } from 'graphql';
import { schema } from '#gateway/schema.ts';
import { parseGlobalId, toGlobalId } from '#schema/ids.ts';
import { newId } from '#src/platform/ids.ts';
import { testServer, type Answer, type Caller, type TestServer } from './graphql.ts';
import type { Home } from './people.ts';
import {
  placesWithArguments,
  readOperation,
  requiredValues,
  withObjects,
  withValue,
  type Field,
  type IdPath,
  type Place,
  type Sample,
  type Values,
} from './schema-walk.ts';
import { definition, seedTenants, type Seed } from './seed.ts';

export interface Side {
  readonly home: Home;
  readonly seed: Seed;
  idOf(type: string): string;
}

export const nodeTypes = schema.getPossibleTypes(schema.getType('Node') as never).map(({ name }) => name);
export const places = placesWithArguments(schema, nodeTypes);
export const mutations: Field[] = Object.values(schema.getMutationType()!.getFields());
export const subscriptions: Field[] = Object.values(schema.getSubscriptionType()!.getFields());

export interface TwoTenants {
  readonly server: TestServer;
  readonly here: Side;
  readonly there: Side;
  /** Ids of the other tenant in an answer, whether bare, in global ids, or in cursors; `given` ones may be repeated. */
  leaksIn(answer: unknown, given?: readonly string[]): string[];
  /** Takes what the other tenant has got since into account, too. */
  learn(): Promise<void>;
  idsOf(home: Home): Promise<Set<string>>;
  /** All rows of a tenant, to be compared; without when keys were last used. */
  snapshot(home: Home): Promise<Record<string, unknown>>;
  read(side: Side, place: Place, values: Values, as?: Caller): Promise<Answer>;
  /** A mutation with everything it requires, and this id at this place. */
  mutate(field: Field, side: Side, id?: { readonly at: IdPath; readonly value: string } | null, as?: Caller): Promise<Answer>;
}

const uuids = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g;

/** In cursors of streams, and nowhere else: after everything of a transaction. No row has it as its id (those are version 7). */
const endOfFeed = 'ffffffff-ffff-ffff-ffff-ffffffffffff';
const place = /^[a-z]+:[^:]+:\d+:[^:]+:\d+$/;

export async function twoTenants(): Promise<TwoTenants> {
  const unlimited = { queryDepth: 100, queryAliases: 10_000, queryTokens: 1_000_000, queryFields: 10_000_000, queryCost: 10_000_000 };
  const server = await testServer({ limits: unlimited });
  const { operator, other } = server.people;
  const [mine, theirs] = await seedTenants(server.database, server.ownerUrl, [operator, other]);
  const side = (home: Home, seed: Seed): Side => ({ home, seed, idOf: (type) => toGlobalId(type, seed[type]!) });

  const tables = () =>
    server.database.orm.em
      .getConnection()
      .execute<{ name: string }[]>(`select table_name as name from information_schema.columns where column_name = 'tenant_id' order by 1`);

  async function idsOf({ read }: Home): Promise<Set<string>> {
    const ids = new Set<string>();
    for (const { name } of await tables()) {
      for (const { row } of await read((uow) => uow.rows<{ row: string }>(`select t::text as row from "${name}" t`))) {
        for (const [id] of row.matchAll(uuids)) ids.add(id);
      }
    }
    return ids;
  }
  let foreign = await idsOf(other);
  assert.ok(foreign.size > nodeTypes.length);

  return {
    server,
    here: side(operator, mine!),
    there: side(other, theirs!),
    idsOf,
    async learn() {
      foreign = await idsOf(other);
    },
    leaksIn(answer, given = []) {
      const text = JSON.stringify(answer);
      const words = (text.match(/[A-Za-z0-9+/_-]{30,}=*/g) ?? []).map((word) => Buffer.from(word, 'base64').toString());
      const decoded = words.map((word) => (place.test(word) ? word.replace(endOfFeed, '') : word));
      const found = [text, ...decoded].flatMap((part) => part.match(uuids) ?? []);
      const allowed = new Set(given.flatMap((id) => [id, parseGlobalId(id)?.id ?? id]));
      return found.filter((id) => foreign.has(id) && !allowed.has(id));
    },
    async snapshot({ read }) {
      const rows: Record<string, unknown> = {};
      for (const { name } of await tables()) {
        rows[name] = await read((uow) => uow.rows(`select to_jsonb(t) - 'last_used_at' as row from "${name}" t order by 1`));
      }
      return rows;
    },
    read(at, place, values, as = at.home.adminKey) {
      const root = place.rootType === null ? {} : { root: at.idOf(place.rootType) };
      return server.gql(readOperation(schema, place, values), { ...values, ...root }, { as });
    },
    mutate(field, at, id = null, as = at.home.adminKey) {
      const input = getNamedType(field.args[0]!.type) as GraphQLInputObjectType;
      let values: Values = { input: requiredValues(Object.values(input.getFields()), sample, at.idOf, 'input') };
      if (id) {
        values = withObjects(field.args, values, id.at.path, sample, at.idOf);
        values = withValue(values, id.at.path, id.at.isList ? [id.value] : id.value);
      }
      const query = `mutation ($input: ${input.name}!) { ${field.name}(input: $input) { __typename ... on Error { code message } } }`;
      return server.gql(query, values, { as });
    },
  };
}

/** Two answers that should differ in nothing but the id that was asked for. */
export function without(answer: Pick<Answer, 'data' | 'errors'>, id: string): unknown {
  const uuid = parseGlobalId(id)?.id ?? id;
  const text = JSON.stringify({ data: answer.data, errors: answer.errors });
  return JSON.parse(text.replaceAll(id, 'ID').replaceAll(uuid, 'ID').replace(defaultPeriod, '$1NOW"'));
}
/** A period that was not asked for ends now. */
const defaultPeriod = /(_(?:since|until)":")[^"]+"/g;

export const codesOf = ({ errors }: Pick<Answer, 'errors'>) => errors?.map(({ extensions }) => extensions.code) ?? [];

/** The probe itself was right, and nothing broke: else its answer would say nothing. */
export function assertSound(answer: Answer): void {
  assert.ok(!codesOf(answer).some((code) => unsound.has(code)), JSON.stringify(answer.errors));
}
const unsound = new Set(['INTERNAL', 'GRAPHQL_VALIDATION_FAILED', 'BAD_USER_INPUT', 'LIMIT_EXCEEDED', 'GRAPHQL_PARSE_FAILED']);

/** What the API asks for beyond what the types say. */
export const sample: Sample = ({ name, typeName, path }) => {
  if (name === 'definition') return definition('seeded').replace('1.0.0', '9.9.9');
  if (name === 'document') return 'name: sample\nkind: tool_access\nrules: [{ effect: deny, tools: [nothing.*] }]\n';
  if (name === 'version' && typeName === 'String') return '1.0.0';
  if (name === 'data' && typeName === 'String') return 'dataset:sample';
  if (name === 'name' && typeName === 'String') return `sample-${newId().slice(-12)}`;
  if (name === 'expectedDigest') return '0'.repeat(64);
  if (name === 'rules') return [{ effect: 'deny', tools: ['nothing.*'] }];
  if (typeName === 'PolicyKind' && path.startsWith('input')) return 'TOOL_ACCESS';
  if (typeName === 'Role') return name === 'roles' ? ['VIEWER'] : 'VIEWER';
  if (typeName === 'Permission') return 'PROJECT_READ';
  return undefined;
};
