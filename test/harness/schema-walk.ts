// Walks the GraphQL schema and writes operations for it: which inputs take ids, values that fit, and selections that show everything.
import {
  getNamedType,
  getNullableType,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isLeafType,
  isListType,
  isNonNullType,
  isObjectType,
  isUnionType,
  type GraphQLArgument,
  type GraphQLField,
  type GraphQLInputField,
  type GraphQLInputType,
  type GraphQLNamedType,
  type GraphQLSchema,
} from 'graphql';
import { acceptedTypesOf } from '#schema/ids.ts';

export type Field = GraphQLField<unknown, unknown>;
type Input = GraphQLArgument | GraphQLInputField;

/** Types whose ids this input takes; empty = any; undefined when it takes none. */
export function idTypesOf(input: Input): readonly string[] | undefined {
  const { schemas = [] } = (input.extensions['@pothos/plugin-validation'] ?? {}) as { schemas?: object[] };
  return schemas.map(acceptedTypesOf).find((types) => types !== undefined);
}

export interface IdPath {
  /** Of argument and input fields, from the outside in. */
  readonly path: readonly string[];
  readonly types: readonly string[];
  readonly isList: boolean;
}

/** Every place among these inputs where an id goes in. */
export function idPaths(inputs: readonly Input[], nodeTypes: readonly string[], above: readonly string[] = []): IdPath[] {
  return inputs.flatMap((input): IdPath[] => {
    const path = [...above, input.name];
    const types = idTypesOf(input);
    if (types) return [{ path, types: types.length > 0 ? types : nodeTypes, isList: isListType(getNullableType(input.type)) }];
    const type = getNamedType(input.type);
    if (!isInputObjectType(type)) return [];
    return idPaths(Object.values(type.getFields()), nodeTypes, path);
  });
}

export type Values = Record<string, unknown>;
/** A fitting value for a required input of this name, or undefined for the ordinary one of its type. */
export type Sample = (input: { readonly name: string; readonly typeName: string; readonly path: string }) => unknown;

/** Values for all required inputs. */
export function requiredValues(inputs: readonly Input[], sample: Sample, idOf: (type: string) => string, above = ''): Values {
  return Object.fromEntries(
    inputs.filter(({ type }) => isNonNullType(type)).map((input) => [input.name, valueFor(input, sample, idOf, above)]),
  );
}

function valueFor(input: Input, sample: Sample, idOf: (type: string) => string, above: string): unknown {
  const path = above ? `${above}.${input.name}` : input.name;
  const type = getNamedType(input.type);
  const given = sample({ name: input.name, typeName: type.name, path });
  if (given !== undefined) return given;
  const types = idTypesOf(input);
  const one = types ? idOf(types[0] ?? 'Project') : plainValue(type, sample, idOf, path);
  return isListType(getNullableType(input.type)) ? [one] : one;
}

function plainValue(type: GraphQLNamedType, sample: Sample, idOf: (type: string) => string, path: string): unknown {
  if (isEnumType(type)) return type.getValues()[0]!.name;
  if (isInputObjectType(type)) return requiredValues(Object.values(type.getFields()), sample, idOf, path);
  const values: Values = { String: 'sample', Int: 1, Float: 1, Boolean: true, JSON: {}, DateTime: '2026-01-01T00:00:00Z' };
  if (!(type.name in values)) throw new Error(`no sample value for ${type.name} at ${path}`);
  return values[type.name];
}

/** `values` with the objects on the way to `path`, each with what it requires; a list in between gets one. */
export function withObjects(
  inputs: readonly Input[],
  values: Values,
  path: readonly string[],
  sample: Sample,
  idOf: (type: string) => string,
): Values {
  const [name, ...rest] = path;
  const type = getNamedType(inputs.find((input) => input.name === name)!.type);
  if (rest.length === 0 || !isInputObjectType(type)) return values;
  const inner = Object.values(type.getFields());
  const given = onlyOne(values[name!]) ?? requiredValues(inner, sample, idOf, 'input');
  return { ...values, [name!]: withObjects(inner, given, rest, sample, idOf) };
}

/** Of a list of objects the first: GraphQL takes one object for a list of it. */
const onlyOne = (value: unknown): Values | undefined => (Array.isArray(value) ? value[0] : value) as Values | undefined;

/** `values` with `value` at `path`; objects in between are made. */
export function withValue(values: Values, path: readonly string[], value: unknown): Values {
  const [name, ...rest] = path;
  return { ...values, [name!]: rest.length === 0 ? value : withValue(onlyOne(values[name!]) ?? {}, rest, value) };
}

const hasRequired = (field: Field) => field.args.some(({ type, defaultValue }) => isNonNullType(type) && defaultValue === undefined);

/** Everything that can be selected without arguments, `depth` objects deep; aliased by type so that fragments never collide. */
export function selectionOf(schema: GraphQLSchema, type: GraphQLNamedType, depth: number): string {
  if (isUnionType(type) || isInterfaceType(type)) {
    const parts = schema.getPossibleTypes(type).map((each) => `... on ${each.name} ${selectionOf(schema, each, depth)}`);
    return `{ __typename ${parts.join(' ')} }`;
  }
  if (!isObjectType(type)) return '';
  const parts = Object.values(type.getFields()).flatMap((field): string[] => {
    const inner = getNamedType(field.type);
    if (hasRequired(field)) return [];
    const alias = `${type.name}_${field.name}: ${field.name}`;
    if (isLeafType(inner)) return [alias];
    const isPlumbing = /(Connection|Edge)$/.test(inner.name) || inner.name === 'PageInfo';
    if (!isPlumbing && depth === 0) return [];
    return [`${alias} ${selectionOf(schema, inner, isPlumbing ? depth : depth - 1)}`];
  });
  return `{ __typename ${parts.join(' ')} }`;
}

/** `(name: $name …)` and its declaration, for the arguments that have values. */
export function argumentsOf(field: Field, values: Values): { readonly use: string; readonly declare: string } {
  const args = field.args.filter(({ name }) => values[name] !== undefined);
  if (args.length === 0) return { use: '', declare: '' };
  const use = args.map(({ name }) => `${name}: $${name}`).join(', ');
  const declare = args.map(({ name, type }) => `$${name}: ${typeText(type)}`).join(', ');
  return { use: `(${use})`, declare };
}

const typeText = (type: GraphQLInputType): string => String(type);

export interface Place {
  /** Type that declares the field. */
  readonly typeName: string;
  readonly field: Field;
  /** Field names from the root object to that type, then the field itself is added. */
  readonly path: readonly string[];
  /** A Node type fetched by `node(id: $root)`, or null when the path starts at Query. */
  readonly rootType: string | null;
}

/** Every field of the read side that takes arguments, with a way to get there. */
export function placesWithArguments(schema: GraphQLSchema, nodeTypes: readonly string[]): Place[] {
  const places: Place[] = [];
  const seen = new Set<string>();
  const queue: { typeName: string; path: readonly string[]; rootType: string | null }[] = [
    { typeName: 'Query', path: [], rootType: null },
    ...nodeTypes.map((typeName) => ({ typeName, path: [], rootType: typeName })),
  ];
  for (let at = queue.shift(); at; at = queue.shift()) {
    const type = schema.getType(at.typeName);
    if (seen.has(at.typeName) || !isObjectType(type)) continue;
    seen.add(at.typeName);
    for (const field of Object.values(type.getFields())) {
      if (field.args.length > 0) places.push({ ...at, field });
      const inner = getNamedType(field.type);
      if (!hasRequired(field) && isObjectType(inner)) queue.push({ ...at, typeName: inner.name, path: [...at.path, field.name] });
    }
  }
  return places;
}

/** The operation that reads one place. */
export function readOperation(schema: GraphQLSchema, { field, path, rootType }: Place, values: Values, depth = 1): string {
  const { use, declare } = argumentsOf(field, values);
  const inner = `${field.name}${use} ${selectionOf(schema, getNamedType(field.type), depth)}`;
  const nested = path.reduceRight((text, name) => `${name} { ${text} }`, inner);
  const body = rootType === null ? nested : `node(id: $root) { ... on ${rootType} { ${nested} } }`;
  const declared = [rootType === null ? '' : '$root: ID!', declare].filter(Boolean).join(', ');
  return `query${declared && ` (${declared})`} { ${body} }`;
}
