// Closing a tenant and opening it again, for the operator. What ends its streams and sign-ins is `archived_at` (principals/authenticate.ts);
// what stops its agents is a kill switch of its own, engaged and released with it.
import { reasonProblems } from '../killswitches/kill-switch.ts';
import type { KillSwitchService } from '../killswitches/kill-switch-service.ts';
import type { Clock } from '../platform/clock.ts';
import type { UnitOfWork } from '../platform/database.ts';
import { InvalidStateError, NotFoundError } from '../platform/errors.ts';
import { requirePermission } from '../authority/authorize.ts';
import type { Authority } from '../authority/permission.ts';
import type { WebhookService } from '../webhooks/webhook-service.ts';
import { lockRules } from '../authority/rules-lock.ts';
import { findVisible, type TenantRow } from './tenant-reads.ts';
import { refuse } from './tenant.ts';

/** Both run in a transaction of the tenant that `tenantId` names, for an admin of the operator's tenant. */
export interface TenantArchiveService {
  archiveTenant(
    uow: UnitOfWork,
    actor: Authority,
    input: { readonly tenantId: string; readonly reason?: string | null | undefined },
  ): Promise<TenantRow>;
  restoreTenant(uow: UnitOfWork, actor: Authority, input: { readonly tenantId: string }): Promise<TenantRow>;
}

export interface TenantArchiveDependencies {
  readonly clock: Clock;
  readonly killSwitches: Pick<KillSwitchService, 'stopTenant' | 'releaseTenant'>;
  readonly webhooks: Pick<WebhookService, 'resumeDeliveries'>;
}

export function createTenantArchiveService({ clock, killSwitches, webhooks }: TenantArchiveDependencies): TenantArchiveService {
  /** Under the lock of the rules, which both change: of two who do the same at once, the second finds what the first did. */
  async function locked(uow: UnitOfWork, actor: Authority, tenantId: string): Promise<TenantRow> {
    requirePermission(actor, 'tenant.archive');
    await lockRules(uow);
    const tenant = await findVisible(uow, actor, 'tenants', tenantId);
    if (!tenant) throw new NotFoundError(`tenantId: there is no tenant "${tenantId.slice(0, 80)}"`);
    return tenant;
  }

  return {
    async archiveTenant(uow, actor, { tenantId, reason }) {
      const tenant = await locked(uow, actor, tenantId);
      if (tenant.isOperator) {
        throw new InvalidStateError('tenantId: this is the operator’s own tenant, which stays open: nobody could restore it');
      }
      refuse(reasonProblems(reason ?? '', 'reason', { required: false }));
      if (tenant.archivedAt !== null) {
        throw new InvalidStateError(`tenantId: the tenant was archived at ${tenant.archivedAt.toISOString()} already`);
      }
      const archivedAt = clock.now();
      const switchId = await killSwitches.stopTenant(uow, actor, reason || 'the tenant is archived');
      uow.write('update tenants set archived_at = $2, archive_switch_id = $3 where id = $1', [tenantId, archivedAt, switchId]);
      return { ...tenant, archivedAt };
    },

    async restoreTenant(uow, actor, { tenantId }) {
      const tenant = await locked(uow, actor, tenantId);
      const [archived] = await uow.rows<{ switchId: string }>(
        'select archive_switch_id as "switchId" from tenants where id = $1 and archived_at is not null',
        [tenantId],
      );
      if (!archived) throw new InvalidStateError('tenantId: the tenant is open; there is nothing to restore');
      await killSwitches.releaseTenant(uow, actor, archived.switchId);
      await uow.rows('update tenants set archived_at = null, archive_switch_id = null where id = $1', [tenantId]);
      webhooks.resumeDeliveries(uow);
      return { ...tenant, archivedAt: null };
    },
  };
}
