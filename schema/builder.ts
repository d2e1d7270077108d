// The Pothos builder every type and field hangs on: plugins, scalars' types, the coarse permission of root fields, public errors.
// No types of the product here; conventions and a worked example are in schema/README.md.
import SchemaBuilder from '@pothos/core';
import ComplexityPlugin from '@pothos/plugin-complexity';
import DataloaderPlugin from '@pothos/plugin-dataloader';
import ErrorsPlugin from '@pothos/plugin-errors';
import RelayPlugin from '@pothos/plugin-relay';
import ScopeAuthPlugin, { AuthScopeFailureType, type AuthFailure } from '@pothos/plugin-scope-auth';
import ValidationPlugin from '@pothos/plugin-validation';
import { ForbiddenError, ValidationError } from '#src/platform/errors.ts';
import { isOperatorsOnly, visibilityOf, type Authority, type Permission } from '#src/authority/permission.ts';
import type { Context } from './context.ts';

export interface SchemaShape {
  Context: Context;
  AuthScopes: {
    /** Held on at least one place; the service checks the exact one. */
    permission: Permission;
    /** Any valid credential; for fields that show the caller only what is the caller's. */
    authenticated: boolean;
  };
  Scalars: {
    ID: { Input: string; Output: string };
    DateTime: { Input: Date; Output: Date };
    JSON: { Input: unknown; Output: unknown };
  };
  DefaultFieldNullability: false;
  DefaultEdgesNullability: false;
  DefaultNodeNullability: false;
}

type IssuePath = readonly (PropertyKey | { readonly key: PropertyKey })[];

/** Dotted, relative to a mutation's `input`, as the services name their fields. */
function pathOf(path: IssuePath): string {
  const keys = path.map((key) => String(typeof key === 'object' ? key.key : key));
  return (keys[0] === 'input' ? keys.slice(1) : keys).join('.');
}

const capitalized = (text: string) => `${text.slice(0, 1).toUpperCase()}${text.slice(1)}`;

export const builder = new SchemaBuilder<SchemaShape>({
  // Outermost first: whatever the inner ones throw (refusals, invalid input) becomes a member of a mutation's result.
  plugins: [ErrorsPlugin, ScopeAuthPlugin, ValidationPlugin, ComplexityPlugin, DataloaderPlugin, RelayPlugin],
  defaultFieldNullability: false,
  errors: {
    // Safe because validations here look at the input only, never at data.
    unsafelyHandleInputErrors: true,
    defaultResultOptions: { name: ({ fieldName }) => `${capitalized(fieldName)}Success` },
    defaultUnionOptions: { name: ({ fieldName }) => `${capitalized(fieldName)}Result` },
  },
  scopeAuth: {
    authorizeOnSubscribe: true,
    authScopes: ({ authority }) => ({ permission: (permission) => holdsSomewhere(authority, permission), authenticated: true }),
    unauthorizedError: (_parent, _context, _info, { failure }) => new ForbiddenError(refusal(missingPermissions(failure))),
  },
  validation: {
    validationError: ({ issues }) =>
      new ValidationError(
        issues.map((issue) => ({
          path: pathOf(issue.path ?? []),
          message: issue.message,
          expected: (issue as { params?: { expected?: string } }).params?.expected,
        })),
      ),
  },
  // The limit itself is enforced by the gateway before anything runs, over HTTP and WebSocket alike.
  complexity: { disabled: true, defaultComplexity: 1, defaultListMultiplier: 10 },
  relay: {
    nodeTypeOptions: { description: 'Anything with a global id.' },
    idFieldOptions: { description: 'Global id, unique across all types.' },
    nodeQueryOptions: false,
    nodesQueryOptions: false,
    pageInfoTypeOptions: { description: 'Where a page of a list ends.' },
    hasNextPageFieldOptions: { description: 'Whether more rows follow; pass `endCursor` as `after` to read them.' },
    hasPreviousPageFieldOptions: { description: 'Always false: lists are read forwards only.' },
    startCursorFieldOptions: { description: 'Cursor of the first row of this page.' },
    endCursorFieldOptions: { description: 'Cursor of the last row of this page.' },
    edgesFieldOptions: { description: 'The rows of this page, newest first.', nullable: false, complexity: { field: 0, multiplier: 1 } },
    pageInfoFieldOptions: { description: 'Where this page ends.', complexity: 0 },
    nodeFieldOptions: { description: 'The row itself.', nullable: false },
    cursorFieldOptions: { description: 'Position of this row in its list; pass it as `after`.', complexity: 0 },
  },
});

/** The builder's own type parameter, for generic helpers. */
export type Types = typeof builder extends PothosSchemaTypes.SchemaBuilder<infer T> ? T : never;

builder.queryType({ description: 'Everything that can be read.' });
builder.mutationType({
  description: 'Everything that can be done. Each field answers with a union of its success and its expected failures.',
});
builder.subscriptionType({ description: 'Everything that can be watched live.' });

/** True when `permission` is held on at least one place. */
export function holdsSomewhere(authority: Authority, permission: Permission): boolean {
  if (isOperatorsOnly(permission) && !authority.isOperatorTenant) return false;
  const seen = visibilityOf(authority, permission);
  return seen.everywhere || seen.projectIds.length > 0 || seen.environmentIds.length > 0 || seen.teamIds.length > 0;
}

export const refusal = (permissions: readonly string[]): string =>
  permissions.length > 0
    ? `this needs the permission ${permissions.join(' or ')}, which you do not hold anywhere`
    : 'this is not permitted to you';

function missingPermissions(failure: AuthFailure): string[] {
  if ('failures' in failure) return failure.failures.flatMap(missingPermissions);
  return failure.kind === AuthScopeFailureType.AuthScope && failure.scope === 'permission' ? [String(failure.parameter)] : [];
}
