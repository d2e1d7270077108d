// Reads of webhooks and their deliveries, for those who manage them. No secrets, no writes.
import type { UnitOfWork } from '../platform/database.ts';
import { isId } from '../platform/ids.ts';
import { pageOf, pagesOf, pageWindow, type Page, type PageRequest } from '../platform/page.ts';
import { visibleRows } from '../authority/authorize.ts';
import type { Authority } from '../authority/permission.ts';
import type { DeliveryStatus, WebhookBody, WebhookEvent } from './webhook.ts';

export interface WebhookRow {
  readonly id: string;
  readonly name: string;
  readonly url: string;
  readonly events: readonly WebhookEvent[];
  readonly enabled: boolean;
  readonly createdBy: string;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

export interface DeliveryRow {
  readonly id: string;
  readonly webhookId: string;
  readonly event: WebhookEvent;
  readonly payload: WebhookBody;
  readonly status: DeliveryStatus;
  readonly attempts: number;
  readonly lastError: string | null;
  readonly createdAt: Date;
  readonly deliveredAt: Date | null;
}

const webhookColumns = `id, name, url, events, enabled, created_by as "createdBy", created_at as "createdAt", updated_at as "updatedAt"`;
const deliveryColumns = `d.id, d.webhook_id as "webhookId", d.event, d.payload, d.status, d.attempts, d.last_error as "lastError",
  d.created_at as "createdAt", d.delivered_at as "deliveredAt"`;

const webhookOf = (row: WebhookRow): WebhookRow => ({ ...row, createdAt: new Date(row.createdAt), updatedAt: new Date(row.updatedAt) });
const deliveryOf = <Row extends DeliveryRow>(row: Row): Row => ({
  ...row,
  createdAt: new Date(row.createdAt),
  deliveredAt: row.deliveredAt === null ? null : new Date(row.deliveredAt),
});

/** Webhooks belong to the whole tenant. */
const visible = (actor: Authority) => visibleRows(actor, 'webhook.manage', {}, []);

export async function webhooksByIds(uow: UnitOfWork, actor: Authority, ids: readonly string[]): Promise<WebhookRow[]> {
  const rows = await uow.rows<WebhookRow>(
    `select ${webhookColumns} from webhooks where tenant_id = $1 and id = any($2::uuid[]) and ${visible(actor)}`,
    [uow.tenantId, ids.filter(isId)],
  );
  return rows.map(webhookOf);
}

/** Newest first. */
export async function listWebhooks(uow: UnitOfWork, actor: Authority, page: PageRequest): Promise<Page<WebhookRow>> {
  const window = pageWindow('webhooks', page);
  const rows = await uow.rows<WebhookRow>(
    `select ${webhookColumns} from webhooks where tenant_id = $1 and ${visible(actor)} and ($2::uuid is null or id < $2)
     order by id desc limit ${window.limit}`,
    [uow.tenantId, window.afterId],
  );
  return pageOf(window, rows.map(webhookOf));
}

export async function deliveriesByIds(uow: UnitOfWork, actor: Authority, ids: readonly string[]): Promise<DeliveryRow[]> {
  const rows = await uow.rows<DeliveryRow>(
    `select ${deliveryColumns} from webhook_deliveries d where d.tenant_id = $1 and d.id = any($2::uuid[]) and ${visible(actor)}`,
    [uow.tenantId, ids.filter(isId)],
  );
  return rows.map(deliveryOf);
}

/** One page per webhook that the caller has authorised, newest first. */
export async function deliveriesOf(uow: UnitOfWork, webhookIds: readonly string[], page: PageRequest): Promise<Page<DeliveryRow>[]> {
  const window = pageWindow('deliveries', page);
  const rows = await uow.rows<DeliveryRow & { parentId: string }>(
    `select newest.*, asked.id as "parentId" from unnest($2::uuid[]) as asked (id)
     cross join lateral (
       select ${deliveryColumns} from webhook_deliveries d
       where d.tenant_id = $1 and d.webhook_id = asked.id and ($3::uuid is null or d.id < $3) order by d.id desc limit ${window.limit}
     ) newest order by newest.id desc`,
    [uow.tenantId, [...new Set(webhookIds)], window.afterId],
  );
  return pagesOf(window, webhookIds, rows.map(deliveryOf));
}
