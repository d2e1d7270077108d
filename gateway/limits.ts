// What one operation may ask for. Its shape is counted before graphql validates it, in time linear in its text, because some rules of
// graphql take long on shapes that nobody needs; its cost is counted with its variables. Nothing runs before.
import { complexityFromQuery } from '@pothos/plugin-complexity';
import {
  getVariableValues,
  GraphQLError,
  Kind,
  TokenKind,
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLSchema,
  type OperationDefinitionNode,
  type SelectionSetNode,
} from 'graphql';
import type { Config } from '#src/config.ts';
import { LimitExceededError } from '#src/platform/errors.ts';
import { withCode } from './errors.ts';

export type GatewayLimits = Config['limits'];

/** No document that is within its depth has as many; one whose fragments go in circles has no end. */
const maxLevels = 200;

/** Longer than any name of the schema; graphql compares unknown names with all known ones to suggest one. */
export const maxNameLength = 256;

type Count = 'queryLength' | 'queryDepth' | 'queryAliases' | 'queryDirectives' | 'queryDefinitions' | 'queryFields' | 'queryTokens';

const wayOut: Readonly<Record<Count, string>> = {
  queryLength: 'Send values as variables, or ask in several operations',
  queryDepth: 'Nest fields less deeply, or ask in several operations',
  queryAliases: 'Ask in several operations',
  queryDirectives: 'Leave out what does nothing: only @skip and @include have an effect here',
  queryDefinitions: 'Send the operation with the fragments it uses, and no others',
  queryFields: 'Ask for fewer fields, and for each field once',
  queryTokens: 'Ask in several operations, and send values as variables',
};

const names: Readonly<Record<Count, string>> = {
  queryLength: 'a length of',
  queryDepth: 'depth',
  queryAliases: 'an alias count of',
  queryDirectives: 'a directive count of',
  queryDefinitions: 'a count of operations and fragments of',
  queryFields: 'more fields than',
  queryTokens: 'more tokens than',
};

/** `requested` stays away where counting ended at the limit. */
export function exceeded(count: Count, limits: GatewayLimits, requested?: number): LimitExceededError {
  const allowed = limits[count];
  const what = requested === undefined ? `${names[count]} ${allowed}, the most` : `${names[count]} ${requested};`;
  const message = `the document has ${what} this server allows${requested === undefined ? '' : ` ${allowed}`}. ${wayOut[count]}`;
  return new LimitExceededError(message, { name: count, allowed, ...(requested !== undefined && { requested }) });
}

/** Of a document that was parsed and nothing more: it may have fragment cycles and spread what is not there. Throws LimitExceededError. */
export function requireShape(document: DocumentNode, limits: GatewayLimits): void {
  const atMost = (count: Count, requested: number) => {
    if (requested > limits[count]) throw exceeded(count, limits, requested);
  };
  atMost('queryDefinitions', document.definitions.length);
  let directives = 0;
  for (let token = document.loc?.startToken ?? null; token; token = token.next) {
    if (token.kind === TokenKind.AT) directives++;
    if (token.kind === TokenKind.NAME && token.value.length > maxNameLength) {
      const limit = { name: 'nameLength', requested: token.value.length, allowed: maxNameLength };
      throw new LimitExceededError(`the document has a name of ${limit.requested} characters; names have at most ${maxNameLength}`, limit);
    }
  }
  atMost('queryDirectives', directives);
  atMost('queryAliases', aliasesOf(document));
  const fragments = new Map(
    document.definitions.flatMap((node) => (node.kind === Kind.FRAGMENT_DEFINITION ? [[node.name.value, node]] : [])),
  );
  const depthOf = depths(fragments);
  const spread = spreadFields(fragments, limits);
  for (const node of document.definitions) {
    if (node.kind !== Kind.OPERATION_DEFINITION) continue;
    if (!isIntrospection(node.selectionSet)) atMost('queryDepth', depthOf(node.selectionSet));
    spread(node.selectionSet);
  }
}

type Fragments = ReadonlyMap<string, FragmentDefinitionNode>;

function aliasesOf({ definitions }: DocumentNode): number {
  let aliases = 0;
  const waiting = definitions.flatMap((node) => ('selectionSet' in node && node.selectionSet ? [node.selectionSet] : []));
  for (let set = waiting.pop(); set; set = waiting.pop()) {
    for (const selection of set.selections) {
      if (selection.kind === Kind.FIELD && selection.alias) aliases++;
      if (selection.kind !== Kind.FRAGMENT_SPREAD && selection.selectionSet) waiting.push(selection.selectionSet);
    }
  }
  return aliases;
}

function depths(fragments: Fragments): (set: SelectionSetNode) => number {
  const known = new Map<SelectionSetNode, number>();
  return function depthOf(set: SelectionSetNode): number {
    const found = known.get(set);
    if (found !== undefined) return found;
    known.set(set, 0); // a fragment that spreads itself ends here
    let deepest = 0;
    for (const selection of set.selections) {
      const inner = selection.kind === Kind.FRAGMENT_SPREAD ? fragments.get(selection.name.value)?.selectionSet : selection.selectionSet;
      deepest = Math.max(deepest, (selection.kind === Kind.FIELD ? 1 : 0) + (inner ? depthOf(inner) : 0));
    }
    known.set(set, deepest);
    return deepest;
  };
}

/**
 * Counts the fields of a document with its fragments spread out, those of one name beside each other in pairs (n fields count n(n+1)/2):
 * about what graphql does to find out whether they can be merged. Ends at the limit, also in circles.
 */
function spreadFields(fragments: Fragments, limits: GatewayLimits): (set: SelectionSetNode) => void {
  let count = 0;
  let level = 0;
  const add = (n: number) => {
    count += n;
    if (count > limits.queryFields) throw exceeded('queryFields', limits);
  };

  function collect({ selections }: SelectionSetNode, into: Map<string, FieldNode[]>, seen: Set<string>): void {
    for (const selection of selections) {
      if (selection.kind === Kind.FIELD) {
        const name = (selection.alias ?? selection.name).value;
        const fields = into.get(name);
        add(1 + (fields?.length ?? 0));
        if (fields) fields.push(selection);
        else into.set(name, [selection]);
      } else if (selection.kind === Kind.INLINE_FRAGMENT) collect(selection.selectionSet, into, seen);
      else if (!seen.has(selection.name.value)) {
        seen.add(selection.name.value);
        const fragment = fragments.get(selection.name.value);
        if (fragment) collect(fragment.selectionSet, into, seen);
      }
    }
  }

  return function spread(...sets: SelectionSetNode[]): void {
    if (level === maxLevels) return;
    const fields = new Map<string, FieldNode[]>();
    const seen = new Set<string>();
    for (const set of sets) collect(set, fields, seen);
    level++;
    for (const same of fields.values()) {
      const inner = same.flatMap(({ selectionSet }) => selectionSet ?? []);
      if (inner.length > 0) spread(...inner);
    }
    level--;
  };
}

/** Tools' introspection is deeper than what people write; graphql's own rule bounds the one way to make it expensive. */
const isIntrospection = ({ selections }: SelectionSetNode): boolean =>
  selections.every((selection) => selection.kind === Kind.FIELD && selection.name.value.startsWith('__'));

/** Tells up to 670 KB, none of it in fields that the plugin counts. */
const introspectionCost = 10_000;

/** Those of the root in these definitions: they stand nowhere else. */
function introspections(definitions: readonly (OperationDefinitionNode | FragmentDefinitionNode)[]): number {
  let count = 0;
  const waiting = definitions.map(({ selectionSet }) => selectionSet);
  for (let set = waiting.pop(); set; set = waiting.pop()) {
    for (const selection of set.selections) {
      if (selection.kind === Kind.INLINE_FRAGMENT) waiting.push(selection.selectionSet);
      else if (selection.kind === Kind.FIELD && ['__schema', '__type'].includes(selection.name.value)) count++;
    }
  }
  return count;
}

export interface Operation {
  readonly schema: GraphQLSchema;
  readonly document: DocumentNode;
  readonly operationName?: string | null | undefined;
  readonly variables?: Readonly<Record<string, unknown>> | null | undefined;
}

/** The cost of one operation, as `extensions.cost` of its answer tells it. */
export interface Cost {
  readonly requested: number;
  readonly limit: number;
}

/** Of a valid document. Throws LimitExceededError, or what is wrong with an argument; null for wrong variables, which the execution reports without running anything. */
export function requireAffordable({ schema, document, operationName, variables }: Operation, limits: GatewayLimits): Cost | null {
  const isChosen = (node: OperationDefinitionNode) => !operationName || node.name?.value === operationName;
  const definitions = document.definitions.filter(
    (node): node is OperationDefinitionNode | FragmentDefinitionNode =>
      node.kind === Kind.FRAGMENT_DEFINITION || (node.kind === Kind.OPERATION_DEFINITION && isChosen(node)),
  );
  let cost: number;
  try {
    cost = complexityFromQuery({ ...document, definitions }, { schema, variables: { ...variables } }).complexity;
    cost += introspections(definitions) * (introspectionCost - 1);
  } catch (error) {
    const operation = definitions.find((node) => node.kind === Kind.OPERATION_DEFINITION);
    if (!operation) return null;
    if (!(error instanceof GraphQLError)) throw error; // such as a ValidationError of an argument that the cost depends on
    if (getVariableValues(schema, operation.variableDefinitions ?? [], { ...variables }).errors) return null;
    // A null where an argument must not be: execution would end that field only, and run the others unmeasured.
    throw withCode(error, 'BAD_USER_INPUT');
  }
  if (cost > limits.queryCost) {
    throw new LimitExceededError(
      `the operation costs ${cost} (one for each field, times the page size of the lists around it, or 10 without pages; ${introspectionCost} for each __schema and __type); this server allows ${limits.queryCost}. Ask for fewer fields or smaller pages`,
      { name: 'queryCost', requested: cost, allowed: limits.queryCost },
    );
  }
  return { requested: cost, limit: limits.queryCost };
}
