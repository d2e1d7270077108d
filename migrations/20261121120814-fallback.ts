import { Migration } from '@mikro-orm/migrations';

export class Migration20261121120814_fallback extends Migration {
  override name = 'Migration20261121120814_fallback';

  override up(): void | Promise<void> {
    this.addSql(`alter table "audit_events" alter column "principal_id" drop not null;`);

    this.addSql(`alter table "policy_simulations" add "run" int not null default 0;`);

    this.addSql(`alter table "webhook_deliveries" drop constraint "webhook_deliveries_event_check";`);
    this.addSql(
      `alter table "webhook_deliveries" add constraint "webhook_deliveries_event_check" check (event in ('approval.requested', 'approval.decided', 'approval.expiring', 'approval.expired', 'approval.escalated', 'approval.cancelled', 'policy.fell_back'));`,
    );
  }

  override down(): void | Promise<void> {
    // What nobody did, and what webhooks were told of it, has no place in the tables of before.
    for (const table of ['audit_events', 'webhook_deliveries', 'webhooks']) this.addSql(`alter table ${table} no force row level security`);
    this.addSql('delete from audit_events where principal_id is null');
    this.addSql(`delete from webhook_deliveries where event = 'policy.fell_back'`);
    this.addSql(`update webhooks set events = array_remove(events, 'policy.fell_back')`);
    for (const table of ['audit_events', 'webhook_deliveries', 'webhooks']) this.addSql(`alter table ${table} force row level security`);
    this.addSql(`alter table "audit_events" alter column "principal_id" set not null;`);

    this.addSql(`alter table "policy_simulations" drop column "run";`);

    this.addSql(`alter table "webhook_deliveries" drop constraint "webhook_deliveries_event_check";`);
    this.addSql(
      `alter table "webhook_deliveries" add constraint "webhook_deliveries_event_check" check (event in ('approval.requested', 'approval.decided', 'approval.expiring', 'approval.expired', 'approval.escalated', 'approval.cancelled'));`,
    );
  }
}
