// Rules that every type and field of the API keeps, whoever adds it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  getNamedType,
  getNullableType,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isNonNullType,
  isObjectType,
  isSpecifiedScalarType,
  isUnionType,
  validateSchema,
  type GraphQLNamedType,
} from 'graphql';
import { schema } from '#gateway/schema.ts';
import { permissions } from '#src/authority/permission.ts';
import { idTypesOf } from '#test/harness/schema-walk.ts';

const types = Object.values(schema.getTypeMap()).filter((type) => !type.name.startsWith('__') && !isSpecifiedScalarType(type));
const roots = [schema.getQueryType()!, schema.getMutationType()!, schema.getSubscriptionType()!];

function described(type: GraphQLNamedType): { name: string; description: string | null | undefined }[] {
  const own = [{ name: type.name, description: type.description }];
  const under = (name: string, item: { name: string; description?: string | null | undefined }) => ({
    name: `${name}.${item.name}`,
    description: item.description,
  });
  if (isEnumType(type)) return [...own, ...type.getValues().map((value) => under(type.name, value))];
  if (isInputObjectType(type)) return [...own, ...Object.values(type.getFields()).map((field) => under(type.name, field))];
  if (!isObjectType(type) && !isInterfaceType(type)) return own;
  const fields = Object.values(type.getFields());
  return [
    ...own,
    ...fields.flatMap((field) => [under(type.name, field), ...field.args.map((arg) => under(`${type.name}.${field.name}`, arg))]),
  ];
}

/** Inputs: arguments of all fields and fields of all input types. */
const inputs = types.flatMap((type) => {
  if (isInputObjectType(type)) return Object.values(type.getFields()).map((input) => ({ place: `${type.name}.${input.name}`, input }));
  if (!isObjectType(type)) return [];
  return Object.values(type.getFields()).flatMap((field) =>
    field.args.map((input) => ({ place: `${type.name}.${field.name}(${input.name})`, input })),
  );
});

test('the schema is valid', () => {
  assert.deepEqual(validateSchema(schema), []);
});

test('every type, field, argument, enum value and input field has a description', () => {
  const silent = types.flatMap(described).filter(({ description }) => !description?.trim());
  assert.deepEqual(
    silent.map(({ name }) => name),
    [],
  );
});

test('every root field declares a known permission, or that any credential will do', () => {
  for (const root of roots) {
    for (const field of Object.values(root.getFields())) {
      const options = field.extensions['pothosOptions'] as { authScopes?: Record<string, unknown> };
      const scopes = Object.entries(options.authScopes ?? {});
      assert.equal(scopes.length, 1, `${root.name}.${field.name} declares no permission`);
      const [[kind, value]] = scopes as [[string, unknown]];
      if (kind === 'authenticated') assert.equal(value, true);
      else assert.ok(kind === 'permission' && permissions.includes(value as never), `${root.name}.${field.name}: ${kind} ${String(value)}`);
    }
  }
});

test('every input of type ID says which types it takes', () => {
  const silent = inputs.filter(({ input }) => getNamedType(input.type).name === 'ID' && idTypesOf(input) === undefined);
  assert.deepEqual(
    silent.map(({ place }) => place),
    [],
  );
  for (const { place, input } of inputs) {
    for (const type of idTypesOf(input) ?? []) assert.ok(isNode(type), `${place} takes ids of ${type}, which is no Node`);
  }
});

const isNode = (name: string) => {
  const type = schema.getType(name);
  return isObjectType(type) && type.getInterfaces().some((each) => each.name === 'Node');
};

test('every mutation takes one required input of its own and answers with its success or typed errors', () => {
  for (const field of Object.values(schema.getMutationType()!.getFields())) {
    const title = `${field.name.slice(0, 1).toUpperCase()}${field.name.slice(1)}`;
    assert.deepEqual(
      field.args.map(({ name, type }) => `${name}: ${String(type)}`),
      [`input: ${title}Input!`],
    );
    const result = getNullableType(field.type);
    assert.ok(isNonNullType(field.type) && isUnionType(result) && result.name === `${title}Result`, field.name);
    const [success, ...errors] = [...result.getTypes()].sort(
      (a, b) => Number(b.name.endsWith('Success')) - Number(a.name.endsWith('Success')),
    );
    assert.equal(success!.name, `${title}Success`);
    assert.ok(errors.every((error) => error.getInterfaces().some(({ name }) => name === 'Error')));
    for (const name of ['ValidationError', 'NotFoundError', 'ForbiddenError']) assert.ok(errors.some((error) => error.name === name));
  }
});

test('every connection is read forwards only, by first and after', () => {
  for (const type of types) {
    if (!isObjectType(type)) continue;
    for (const field of Object.values(type.getFields())) {
      if (!getNamedType(field.type).name.endsWith('Connection')) continue;
      const args = field.args.map(({ name }) => name);
      assert.ok(args.includes('first') && args.includes('after'), `${type.name}.${field.name}`);
      assert.ok(!args.includes('last') && !args.includes('before'), `${type.name}.${field.name}`);
    }
  }
});
