// Cases as GraphQL operations, run in this process as the gateway runs them, and what the schema has that no case asks for.
import {
  execute,
  getNamedType,
  isInputObjectType,
  isLeafType,
  isObjectType,
  parse,
  type DocumentNode,
  type GraphQLField,
  type GraphQLObjectType,
} from 'graphql';
import { openOperation } from '#gateway/operation.ts';
import { schema } from '#gateway/schema.ts';
import type { Services } from '#src/app.ts';
import type { Database } from '#src/platform/database.ts';
import type { Authority } from '#src/authority/permission.ts';
import { ofOne, ofOneExecution, type ReadCase } from './cases.ts';

export const pageSize = 20;

const fieldOf = (name: string): GraphQLField<unknown, unknown> => {
  const [type, field] = name.split('.') as [string, string];
  return (schema.getType(type) as GraphQLObjectType).getFields()[field]!;
};
const isConnection = (field: GraphQLField<unknown, unknown>) => getNamedType(field.type).name.endsWith('Connection');

/** What a case of the schema's would have to name, as in "Query.executions(filter.status)". */
export function missingCases(cases: readonly ReadCase[]): string[] {
  const used = new Set<string>();
  for (const { field, args } of cases) {
    used.add(field);
    for (const [name, value] of Object.entries(args)) {
      used.add(`${field}(${name})`);
      if (name === 'filter') for (const each of Object.keys(value as object)) used.add(`${field}(filter.${each})`);
    }
  }
  const wanted = Object.values(schema.getTypeMap())
    .filter(isObjectType)
    .filter(({ name }) => !/^__|^(Mutation|Subscription)$/.test(name))
    .flatMap((type) =>
      Object.values(type.getFields()).flatMap((field) => {
        const name = `${type.name}.${field.name}`;
        if (ofOne.has(name) || ofOneExecution.has(name) || (type.name !== 'Query' && !isConnection(field))) return [];
        const args = field.args.flatMap((arg) => {
          const input = getNamedType(arg.type);
          if (!isInputObjectType(input)) return ['first', 'after'].includes(arg.name) ? [] : [`${name}(${arg.name})`];
          return Object.keys(input.getFields()).map((each) => `${name}(${arg.name}.${each})`);
        });
        return [name, ...args];
      }),
    );
  return wanted.filter((name) => !used.has(name));
}

/** Everything of a type that needs no argument, and no node. */
function figuresOf(type: GraphQLObjectType, depth = 3): string {
  const fields = Object.values(type.getFields()).flatMap((field) => {
    const own = getNamedType(field.type);
    if (field.args.length > 0) return [];
    if (isLeafType(own)) return [field.name];
    const isNode = !isObjectType(own) || own.getInterfaces().some(({ name }) => name === 'Node');
    return isNode || depth === 0 ? [] : [`${field.name} ${figuresOf(own, depth - 1)}`];
  });
  return `{ __typename ${fields.join(' ')} }`;
}

const documents = new Map<string, DocumentNode>();

function documentOf({ field: name, args, of }: ReadCase): DocumentNode {
  const key = `${name}(${Object.keys(args).join()})`;
  const known = documents.get(key);
  if (known) return known;
  const [type, fieldName] = name.split('.') as [string, string];
  const field = fieldOf(name);
  const given = field.args.filter((arg) => arg.name in args);
  const page = isConnection(field) ? [`first: ${pageSize}`] : [];
  const list = [...page, ...given.map((arg) => `${arg.name}: $${arg.name}`)];
  const result = getNamedType(field.type) as GraphQLObjectType;
  const selection = isConnection(field) ? '{ edges { cursor node { __typename } } pageInfo { hasNextPage endCursor } }' : figuresOf(result);
  const asked = `${fieldName}${list.length > 0 ? `(${list.join(', ')})` : ''} ${selection}`;
  const nested = type === 'Step' ? `... on Execution { steps { ${asked} } }` : `... on ${type} { ${asked} }`;
  const variables = [...(of ? ['$id: ID!'] : []), ...given.map((arg) => `$${arg.name}: ${String(arg.type)}`)];
  const head = variables.length > 0 ? `query (${variables.join(', ')})` : 'query';
  const document = parse(`${head} { ${of ? `node(id: $id) { ${nested} }` : asked} }`);
  documents.set(key, document);
  return document;
}

export interface Reader {
  readonly services: Services;
  readonly database: Database;
  readonly authority: Authority;
}

/** Runs a case as a request would be; throws when it is refused. */
export async function runCase({ services, database, authority }: Reader, { of, ...asked }: ReadCase): Promise<Record<string, unknown>> {
  const origin = { address: null, userAgent: null, traceId: null };
  const operation = openOperation({ services, database, authority, origin, signal: new AbortController().signal });
  try {
    const variableValues = { ...asked.args, id: of };
    const document = documentOf({ ...asked, of });
    const result = await execute({ schema, document, variableValues, contextValue: operation.context });
    if (result.errors) throw new AggregateError(result.errors, `${asked.field} (${asked.name}): ${result.errors[0]!.message}`);
    return result.data!;
  } finally {
    await operation.close();
  }
}

/** Rows of the page in an answer; null for figures. */
export function rowsIn(answer: unknown): number | null {
  if (typeof answer !== 'object' || answer === null) return null;
  if ('edges' in answer && Array.isArray(answer.edges)) return answer.edges.length;
  for (const value of Object.values(answer)) {
    const rows = rowsIn(value);
    if (rows !== null) return rows;
  }
  return null;
}
