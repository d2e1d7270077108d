// Leaves a delivery, and the job that makes it, for every webhook that wants to hear of an event: in the transaction of the event itself.
// One statement that nobody waits for; for tenants without webhooks it writes nothing.
import type { UnitOfWork } from '../platform/database.ts';
import { newId } from '../platform/ids.ts';
import { storableJson } from '../platform/json.ts';
import type { WebhookEvent } from './webhook.ts';

/** The id of a delivery has the time of the first one given out for the event, and is different for each webhook. */
const sql = `
  with told as (
    insert into webhook_deliveries (id, tenant_id, webhook_id, event, payload, status, attempts, created_at)
    select (left(item.value->>'id', 15) || substr(gen_random_uuid()::text, 16))::uuid, $1, w.id, $2, item.value->'payload', 'pending', 0, $4
    from jsonb_array_elements($3::jsonb) as item, webhooks w
    where w.tenant_id = $1 and w.enabled and $2 = any(w.events)
    returning id
  )
  select jobs.enqueue(json_agg(json_build_object('identifier', 'deliver-webhook', 'job_key', 'deliver-webhook:' || id,
    'payload', json_build_object('tenantId', $1::uuid, 'deliveryId', id))))
  from told having count(*) > 0`;

export function tellWebhooks(uow: UnitOfWork, event: WebhookEvent, data: readonly Readonly<Record<string, unknown>>[], at: Date): void {
  if (data.length === 0) return;
  const items = data.map((each) => ({ id: newId(), payload: { type: event, timestamp: at.toISOString(), data: each } }));
  uow.write(sql, [uow.tenantId, event, storableJson(items), at]);
}
