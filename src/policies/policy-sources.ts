// The policies of a tenant as the gate wants them, now or at a moment of the past, whoever asks: reads without rights for evaluation only.
import type { UnitOfWork } from '../platform/database.ts';
import type { PolicySource } from '../rules/judge.ts';
import type { PolicyDocument } from '../rules/policy.ts';

interface Stored {
  readonly id: string;
  readonly version: number;
  readonly document: PolicyDocument;
}

const sourceOf = ({ id, version, document }: Stored): PolicySource => ({ id, version, ...document });

/** Those that are enabled now. */
export async function policySources(uow: UnitOfWork): Promise<PolicySource[]> {
  const rows = await uow.rows<Stored>(
    `select p.id, p.version, v.rules as "document" from policies p join policy_versions v on v.policy_id = p.id and v.version = p.version
     where p.tenant_id = $1 and p.enabled and p.deleted_at is null`,
    [uow.tenantId],
  );
  return rows.map(sourceOf);
}

/** One of them, with the moment from which its version holds; null when it is not enabled. */
export async function policySource(uow: UnitOfWork, policyId: string): Promise<{ source: PolicySource; versionAt: Date } | null> {
  const [row] = await uow.rows<Stored & { versionAt: string }>(
    `select p.id, p.version, v.rules as "document", v.created_at as "versionAt"
     from policies p join policy_versions v on v.policy_id = p.id and v.version = p.version
     where p.tenant_id = $1 and p.id = $2 and p.enabled and p.deleted_at is null`,
    [uow.tenantId, policyId],
  );
  return row ? { source: sourceOf(row), versionAt: new Date(row.versionAt) } : null;
}

/** Those that were enabled at a moment, by their history. */
export async function sourcesInForce(uow: UnitOfWork, at: Date): Promise<PolicySource[]> {
  const rows = await uow.rows<Stored>(
    `select distinct on (policy_id) policy_id as id, version, rules as "document" from policy_versions
     where tenant_id = $1 and created_at <= $2 order by policy_id, version desc`,
    [uow.tenantId, at],
  );
  return rows.filter(({ document }) => document.enabled && document.change !== 'deleted').map(sourceOf);
}
