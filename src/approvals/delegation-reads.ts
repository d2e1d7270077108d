// Reads of delegations: rows as GraphQL lists need them. No rules, no writes.
import type { UnitOfWork } from '../platform/database.ts';
import { isId } from '../platform/ids.ts';
import { pageOf, pageWindow, type Page, type PageRequest } from '../platform/page.ts';
import { canAnywhere } from '../authority/grants.ts';
import type { Authority } from '../authority/permission.ts';

export interface DelegationRow {
  readonly id: string;
  readonly fromPrincipalId: string;
  readonly toPrincipalId: string;
  readonly startsAt: Date;
  readonly endsAt: Date;
  readonly reason: string;
  readonly createdBy: string;
  readonly createdAt: Date;
  readonly revokedAt: Date | null;
}

export interface DelegationFilter {
  /** From or to this principal. */
  readonly principalId?: string | null | undefined;
  /** Not revoked and not over. */
  readonly isOpen?: boolean | null | undefined;
}

type Raw = { [Key in keyof DelegationRow]: DelegationRow[Key] extends Date | null ? string : DelegationRow[Key] };

export const delegationColumns = `id, from_principal_id as "fromPrincipalId", to_principal_id as "toPrincipalId", starts_at as "startsAt",
  ends_at as "endsAt", reason, created_by as "createdBy", created_at as "createdAt", revoked_at as "revokedAt"`;

export async function delegationRows(uow: UnitOfWork, sql: string, params: readonly unknown[]): Promise<DelegationRow[]> {
  return (await uow.rows<Raw>(sql, params)).map((row) => ({
    ...row,
    startsAt: new Date(row.startsAt),
    endsAt: new Date(row.endsAt),
    createdAt: new Date(row.createdAt),
    revokedAt: row.revokedAt === null ? null : new Date(row.revokedAt),
  }));
}

/** One's own; of others for whoever may read principals. Pushes its parameter onto `params`. */
function visible(actor: Authority, params: unknown[]): string {
  if (canAnywhere(actor, 'principal.read')) return 'true';
  const own = `$${params.push(actor.principalId)}`;
  return `(from_principal_id = ${own} or to_principal_id = ${own})`;
}

export async function delegationsByIds(uow: UnitOfWork, actor: Authority, ids: readonly string[]): Promise<DelegationRow[]> {
  const params: unknown[] = [uow.tenantId, ids.filter(isId)];
  const condition = visible(actor, params);
  return delegationRows(
    uow,
    `select ${delegationColumns} from approval_delegations where tenant_id = $1 and id = any($2::uuid[]) and ${condition}`,
    params,
  );
}

/** Newest first. */
export async function listDelegations(
  uow: UnitOfWork,
  actor: Authority,
  { principalId, isOpen }: DelegationFilter,
  request: PageRequest,
  now: Date,
): Promise<Page<DelegationRow>> {
  const window = pageWindow('approvalDelegations', request);
  const params: unknown[] = [uow.tenantId, window.afterId];
  const conditions = [visible(actor, params)];
  if (principalId != null) {
    const person = `$${params.push(principalId)}`;
    conditions.push(`(from_principal_id = ${person} or to_principal_id = ${person})`);
  }
  if (isOpen != null) conditions.push(`(revoked_at is null and ends_at > $${params.push(now)}) = $${params.push(isOpen)}`);
  const rows = await delegationRows(
    uow,
    `select ${delegationColumns} from approval_delegations
     where tenant_id = $1 and ($2::uuid is null or id < $2) and ${conditions.join(' and ')} order by id desc limit ${window.limit}`,
    params,
  );
  return pageOf(window, rows);
}
