// The principal of a verified token: found by issuer and subject, made at its first sign-in.
import type { Database, UnitOfWork } from '../platform/database.ts';
import { UnauthenticatedError } from '../platform/errors.ts';
import { newId } from '../platform/ids.ts';
import type { VerifiedToken } from './oidc.ts';
import { personName } from './principal.ts';

/** Returns the principal's id. A name that is taken gets the subject appended. */
export async function signedInPrincipal(database: Database, tenantId: string, token: VerifiedToken, now: Date): Promise<string> {
  const known = await database.read(tenantId, (uow) => bySubject(uow, token));
  return known ?? database.write(tenantId, (uow) => add(uow, token, now));
}

export const tenantArchived = (at: Date): Error =>
  new UnauthenticatedError(`this tenant was archived at ${at.toISOString()}; the operator of this server can restore it`);

async function add(uow: UnitOfWork, token: VerifiedToken, now: Date): Promise<string> {
  const [tenant] = await uow.rows<{ archivedAt: string | null }>('select archived_at as "archivedAt" from tenants where id = $1', [
    uow.tenantId,
  ]);
  if (tenant?.archivedAt) throw tenantArchived(new Date(tenant.archivedAt));
  const name = personName(token.name);
  const id = newId();
  for (const candidate of [
    name,
    personName(`${name.slice(0, 90)} (${token.subject.slice(0, 90)})`),
    personName(`${name.slice(0, 90)} (${id})`),
  ]) {
    // Two first requests may come at once: whoever loses finds the other's row.
    const added = await uow.rows(
      `insert into principals (id, tenant_id, kind, name, email, issuer, subject, created_at)
       values ($1, $2, 'user', $3, $4, $5, $6, $7) on conflict do nothing returning id`,
      [id, uow.tenantId, candidate, token.email, token.issuer, token.subject, now],
    );
    if (added.length > 0) return id;
    const other = await bySubject(uow, token);
    if (other) return other;
  }
  throw new Error(`no free name for the principal of subject "${token.subject}"`);
}

async function bySubject(uow: UnitOfWork, { issuer, subject }: VerifiedToken): Promise<string | null> {
  const [row] = await uow.rows<{ id: string }>('select id from principals where tenant_id = $1 and issuer = $2 and subject = $3', [
    uow.tenantId,
    issuer,
    subject,
  ]);
  return row?.id ?? null;
}
