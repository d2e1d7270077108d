import { Migration } from '@mikro-orm/migrations';

export class Migration20261121070808_remote_tools extends Migration {
  override name = 'Migration20261121070808_remote_tools';

  override up(): void | Promise<void> {
    this.addSql(
      `create table "tool_servers" ("id" uuid not null, "tenant_id" uuid not null, "name" text not null, "url" text not null, "headers" jsonb not null, "timeout_ms" int not null, "concurrency" int not null, "enabled" boolean not null, "version" int not null, "created_by" uuid not null, "created_at" timestamptz(3) not null, "updated_at" timestamptz(3) not null, "status" text not null, "circuit" text not null, "last_error" text null, "last_seen_at" timestamptz(3) null, primary key ("id"));`,
    );
    this.addSql(`create index "tool_servers_tenant" on "tool_servers" ("tenant_id", "id");`);
    this.addSql(`alter table "tool_servers" add constraint "tool_servers_name_unique" unique ("tenant_id", "name");`);

    this.addSql(
      `create table "remote_tools" ("tenant_id" uuid not null, "server" text not null, "name" text not null, "description" text not null, "input_schema" jsonb not null, "annotations" jsonb not null, "risk" text not null, "capability" text not null, "digest" text not null, "discovered_at" timestamptz(3) not null, "changed_at" timestamptz(3) not null, primary key ("tenant_id", "server", "name"));`,
    );

    this.addSql(
      `alter table "tool_servers" add constraint "tool_servers_status_check" check (status in ('unknown', 'healthy', 'failing', 'open_circuit'));`,
    );
    this.addSql(
      `alter table "tool_servers" add constraint "tool_servers_circuit_check" check (circuit in ('closed', 'open', 'half_open'));`,
    );
    this.addSql(`alter table "tool_servers" enable row level security;`);
    this.addSql(`alter table "tool_servers" force row level security;`);
    this.addSql(
      `create policy "tenant_isolation" on "tool_servers" using (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);`,
    );

    this.addSql(
      `alter table "remote_tools" add constraint "remote_tools_risk_check" check (risk in ('low', 'medium', 'high', 'critical'));`,
    );
    this.addSql(
      `alter table "remote_tools" add constraint "remote_tools_capability_check" check (capability in ('read', 'write', 'notify', 'execute'));`,
    );
    this.addSql(`alter table "remote_tools" enable row level security;`);
    this.addSql(`alter table "remote_tools" force row level security;`);
    this.addSql(
      `create policy "tenant_isolation" on "remote_tools" using (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);`,
    );
  }

  override down(): void | Promise<void> {
    this.addSql(`drop table if exists "tool_servers" cascade;`);
    this.addSql(`drop table if exists "remote_tools" cascade;`);
  }
}
