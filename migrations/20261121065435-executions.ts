import { Migration } from '@mikro-orm/migrations';

export class Migration20261121065435_executions extends Migration {
  override name = 'Migration20261121065435_executions';

  override up(): void | Promise<void> {
    this.addSql(
      `create table "signals" ("id" uuid not null, "tenant_id" uuid not null, "execution_id" uuid not null, "name" text not null, "payload" jsonb null, "idempotency_key" text null, "request_digest" text not null, "sent_by" uuid not null, "sent_at" timestamptz(3) not null, "received_by" text null, "received_at" timestamptz(3) null, primary key ("id"));`,
    );
    this.addSql(`create index "signals_execution" on "signals" ("tenant_id", "execution_id", "name", "id");`);
    this.addSql(`alter table "signals" add constraint "signals_idempotency" unique ("tenant_id", "execution_id", "idempotency_key");`);

    this.addSql(`alter table "executions" drop constraint "executions_status_check";`);
    this.addSql(
      `alter table "executions" add "start_at" timestamptz(3) null, add "parent_id" uuid null, add "parent_step_id" text null, add "parent_item_index" int null, add "depth" int not null default 0, add "origin_id" uuid null, add "origin" text null, add "origin_step_id" text null, add "effect_scope_id" uuid null;`,
    );
    this.addSql(`create index "executions_parent" on "executions" ("tenant_id", "parent_id", "id") where "parent_id" is not null;`);
    this.addSql(`create index "executions_origin" on "executions" ("tenant_id", "origin_id", "id") where "origin_id" is not null;`);
    this.addSql(`alter table "executions" add constraint "executions_origin_check" check (origin in ('retry', 'fork'));`);
    this.addSql(
      `alter table "executions" add constraint "executions_status_check" check (status in ('queued', 'scheduled', 'running', 'waiting', 'paused', 'succeeded', 'failed', 'cancelled', 'blocked'));`,
    );

    this.addSql(
      `alter table "steps" add "signal" text null, add "child_id" uuid null, add "item_reused" jsonb null, add "own_output" boolean not null default false;`,
    );

    this.addSql(
      `alter table "signals" add constraint "signals_execution_id_foreign" foreign key ("execution_id") references "executions" ("id");`,
    );
    this.addSql(`alter table "signals" enable row level security;`);
    this.addSql(`alter table "signals" force row level security;`);
    this.addSql(
      `create policy "tenant_isolation" on "signals" using (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);`,
    );
  }

  override down(): void | Promise<void> {
    this.addSql(`drop table if exists "signals" cascade;`);

    this.addSql(`drop index "executions_parent";`);
    this.addSql(`drop index "executions_origin";`);
    this.addSql(`alter table "executions" drop constraint "executions_origin_check";`);
    this.addSql(`alter table "executions" drop constraint "executions_status_check";`);
    this.addSql(
      `alter table "executions" drop column "start_at", drop column "parent_id", drop column "parent_step_id", drop column "parent_item_index", drop column "depth", drop column "origin_id", drop column "origin", drop column "origin_step_id", drop column "effect_scope_id";`,
    );
    this.addSql(
      `alter table "executions" add constraint "executions_status_check" check (status in ('queued', 'running', 'waiting', 'succeeded', 'failed', 'cancelled', 'blocked'));`,
    );

    this.addSql(`alter table "steps" drop column "signal", drop column "child_id", drop column "item_reused", drop column "own_output";`);
  }
}
