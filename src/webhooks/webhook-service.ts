// Outbound webhooks of a tenant: registered, changed and removed by its admins; their secrets; what became of each delivery. The only
// writer of these tables besides tell.ts. Sends nothing: deliver.ts does.
import type { Clock } from '../platform/clock.ts';
import { orConflict } from '../platform/conflict.ts';
import type { UnitOfWork } from '../platform/database.ts';
import { InvalidStateError, LimitExceededError, NotFoundError, ValidationError, type Problem } from '../platform/errors.ts';
import { isId, newId } from '../platform/ids.ts';
import type { Sealer } from '../platform/sealing.ts';
import { enqueue } from '../jobs/jobs.ts';
import { requirePermission } from '../authority/authorize.ts';
import type { Authority } from '../authority/permission.ts';
import { deliveriesByIds, deliveriesOf, listWebhooks, webhooksByIds, type DeliveryRow, type WebhookRow } from './webhook-reads.ts';
import { nameProblems, urlProblems } from './webhook-input.ts';
import {
  newSecret,
  retryDelayMs,
  rotated,
  validSecrets,
  webhookLimits,
  type Secrets,
  type WebhookBody,
  type WebhookEvent,
} from './webhook.ts';

export interface NewWebhook {
  readonly name: string;
  readonly url: string;
  readonly events: readonly WebhookEvent[];
}

/** Fields left out stay as they are. */
export interface WebhookUpdate {
  readonly webhookId: string;
  readonly name?: string | null | undefined;
  readonly url?: string | null | undefined;
  readonly events?: readonly WebhookEvent[] | null | undefined;
  readonly enabled?: boolean | null | undefined;
}

/** What one attempt needs; read in a transaction of its own before it. */
export interface OpenDelivery {
  readonly id: string;
  readonly webhookId: string;
  readonly url: string;
  readonly payload: WebhookBody;
  /** Attempts before this one. */
  readonly attempts: number;
  readonly secrets: readonly string[];
}

export type DeliveryOutcome =
  | { readonly kind: 'delivered' }
  /** `isGone`: the receiver said that it will never listen again. */
  | { readonly kind: 'failed'; readonly reason: string; readonly isGone: boolean };

export interface WebhookService {
  /** The secret is shown only here. */
  createWebhook(uow: UnitOfWork, actor: Authority, input: NewWebhook): Promise<{ webhook: WebhookRow; secret: string }>;
  updateWebhook(uow: UnitOfWork, actor: Authority, input: WebhookUpdate): Promise<WebhookRow>;
  /** A new secret; the one it replaces signs, too, for a day. */
  rotateWebhookSecret(uow: UnitOfWork, actor: Authority, webhookId: string): Promise<{ webhook: WebhookRow; secret: string }>;
  /** With its deliveries; gives it as it was. */
  deleteWebhook(uow: UnitOfWork, actor: Authority, webhookId: string): Promise<WebhookRow>;
  /** Sends a delivery that has ended once more, with all its tries. */
  redeliver(uow: UnitOfWork, actor: Authority, deliveryId: string): Promise<DeliveryRow>;
  readonly webhooksByIds: typeof webhooksByIds;
  readonly listWebhooks: typeof listWebhooks;
  readonly deliveriesByIds: typeof deliveriesByIds;
  readonly deliveriesOf: typeof deliveriesOf;
  // For the job that delivers; they authorise nothing.
  /** Null when there is nothing to send any more (delivered, removed, switched off), or the tenant is archived. */
  openDelivery(uow: UnitOfWork, deliveryId: string): Promise<OpenDelivery | null>;
  /** Ends a delivery whose webhook was switched off meanwhile: it can be sent again once the webhook is on. */
  giveUp(uow: UnitOfWork, deliveryId: string): Promise<void>;
  /** Only for the attempt that was begun; a late one of a process taken for dead changes nothing. */
  recordAttempt(uow: UnitOfWork, delivery: OpenDelivery, outcome: DeliveryOutcome): Promise<void>;
  /** Those that are pending are tried now: the tenant was archived, and is restored. */
  resumeDeliveries(uow: UnitOfWork): void;
}

export interface WebhookDependencies {
  readonly clock: Clock;
  readonly sealer: Sealer;
  /** In [0, 1): spreads retries. */
  readonly random: () => number;
}

const placeOf = (tenantId: string, id: string) => `webhook ${tenantId} ${id}`;
const notThere = (kind: string, id: string) => new NotFoundError(`there is no ${kind} "${id.slice(0, 80)}"`);
const nameTaken = { webhooks_name_unique: 'name: there is already a webhook of this name; choose another one' };

export function createWebhookService({ clock, sealer, random }: WebhookDependencies): WebhookService {
  const seal = (tenantId: string, id: string, secrets: Secrets) => sealer.seal(JSON.stringify(secrets), placeOf(tenantId, id));
  const open = (tenantId: string, id: string, sealed: string) => JSON.parse(sealer.open(sealed, placeOf(tenantId, id))) as Secrets;

  /** Locked. */
  async function manageable(uow: UnitOfWork, actor: Authority, webhookId: string): Promise<WebhookRow & { secret: string }> {
    requirePermission(actor, 'webhook.manage');
    const [row] = isId(webhookId)
      ? await uow.rows<{ secret: string }>('select secret from webhooks where tenant_id = $1 and id = $2 for update', [
          uow.tenantId,
          webhookId,
        ])
      : [];
    const [webhook] = row ? await webhooksByIds(uow, actor, [webhookId]) : [];
    if (!row || !webhook) throw notThere('webhook', webhookId);
    return { ...webhook, ...row };
  }

  const reread = async (uow: UnitOfWork, actor: Authority, id: string) => (await webhooksByIds(uow, actor, [id]))[0]!;

  return {
    async createWebhook(uow, actor, input) {
      requirePermission(actor, 'webhook.manage');
      refuse([...nameProblems(input.name, webhookLimits.nameLength), ...urlProblems(input.url), ...eventProblems(input.events)]);
      // One registration of a tenant at a time, so that the limit holds.
      await uow.rows(`select pg_advisory_xact_lock(hashtextextended('webhooks ' || $1, 0))`, [uow.tenantId]);
      const [known] = await uow.rows<{ count: number }>('select count(*)::int as count from webhooks where tenant_id = $1', [uow.tenantId]);
      if (known!.count >= webhookLimits.perTenant) {
        throw new LimitExceededError(`a tenant has at most ${webhookLimits.perTenant} webhooks; remove one that is no longer used`);
      }
      const [id, secret] = [newId(), newSecret()];
      const stored = seal(uow.tenantId, id, { current: secret });
      await orConflict(
        uow.rows(
          `insert into webhooks (id, tenant_id, name, url, events, secret, enabled, created_by, created_at, updated_at)
           values ($1, $2, $3, $4, $5::text[], $6, true, $7, $8, $8)`,
          [id, uow.tenantId, input.name, input.url, [...new Set(input.events)], stored, actor.principalId, clock.now()],
        ),
        nameTaken,
      );
      return { webhook: await reread(uow, actor, id), secret };
    },

    async updateWebhook(uow, actor, input) {
      const before = await manageable(uow, actor, input.webhookId);
      const { name = before.name, url = before.url, events = before.events, enabled = before.enabled } = withoutNulls(input);
      refuse([...nameProblems(name, webhookLimits.nameLength), ...urlProblems(url), ...eventProblems(events)]);
      await orConflict(
        uow.rows(
          `update webhooks set name = $3, url = $4, events = $5::text[], enabled = $6, updated_at = $7
           where tenant_id = $1 and id = $2 and (name, url, events, enabled) <> ($3, $4, $5::text[], $6)`,
          [uow.tenantId, before.id, name, url, [...new Set(events)], enabled, clock.now()],
        ),
        nameTaken,
      );
      return reread(uow, actor, before.id);
    },

    async rotateWebhookSecret(uow, actor, webhookId) {
      const before = await manageable(uow, actor, webhookId);
      const now = clock.now();
      const secrets = rotated(open(uow.tenantId, before.id, before.secret), now);
      const stored = seal(uow.tenantId, before.id, secrets);
      await uow.rows('update webhooks set secret = $3, updated_at = $4 where tenant_id = $1 and id = $2', [
        uow.tenantId,
        before.id,
        stored,
        now,
      ]);
      return { webhook: await reread(uow, actor, before.id), secret: secrets.current };
    },

    async deleteWebhook(uow, actor, webhookId) {
      const { secret: _, ...webhook } = await manageable(uow, actor, webhookId);
      uow.write('delete from webhook_deliveries where tenant_id = $1 and webhook_id = $2', [uow.tenantId, webhook.id]);
      await uow.rows('delete from webhooks where tenant_id = $1 and id = $2', [uow.tenantId, webhook.id]);
      return webhook;
    },

    async redeliver(uow, actor, deliveryId) {
      requirePermission(actor, 'webhook.manage');
      const [seen] = await deliveriesByIds(uow, actor, [deliveryId]);
      if (!seen) throw notThere('delivery', deliveryId);
      const again = await uow.rows(
        `update webhook_deliveries d set status = 'pending', attempts = 0, last_error = null, delivered_at = null from webhooks w
         where d.tenant_id = $1 and d.id = $2 and d.status <> 'pending' and w.tenant_id = $1 and w.id = d.webhook_id and w.enabled returning d.id`,
        [uow.tenantId, deliveryId],
      );
      if (again.length === 0) throw new InvalidStateError('the delivery is under way already, or its webhook is switched off');
      await deliverLater(uow, deliveryId);
      return (await deliveriesByIds(uow, actor, [deliveryId]))[0]!;
    },

    webhooksByIds,
    listWebhooks,
    deliveriesByIds,
    deliveriesOf,

    async openDelivery(uow, deliveryId) {
      const [row] = await uow.rows<Omit<OpenDelivery, 'secrets'> & { secret: string }>(
        `select d.id, d.webhook_id as "webhookId", w.url, d.payload, d.attempts, w.secret from webhook_deliveries d
         join webhooks w on w.tenant_id = $1 and w.id = d.webhook_id and w.enabled
         join tenants t on t.id = $1 and t.archived_at is null
         where d.tenant_id = $1 and d.id = $2 and d.status = 'pending'`,
        [uow.tenantId, deliveryId],
      );
      if (!row) return null;
      const { secret, ...delivery } = row;
      return { ...delivery, secrets: validSecrets(open(uow.tenantId, row.webhookId, secret), clock.now()) };
    },

    async giveUp(uow, deliveryId) {
      await uow.rows(
        `update webhook_deliveries d set status = 'failed', last_error = 'the webhook is switched off; switch it on and send this again'
         from webhooks w where d.tenant_id = $1 and d.id = $2 and d.status = 'pending' and w.tenant_id = $1 and w.id = d.webhook_id and not w.enabled`,
        [uow.tenantId, deliveryId],
      );
    },

    resumeDeliveries(uow) {
      uow.write(
        `select jobs.enqueue(json_agg(json_build_object('identifier', 'deliver-webhook', 'job_key', 'deliver-webhook:' || id,
           'payload', json_build_object('tenantId', tenant_id, 'deliveryId', id))))
         from webhook_deliveries where tenant_id = $1 and status = 'pending' having count(*) > 0`,
        [uow.tenantId],
      );
    },

    async recordAttempt(uow, { id, webhookId, attempts }, outcome) {
      const now = clock.now();
      const tried = attempts + 1;
      const delayMs = outcome.kind === 'delivered' || outcome.isGone ? null : retryDelayMs(tried, random());
      const status = outcome.kind === 'delivered' ? 'delivered' : delayMs === null ? 'failed' : 'pending';
      const recorded = await uow.rows(
        `update webhook_deliveries set status = $4, attempts = $5, last_error = $6, delivered_at = $7
         where tenant_id = $1 and id = $2 and attempts = $3 and status = 'pending' returning id`,
        [
          ...[uow.tenantId, id, attempts, status, tried],
          ...[outcome.kind === 'failed' ? outcome.reason : null, outcome.kind === 'delivered' ? now : null],
        ],
      );
      if (recorded.length === 0) return;
      if (delayMs !== null) await deliverLater(uow, id, new Date(now.getTime() + delayMs));
      if (outcome.kind === 'failed' && outcome.isGone) {
        uow.write('update webhooks set enabled = false, updated_at = $3 where tenant_id = $1 and id = $2', [uow.tenantId, webhookId, now]);
      }
      // The oldest hundred at a time: more come to an end with later deliveries.
      uow.write(
        `delete from webhook_deliveries where tenant_id = $1 and status <> 'pending' and created_at < $3 and id in (
           select id from webhook_deliveries where tenant_id = $1 and webhook_id = $2 order by id limit 100)`,
        [uow.tenantId, webhookId, new Date(now.getTime() - webhookLimits.keptDays * 86_400_000)],
      );
    },
  };
}

const deliverLater = (uow: UnitOfWork, deliveryId: string, runAt?: Date) =>
  enqueue(uow, [{ name: 'deliver-webhook', payload: { tenantId: uow.tenantId, deliveryId }, runAt, key: `deliver-webhook:${deliveryId}` }]);

type Given<T> = { [Key in keyof T]?: Exclude<T[Key], null> };
const withoutNulls = (input: WebhookUpdate): Given<WebhookUpdate> =>
  Object.fromEntries(Object.entries(input).filter(([, value]) => value !== null));

function refuse(problems: readonly Problem[]): void {
  if (problems.length > 0) throw new ValidationError(problems);
}

const eventProblems = (events: readonly WebhookEvent[]): Problem[] =>
  events.length > 0 ? [] : [{ path: 'events', message: 'names none, so that nothing would ever be told', expected: 'at least one event' }];
