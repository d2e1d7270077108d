// The two ways a service asks for rights: refuse an operation, or narrow a list.
import { ForbiddenError } from '../platform/errors.ts';
import { can, visibilityOf, type Authority, type Permission, type Place } from './permission.ts';

/** Throws ForbiddenError naming the permission unless `actor` holds it at `place`. */
export function requirePermission(actor: Authority, permission: Permission, place: Place = {}): void {
  if (!can(actor, permission, place)) throw new ForbiddenError(`this needs the permission ${permission}, which you do not hold here`);
}

/** Columns of the listed table; leave out what the table does not have. `project` level tables set `projectLevel`. */
export interface PlaceColumns {
  readonly project?: string;
  readonly environment?: string;
  readonly team?: string;
  /** The rows belong to a project, not to one environment: a role on an environment reads them too. */
  readonly projectLevel?: boolean;
}

/** An SQL condition for "rows where `actor` holds `permission`"; pushes its parameters onto `params`. */
export function visibleRows(actor: Authority, permission: Permission, columns: PlaceColumns, params: unknown[]): string {
  const seen = visibilityOf(actor, permission);
  if (seen.everywhere) return 'true';
  const any = (column: string | undefined, ids: readonly string[]): string[] => {
    if (!column || ids.length === 0) return [];
    params.push([...ids]);
    return [`${column} = any($${params.length}::uuid[])`];
  };
  const conditions = [
    ...any(columns.project, columns.projectLevel ? [...seen.projectIds, ...seen.parentProjectIds] : seen.projectIds),
    ...any(columns.environment, seen.environmentIds),
    ...any(columns.team, seen.teamIds),
  ];
  return conditions.length > 0 ? `(${conditions.join(' or ')})` : 'false';
}
