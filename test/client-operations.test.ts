// The published operations against the schema: none is missing, none is misnamed, no event loses a field on the way.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { buildSchema, isInterfaceType, Kind, OperationTypeNode, parse, validate, visit, type OperationDefinitionNode } from 'graphql';
import * as published from '#client/index.ts';
import { subscriptionNames } from '#client/operations.ts';
import { requireAffordable, requireShape } from '#gateway/limits.ts';
import { schema as served } from '#gateway/schema.ts';
import { loadConfig } from '#src/config.ts';

const { limits } = loadConfig({ env: {} });
const root = join(import.meta.dirname, '..');
const schema = buildSchema(readFileSync(join(root, 'schema/schema.graphql'), 'utf8'));
const folder = join(root, 'client/operations');
const document = parse(
  readdirSync(folder)
    .map((file) => readFileSync(join(folder, file), 'utf8'))
    .join('\n'),
);
const operations = document.definitions.filter((node): node is OperationDefinitionNode => node.kind === Kind.OPERATION_DEFINITION);

/** Generic lookups, for documents of one's own: their result depends on the type. */
const notPublished = ['node', 'nodes'];

test('every root field has one published operation of the same name, which selects nothing else', () => {
  for (const kind of Object.values(OperationTypeNode)) {
    const fields = Object.keys(schema.getRootType(kind)!.getFields()).filter((name) => !notPublished.includes(name));
    const named = operations.filter(({ operation }) => operation === kind).map(({ name }) => name!.value);
    assert.deepEqual(named.sort(), fields.sort());
  }
  for (const { name, selectionSet } of operations) {
    assert.deepEqual(
      selectionSet.selections.map((selection) => selection.kind === Kind.FIELD && selection.name.value),
      [name!.value],
    );
  }
});

test('every published operation takes each argument of its field', () => {
  for (const { operation, name, variableDefinitions = [] } of operations) {
    const { args } = schema.getRootType(operation)!.getFields()[name!.value]!;
    assert.deepEqual(
      variableDefinitions.map(({ variable, type }) => `${variable.name.value} ${textOf(type)}`).sort(),
      args.map((arg) => `${arg.name} ${String(arg.type)}`).sort(),
      name!.value,
    );
  }
});

test('every published operation is a document and a function of the client', async () => {
  const client = published.createSignalboxClient({ url: 'http://localhost', apiKey: 'none' });
  for (const { name } of operations) {
    const { value } = name!;
    assert.match(textFor(value), new RegExp(`^\\s*(query|mutation|subscription) ${value}\\b`));
    assert.equal(typeof client[value as keyof typeof client], 'function', value);
  }
  const subscriptions = operations.filter(({ operation }) => operation === OperationTypeNode.SUBSCRIPTION);
  assert.deepEqual(subscriptions.map(({ name }) => name!.value).sort(), [...subscriptionNames].sort());
  await client.close();
});

test('executionEvents selects every field of every event type', () => {
  const selected = new Map<string, string[]>();
  visit(document, {
    FragmentDefinition(node) {
      if (node.name.value !== 'EventFields') return false;
      const own = [];
      for (const selection of node.selectionSet.selections) {
        if (selection.kind === Kind.FIELD) own.push(selection.name.value);
        if (selection.kind !== Kind.INLINE_FRAGMENT) continue;
        const names = selection.selectionSet.selections.map((field) => (field.kind === Kind.FIELD ? field.name.value : ''));
        selected.set(selection.typeCondition!.name.value, names);
      }
      selected.set('ExecutionEvent', own);
      return false;
    },
  });
  const event = schema.getType('ExecutionEvent');
  assert.ok(isInterfaceType(event));
  for (const type of schema.getPossibleTypes(event)) {
    const names = [type, ...type.getInterfaces()].flatMap(({ name }) => selected.get(name) ?? []);
    assert.deepEqual(
      Object.keys(type.getFields()).filter((name) => !names.includes(name)),
      [],
      type.name,
    );
  }
});

test('every published operation fits the gateway’s limits, lists with the largest page', () => {
  for (const { name } of operations) {
    const value = name!.value;
    const sent = parse(textFor(value), { maxTokens: limits.queryTokens });
    requireShape(sent, limits);
    assert.deepEqual(validate(served, sent), [], value);
    requireAffordable({ schema: served, document: sent, variables: { first: 100 } }, limits);
  }
});

const documents = new Map<string, unknown>(Object.entries(published));
const textFor = (name: string): string => String(documents.get(`${name[0]!.toUpperCase()}${name.slice(1)}Document`));

const textOf = (type: import('graphql').TypeNode): string =>
  type.kind === Kind.NAMED_TYPE ? type.name.value : type.kind === Kind.LIST_TYPE ? `[${textOf(type.type)}]` : `${textOf(type.type)}!`;
