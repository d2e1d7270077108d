// What one operation may ask for: depth, aliases, directives and tokens are counted in the text, cost with its variables. Nothing runs before.
import { complexityFromQuery } from '@pothos/plugin-complexity';
import {
  getVariableValues,
  GraphQLError,
  Kind,
  type ASTVisitor,
  type DocumentNode,
  type FragmentDefinitionNode,
  type GraphQLSchema,
  type OperationDefinitionNode,
  type SelectionSetNode,
  type ValidationContext,
  type ValidationRule,
} from 'graphql';
import { LimitExceededError } from '#src/platform/errors.ts';

export interface GatewayLimits {
  readonly bodyBytes: number;
  readonly queryDepth: number;
  readonly queryAliases: number;
  readonly queryTokens: number;
  readonly queryCost: number;
  readonly wsInitTimeoutMs: number;
  /** Operations open at once on one socket. */
  readonly wsMaxSubscriptions: number;
  readonly wsMaxMessageBytes: number;
}

/** Directives do nothing but `@skip` and `@include` here, so few are ever needed. */
export const maxDirectives = 50;

const exceeded = (what: string, got: number, limit: number): GraphQLError => {
  const message = `the operation has ${what} ${got}; this server allows ${limit}`;
  return new GraphQLError(message, { originalError: new LimitExceededError(message) });
};

/** Runs beside graphql's own rules, so it may meet fragment cycles and unknown fragments and leaves them to those. */
export function limitRule(limits: GatewayLimits): ValidationRule {
  return (context: ValidationContext): ASTVisitor => {
    const depths = new Map<SelectionSetNode, number>();
    const depthOf = (set: SelectionSetNode): number => {
      const known = depths.get(set);
      if (known !== undefined) return known;
      depths.set(set, 0); // a fragment that spreads itself ends here
      let deepest = 0;
      for (const selection of set.selections) {
        const inner =
          selection.kind === Kind.FRAGMENT_SPREAD ? context.getFragment(selection.name.value)?.selectionSet : selection.selectionSet;
        const depth = (selection.kind === Kind.FIELD ? 1 : 0) + (inner ? depthOf(inner) : 0);
        if (depth > deepest) deepest = depth;
      }
      depths.set(set, deepest);
      return deepest;
    };
    let aliases = 0;
    let directives = 0;
    return {
      OperationDefinition({ selectionSet }) {
        const depth = depthOf(selectionSet);
        if (depth > limits.queryDepth && !isIntrospection(selectionSet)) context.reportError(exceeded('depth', depth, limits.queryDepth));
      },
      Field({ alias }) {
        if (alias) aliases++;
      },
      Directive() {
        directives++;
      },
      Document: {
        leave() {
          if (aliases > limits.queryAliases) context.reportError(exceeded('an alias count of', aliases, limits.queryAliases));
          if (directives > maxDirectives) context.reportError(exceeded('a directive count of', directives, maxDirectives));
        },
      },
    };
  };
}

/** Tools' introspection is deeper than what people write; graphql's own rule bounds the one way to make it expensive. */
const isIntrospection = ({ selections }: SelectionSetNode): boolean =>
  selections.every((selection) => selection.kind === Kind.FIELD && selection.name.value.startsWith('__'));

export interface Operation {
  readonly schema: GraphQLSchema;
  readonly document: DocumentNode;
  readonly operationName?: string | null | undefined;
  readonly variables?: Readonly<Record<string, unknown>> | null | undefined;
}

/** Of a valid document. Throws LimitExceededError; wrong variables are left to the execution, which reports them and runs nothing. */
export function requireAffordable({ schema, document, operationName, variables }: Operation, limits: GatewayLimits): void {
  const isChosen = (node: OperationDefinitionNode) => !operationName || node.name?.value === operationName;
  const definitions = document.definitions.filter(
    (node): node is OperationDefinitionNode | FragmentDefinitionNode =>
      node.kind === Kind.FRAGMENT_DEFINITION || (node.kind === Kind.OPERATION_DEFINITION && isChosen(node)),
  );
  let cost: number;
  try {
    cost = complexityFromQuery({ ...document, definitions }, { schema, variables: { ...variables } }).complexity;
  } catch (error) {
    const operation = definitions.find((node) => node.kind === Kind.OPERATION_DEFINITION);
    if (!operation) return;
    if (!(error instanceof GraphQLError)) throw error;
    if (getVariableValues(schema, operation.variableDefinitions ?? [], { ...variables }).errors) return;
    // A null where an argument must not be: execution would end that field only, and run the others unmeasured.
    throw new LimitExceededError(`the cost of the operation cannot be computed: ${error.message}`);
  }
  if (cost > limits.queryCost) {
    throw new LimitExceededError(
      `the operation costs ${cost} (one for each field, times the page size of the lists around it); this server allows ${limits.queryCost}. Ask for fewer fields or smaller pages`,
    );
  }
}
