// Keeps a tenant governable: somebody enabled always holds the role admin on it.
import type { UnitOfWork } from '../platform/database.ts';
import { InvalidStateError } from '../platform/errors.ts';

/** Does `change`, which may take the role away from somebody, unless nobody would be left. Such changes run one after another. */
export async function keepingAnAdmin<T>(uow: UnitOfWork, change: () => Promise<T>): Promise<T> {
  // Two admins who remove each other at once: the second waits here and then sees what the first did.
  await uow.rows('select id from tenants where id = $1 for no key update', [uow.tenantId]);
  const result = await change();
  const admins = await uow.rows(
    `select 1 from role_grants g join principals p on p.tenant_id = g.tenant_id and p.disabled_at is null
     where g.tenant_id = $1 and g.role = 'admin' and g.scope_kind = 'tenant' and (p.id = g.principal_id or exists (
       select 1 from team_members m where m.tenant_id = g.tenant_id and m.team_id = g.grantee_team_id and m.principal_id = p.id))
     limit 1`,
    [uow.tenantId],
  );
  if (admins.length > 0) return result;
  throw new InvalidStateError('this would leave the tenant without an administrator; give another principal the role admin on it first');
}
