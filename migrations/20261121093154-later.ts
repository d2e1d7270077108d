import { Migration } from '@mikro-orm/migrations';

export class Migration20261121093154_later extends Migration {
  override name = 'Migration20261121093154_later';

  override up(): void | Promise<void> {
    this.addSql(`alter table "executions" drop constraint "executions_status_check";`);
    this.addSql(`alter table "executions" add "approval_id" uuid null;`);
    this.addSql(
      `alter table "executions" add constraint "executions_status_check" check (status in ('queued', 'scheduled', 'awaiting_approval', 'running', 'waiting', 'paused', 'succeeded', 'failed', 'cancelled', 'blocked'));`,
    );

    this.addSql(`drop index "rate_entries_reference";`);
    this.addSql(`alter table "rate_entries" add "asked_at" timestamptz(3) null;`);
    this.addSql(`create index "rate_entries_waiting" on "rate_entries" ("tenant_id", "execution_id") where asked_at is not null;`);
  }

  override down(): void | Promise<void> {
    this.addSql(`alter table "executions" drop constraint "executions_status_check";`);
    this.addSql(`alter table "executions" drop column "approval_id";`);
    this.addSql(
      `alter table "executions" add constraint "executions_status_check" check (status in ('queued', 'scheduled', 'running', 'waiting', 'paused', 'succeeded', 'failed', 'cancelled', 'blocked'));`,
    );

    this.addSql(`drop index "rate_entries_waiting";`);
    this.addSql(`alter table "rate_entries" drop column "asked_at";`);
    this.addSql(`create index "rate_entries_reference" on "rate_entries" ("tenant_id", "execution_id");`);
  }
}
