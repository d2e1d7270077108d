// What of a subscription's document all who watch the same have in common: everything but the place that each of them goes on from.
import {
  getOperationAST,
  GraphQLError,
  Kind,
  print,
  visit,
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLSchema,
  type OperationDefinitionNode,
  type SelectionSetNode,
  type ValueNode,
} from 'graphql';
import { afterArgument } from '#schema/subscription.ts';
import { permissions, type Permission } from '#src/authority/permission.ts';

export interface SharedDocument {
  /** As the client sent it. */
  readonly operation: OperationDefinitionNode;
  /** Without the root field's `after`, and without variables that nothing else uses. */
  readonly document: DocumentNode;
  readonly text: string;
  /** Names of the variables that are left. */
  readonly variables: readonly string[];
  readonly after: ValueNode | undefined;
  /** The root field takes a cursor. */
  readonly isResumable: boolean;
  /** Declared beside the root field; undefined where any credential will do. */
  readonly permission: Permission | undefined;
}

/** Of a valid document; computed once for as long as it is kept. */
export function createSharedDocuments(schema: GraphQLSchema): (document: DocumentNode, operationName: string | null) => SharedDocument {
  const known = new WeakMap<DocumentNode, Map<string | null, SharedDocument>>();
  return (document, operationName) => {
    const byName = known.get(document) ?? new Map<string | null, SharedDocument>();
    known.set(document, byName);
    const shared = byName.get(operationName) ?? sharedOf(schema, document, operationName);
    byName.set(operationName, shared);
    return shared;
  };
}

function sharedOf(schema: GraphQLSchema, original: DocumentNode, operationName: string | null): SharedDocument {
  const operation = getOperationAST(original, operationName)!;
  // One response name; it may stand there several times, in fragments, with the same arguments.
  const roots = new Set(rootFields(operation.selectionSet, original));
  const [root] = roots;
  const field = root && schema.getSubscriptionType()?.getFields()[root.name.value];
  if (!field) throw new GraphQLError('the subscription selects no field');
  const withoutAfter = visit(original, {
    Field: (node) =>
      roots.has(node) ? { ...node, arguments: (node.arguments ?? []).filter((each) => each.name.value !== afterArgument) } : undefined,
  });
  const used = new Set<string>();
  visit(withoutAfter, { VariableDefinition: () => false, Variable: ({ name }) => void used.add(name.value) });
  const document = visit(withoutAfter, { VariableDefinition: (node) => (used.has(node.variable.name.value) ? false : null) });
  const left = getOperationAST(document, operationName)!.variableDefinitions ?? [];
  return {
    operation,
    document,
    text: print(document),
    variables: left.map(({ variable }) => variable.name.value),
    after: root.arguments?.find((each) => each.name.value === afterArgument)?.value,
    isResumable: field.args.some(({ name }) => name === afterArgument),
    permission: permissionOf(field.name, field.extensions['pothosOptions'] as PothosOptions | undefined),
  };
}

interface PothosOptions {
  readonly authScopes?: { readonly permission?: Permission; readonly authenticated?: boolean };
}

function permissionOf(name: string, options: PothosOptions | undefined): Permission | undefined {
  const { permission, authenticated } = options?.authScopes ?? {};
  if (permission && permissions.includes(permission)) return permission;
  if (authenticated) return undefined;
  throw new GraphQLError(`the subscription ${name} declares no permission`);
}

function rootFields({ selections }: SelectionSetNode, document: DocumentNode): FieldNode[] {
  return selections.flatMap((selection) => {
    if (selection.kind === Kind.FIELD) return [selection];
    const inner = selection.kind === Kind.INLINE_FRAGMENT ? selection : fragmentOf(document, selection.name.value);
    return inner ? rootFields(inner.selectionSet, document) : [];
  });
}

const fragmentOf = (document: DocumentNode, name: string) =>
  document.definitions.find((node) => node.kind === Kind.FRAGMENT_DEFINITION && node.name.value === name) as
    FragmentDefinitionNode | undefined;
