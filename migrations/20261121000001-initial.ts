import { Migration } from '@mikro-orm/migrations';

export class Migration20261121000001Initial extends Migration {
  override name = 'Migration20261121000001Initial';

  override up(): void | Promise<void> {
    this.addSql(
      `create table "approvals" ("id" uuid not null, "tenant_id" uuid not null, "project_id" uuid not null, "environment_id" uuid not null, "team_id" uuid null, "agent_id" uuid not null, "execution_id" uuid not null, "step_id" text not null, "item_index" int null, "source" text not null, "status" text not null, "title" text not null, "reason" text not null, "risk" text not null, "subject" jsonb not null, "digest" text not null, "requested_by" uuid not null, "created_at" timestamptz(3) not null, "expires_at" timestamptz(3) not null, "decided_at" timestamptz(3) null, "decided_by" uuid null, "note" text null, "decision_key" text null, "consumed_at" timestamptz(3) null, primary key ("id"));`,
    );
    this.addSql(`create index "approvals_tenant" on "approvals" ("tenant_id", "status", "id");`);
    this.addSql(`create index "approvals_newest" on "approvals" ("tenant_id", "id");`);
    this.addSql(`create index "approvals_execution" on "approvals" ("execution_id", "id");`);

    this.addSql(
      `create table "attempts" ("execution_id" uuid not null, "step_id" text not null, "item_index" int not null, "number" int not null, "tenant_id" uuid not null, "status" text not null, "arguments" jsonb null, "failure" jsonb null, "decision_id" uuid null, "started_at" timestamptz(3) not null, "finished_at" timestamptz(3) null, primary key ("execution_id", "step_id", "item_index", "number"));`,
    );

    this.addSql(
      `create table "decisions" ("id" uuid not null, "tenant_id" uuid not null, "project_id" uuid not null, "environment_id" uuid not null, "agent_id" uuid not null, "team_id" uuid null, "execution_id" uuid null, "step_id" text null, "item_index" int null, "action" text not null, "effect" text not null, "reasons" text[] not null, "findings" jsonb not null, "input" jsonb not null, "input_digest" text not null, "duration_micros" int not null, "created_at" timestamptz(3) not null, primary key ("id"));`,
    );
    this.addSql(`create index "decisions_execution" on "decisions" ("execution_id", "id");`);
    this.addSql(`create index "decisions_tenant" on "decisions" ("tenant_id", "id");`);
    this.addSql(`create index "decisions_agent" on "decisions" ("tenant_id", "agent_id", "id");`);
    this.addSql(`create index "decisions_refused" on "decisions" ("tenant_id", "effect", "id") where effect <> 'allow';`);

    this.addSql(
      `create table "executions" ("id" uuid not null, "tenant_id" uuid not null, "project_id" uuid not null, "environment_id" uuid not null, "team_id" uuid null, "agent_id" uuid not null, "agent_version_id" uuid not null, "status" text not null, "inputs" jsonb not null, "output" jsonb null, "failure" jsonb null, "labels" jsonb not null, "idempotency_key" text null, "request_digest" text not null, "requested_by" uuid not null, "requested_roles" text[] not null, "last_sequence" int not null default 0, "created_at" timestamptz(3) not null, "started_at" timestamptz(3) null, "finished_at" timestamptz(3) null, primary key ("id"));`,
    );
    this.addSql(`create index "executions_tenant" on "executions" ("tenant_id", "id");`);
    this.addSql(`create index "executions_status" on "executions" ("tenant_id", "status", "id");`);
    this.addSql(`create index "executions_agent" on "executions" ("tenant_id", "agent_id", "id");`);
    this.addSql(`create index "executions_environment" on "executions" ("tenant_id", "environment_id", "id");`);
    this.addSql(`create index "executions_labels" on "executions" using gin ("labels" jsonb_path_ops);`);
    this.addSql(`alter table "executions" add constraint "executions_idempotency" unique ("tenant_id", "idempotency_key");`);

    this.addSql(
      `create table "execution_events" ("execution_id" uuid not null, "sequence" int not null, "tenant_id" uuid not null, "type" text not null, "data" jsonb not null, "occurred_at" timestamptz(3) not null, "transaction_id" xid8 not null default pg_current_xact_id(), primary key ("execution_id", "sequence"));`,
    );
    this.addSql(
      `create index "execution_events_tenant" on "execution_events" ("tenant_id", "transaction_id", "execution_id", "sequence");`,
    );
    this.addSql(
      `create index "execution_events_approvals" on "execution_events" ("tenant_id", "transaction_id", "execution_id", "sequence") where type like 'approval.%';`,
    );

    this.addSql(
      `create table "policies" ("id" uuid not null, "tenant_id" uuid not null, "name" text not null, "description" text not null default '', "kind" text not null, "mode" text not null, "priority" int not null default 100, "enabled" boolean not null default true, "project_id" uuid null, "environment_id" uuid null, "agent_id" uuid null, "tag" text null, "version" int not null, "created_by" uuid not null, "created_at" timestamptz(3) not null, "updated_at" timestamptz(3) not null, "deleted_at" timestamptz(3) null, primary key ("id"));`,
    );
    this.addSql(`create index "policies_tenant" on "policies" ("tenant_id", "id");`);
    this.addSql(`create unique index "policies_name_unique" on "policies" ("tenant_id", "name") where deleted_at is null;`);

    this.addSql(
      `create table "policy_versions" ("policy_id" uuid not null, "version" int not null, "tenant_id" uuid not null, "rules" jsonb not null, "created_by" uuid not null, "created_at" timestamptz(3) not null, primary key ("policy_id", "version"));`,
    );

    this.addSql(
      `create table "principals" ("id" uuid not null, "tenant_id" uuid not null, "kind" text not null, "name" text not null, "email" text null, "issuer" text null, "subject" text null, "created_at" timestamptz(3) not null, "disabled_at" timestamptz(3) null, primary key ("id"));`,
    );
    this.addSql(`alter table "principals" add constraint "principals_name_unique" unique ("tenant_id", "name");`);
    this.addSql(`alter table "principals" add constraint "principals_subject_unique" unique ("tenant_id", "issuer", "subject");`);

    this.addSql(
      `create table "api_keys" ("id" uuid not null, "tenant_id" uuid not null, "principal_id" uuid not null, "name" text not null, "secret_hash" bytea not null, "roles" text[] not null, "environment_id" uuid null, "created_by" uuid null, "created_at" timestamptz(3) not null, "expires_at" timestamptz(3) null, "revoked_at" timestamptz(3) null, "last_used_at" timestamptz(3) null, primary key ("id"));`,
    );
    this.addSql(`create index "api_keys_principal" on "api_keys" ("tenant_id", "principal_id");`);

    this.addSql(
      `create table "projects" ("id" uuid not null, "tenant_id" uuid not null, "name" text not null, "description" text not null default '', "created_at" timestamptz(3) not null, primary key ("id"));`,
    );
    this.addSql(`alter table "projects" add constraint "projects_name_unique" unique ("tenant_id", "name");`);

    this.addSql(
      `create table "environments" ("id" uuid not null, "tenant_id" uuid not null, "project_id" uuid not null, "name" text not null, "kind" text not null, "created_at" timestamptz(3) not null, primary key ("id"));`,
    );
    this.addSql(`create index "environments_tenant" on "environments" ("tenant_id", "project_id");`);
    this.addSql(`alter table "environments" add constraint "environments_name_unique" unique ("project_id", "name");`);

    this.addSql(
      `create table "runners" ("id" uuid not null, "worker_pool_id" text not null, "lock_key" bigint not null, "started_at" timestamptz(3) not null, primary key ("id"));`,
    );

    this.addSql(
      `create table "steps" ("execution_id" uuid not null, "item_index" int not null default -1, "step_id" text not null, "tenant_id" uuid not null, "status" text not null, "attempt" int not null default 0, "interruptions" int not null default 0, "job_id" text null, "item" jsonb null, "output" jsonb null, "failure" jsonb null, "wake_at" timestamptz(3) null, "approval_id" uuid null, "item_total" int null, "item_next" int null, "item_done" int null, "item_failed" int null, "item_waiting" int null, "output_bytes" int not null default 0, "queued_at" timestamptz(3) null, "started_at" timestamptz(3) null, "finished_at" timestamptz(3) null, primary key ("execution_id", "item_index", "step_id"));`,
    );

    this.addSql(`create table "stream_epoch" ("id" int not null, "epoch" uuid not null default gen_random_uuid(), primary key ("id"));`);

    this.addSql(
      `create table "teams" ("id" uuid not null, "tenant_id" uuid not null, "name" text not null, "created_at" timestamptz(3) not null, primary key ("id"));`,
    );
    this.addSql(`alter table "teams" add constraint "teams_name_unique" unique ("tenant_id", "name");`);

    this.addSql(
      `create table "role_grants" ("id" uuid not null, "tenant_id" uuid not null, "role" text not null, "scope_kind" text not null, "scope_id" uuid not null, "principal_id" uuid null, "grantee_team_id" uuid null, "created_by" uuid null, "created_at" timestamptz(3) not null, primary key ("id"));`,
    );
    this.addSql(`create index "role_grants_principal" on "role_grants" ("tenant_id", "principal_id");`);
    this.addSql(
      `create unique index "role_grants_unique" on "role_grants" ("tenant_id", "role", "scope_kind", "scope_id", "principal_id", "grantee_team_id") nulls not distinct;`,
    );

    this.addSql(
      `create table "agents" ("id" uuid not null, "tenant_id" uuid not null, "project_id" uuid not null, "team_id" uuid null, "name" text not null, "description" text not null default '', "owner" text null, "tags" text[] not null default '{}', "status" text not null, "pause_reason" text null, "created_by" uuid not null, "created_at" timestamptz(3) not null, "updated_at" timestamptz(3) not null, "archived_at" timestamptz(3) null, primary key ("id"));`,
    );
    this.addSql(`create index "agents_tenant" on "agents" ("tenant_id", "project_id", "id");`);
    this.addSql(`alter table "agents" add constraint "agents_name_unique" unique ("project_id", "name");`);

    this.addSql(
      `create table "agent_versions" ("id" uuid not null, "tenant_id" uuid not null, "agent_id" uuid not null, "version" text not null, "definition" jsonb not null, "source" text not null, "digest" text not null, "created_by" uuid not null, "created_at" timestamptz(3) not null, primary key ("id"));`,
    );
    this.addSql(`alter table "agent_versions" add constraint "agent_versions_version_unique" unique ("agent_id", "version");`);

    this.addSql(
      `create table "deployments" ("id" uuid not null, "tenant_id" uuid not null, "agent_id" uuid not null, "environment_id" uuid not null, "version_id" uuid not null, "kind" text not null, "created_by" uuid not null, "created_at" timestamptz(3) not null, "superseded_at" timestamptz(3) null, primary key ("id"));`,
    );
    this.addSql(`create index "deployments_history" on "deployments" ("tenant_id", "agent_id", "environment_id", "id");`);
    this.addSql(`create unique index "deployments_one_live" on "deployments" ("agent_id", "environment_id") where superseded_at is null;`);

    this.addSql(
      `create table "team_members" ("team_id" uuid not null, "principal_id" uuid not null, "tenant_id" uuid not null, "created_at" timestamptz(3) not null, primary key ("team_id", "principal_id"));`,
    );

    this.addSql(
      `create table "tenants" ("id" uuid not null, "tenant_id" uuid not null, "name" text not null, "is_operator" boolean not null default false, "policy_revision" int not null default 0, "created_at" timestamptz(3) not null, primary key ("id"));`,
    );
    this.addSql(`alter table "tenants" add constraint "tenants_name_unique" unique ("name");`);

    this.addSql(
      `create table "tool_approvals" ("tenant_id" uuid not null, "server" text not null, "name" text not null, "digest" text not null, "approved_by" uuid null, "approved_at" timestamptz(3) not null, primary key ("tenant_id", "server", "name"));`,
    );

    this.addSql(
      `create table "tool_definitions" ("server" text not null, "name" text not null, "description" text not null, "input_schema" jsonb not null, "annotations" jsonb not null, "risk" text not null, "capability" text not null, "digest" text not null, "discovered_at" timestamptz(3) not null, "changed_at" timestamptz(3) not null, primary key ("server", "name"));`,
    );

    this.addSql(`alter table "approvals" add constraint "approvals_source_check" check (source in ('step', 'policy'));`);
    this.addSql(
      `alter table "approvals" add constraint "approvals_status_check" check (status in ('pending', 'approved', 'rejected', 'expired', 'cancelled'));`,
    );
    this.addSql(`alter table "approvals" add constraint "approvals_risk_check" check (risk in ('low', 'medium', 'high', 'critical'));`);
    this.addSql(`alter table "approvals" enable row level security;`);
    this.addSql(`alter table "approvals" force row level security;`);
    this.addSql(
      `create policy "tenant_isolation" on "approvals" using (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);`,
    );

    this.addSql(
      `alter table "attempts" add constraint "attempts_status_check" check (status in ('running', 'succeeded', 'failed', 'abandoned'));`,
    );
    this.addSql(`alter table "attempts" enable row level security;`);
    this.addSql(`alter table "attempts" force row level security;`);
    this.addSql(
      `create policy "tenant_isolation" on "attempts" using (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);`,
    );

    this.addSql(`alter table "decisions" add constraint "decisions_action_check" check (action in ('execution.start', 'tool.call'));`);
    this.addSql(`alter table "decisions" add constraint "decisions_effect_check" check (effect in ('allow', 'deny', 'require_approval'));`);
    this.addSql(`alter table "decisions" enable row level security;`);
    this.addSql(`alter table "decisions" force row level security;`);
    this.addSql(
      `create policy "tenant_isolation" on "decisions" using (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);`,
    );

    this.addSql(
      `alter table "executions" add constraint "executions_status_check" check (status in ('queued', 'running', 'waiting', 'succeeded', 'failed', 'cancelled', 'blocked'));`,
    );
    this.addSql(`alter table "executions" enable row level security;`);
    this.addSql(`alter table "executions" force row level security;`);
    this.addSql(
      `create policy "tenant_isolation" on "executions" using (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);`,
    );

    this.addSql(`alter table "execution_events" enable row level security;`);
    this.addSql(`alter table "execution_events" force row level security;`);
    this.addSql(
      `create policy "tenant_isolation" on "execution_events" using (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);`,
    );

    this.addSql(`alter table "policies" add constraint "policies_kind_check" check (kind in ('tool_access', 'approval_required'));`);
    this.addSql(`alter table "policies" add constraint "policies_mode_check" check (mode in ('observe', 'enforce'));`);
    this.addSql(`alter table "policies" enable row level security;`);
    this.addSql(`alter table "policies" force row level security;`);
    this.addSql(
      `create policy "tenant_isolation" on "policies" using (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);`,
    );

    this.addSql(
      `alter table "policy_versions" add constraint "policy_versions_policy_id_foreign" foreign key ("policy_id") references "policies" ("id");`,
    );
    this.addSql(`alter table "policy_versions" enable row level security;`);
    this.addSql(`alter table "policy_versions" force row level security;`);
    this.addSql(
      `create policy "tenant_isolation" on "policy_versions" using (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);`,
    );

    this.addSql(`alter table "principals" add constraint "principals_kind_check" check (kind in ('user', 'service_account', 'worker'));`);
    this.addSql(`alter table "principals" enable row level security;`);
    this.addSql(`alter table "principals" force row level security;`);
    this.addSql(
      `create policy "tenant_isolation" on "principals" using (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);`,
    );

    this.addSql(
      `alter table "api_keys" add constraint "api_keys_principal_id_foreign" foreign key ("principal_id") references "principals" ("id");`,
    );
    this.addSql(`alter table "api_keys" enable row level security;`);
    this.addSql(`alter table "api_keys" force row level security;`);
    this.addSql(
      `create policy "tenant_isolation" on "api_keys" using (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);`,
    );

    this.addSql(`alter table "projects" enable row level security;`);
    this.addSql(`alter table "projects" force row level security;`);
    this.addSql(
      `create policy "tenant_isolation" on "projects" using (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);`,
    );

    this.addSql(
      `alter table "environments" add constraint "environments_project_id_foreign" foreign key ("project_id") references "projects" ("id");`,
    );
    this.addSql(
      `alter table "environments" add constraint "environments_kind_check" check (kind in ('development', 'staging', 'production'));`,
    );
    this.addSql(`alter table "environments" enable row level security;`);
    this.addSql(`alter table "environments" force row level security;`);
    this.addSql(
      `create policy "tenant_isolation" on "environments" using (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);`,
    );

    this.addSql(
      `alter table "steps" add constraint "steps_execution_id_foreign" foreign key ("execution_id") references "executions" ("id");`,
    );
    this.addSql(
      `alter table "steps" add constraint "steps_status_check" check (status in ('pending', 'queued', 'running', 'awaiting_approval', 'waiting', 'succeeded', 'failed', 'skipped', 'cancelled', 'blocked'));`,
    );
    this.addSql(`alter table "steps" enable row level security;`);
    this.addSql(`alter table "steps" force row level security;`);
    this.addSql(
      `create policy "tenant_isolation" on "steps" using (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);`,
    );

    this.addSql(`alter table "teams" enable row level security;`);
    this.addSql(`alter table "teams" force row level security;`);
    this.addSql(
      `create policy "tenant_isolation" on "teams" using (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);`,
    );

    this.addSql(
      `alter table "role_grants" add constraint "role_grants_principal_id_foreign" foreign key ("principal_id") references "principals" ("id") on delete set null;`,
    );
    this.addSql(
      `alter table "role_grants" add constraint "role_grants_grantee_team_id_foreign" foreign key ("grantee_team_id") references "teams" ("id") on delete set null;`,
    );
    this.addSql(
      `alter table "role_grants" add constraint "role_grants_one_grantee" check (num_nonnulls(principal_id, grantee_team_id) = 1);`,
    );
    this.addSql(
      `alter table "role_grants" add constraint "role_grants_role_check" check (role in ('admin', 'operator', 'reviewer', 'agent_manager', 'viewer', 'service'));`,
    );
    this.addSql(
      `alter table "role_grants" add constraint "role_grants_scope_kind_check" check (scope_kind in ('tenant', 'project', 'environment', 'team'));`,
    );
    this.addSql(`alter table "role_grants" enable row level security;`);
    this.addSql(`alter table "role_grants" force row level security;`);
    this.addSql(
      `create policy "tenant_isolation" on "role_grants" using (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);`,
    );

    this.addSql(`alter table "agents" add constraint "agents_project_id_foreign" foreign key ("project_id") references "projects" ("id");`);
    this.addSql(
      `alter table "agents" add constraint "agents_team_id_foreign" foreign key ("team_id") references "teams" ("id") on delete set null;`,
    );
    this.addSql(`alter table "agents" add constraint "agents_status_check" check (status in ('draft', 'active', 'paused', 'deprecated'));`);
    this.addSql(`alter table "agents" enable row level security;`);
    this.addSql(`alter table "agents" force row level security;`);
    this.addSql(
      `create policy "tenant_isolation" on "agents" using (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);`,
    );

    this.addSql(
      `alter table "agent_versions" add constraint "agent_versions_agent_id_foreign" foreign key ("agent_id") references "agents" ("id");`,
    );
    this.addSql(`alter table "agent_versions" enable row level security;`);
    this.addSql(`alter table "agent_versions" force row level security;`);
    this.addSql(
      `create policy "tenant_isolation" on "agent_versions" using (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);`,
    );

    this.addSql(
      `alter table "deployments" add constraint "deployments_agent_id_foreign" foreign key ("agent_id") references "agents" ("id");`,
    );
    this.addSql(
      `alter table "deployments" add constraint "deployments_environment_id_foreign" foreign key ("environment_id") references "environments" ("id");`,
    );
    this.addSql(
      `alter table "deployments" add constraint "deployments_version_id_foreign" foreign key ("version_id") references "agent_versions" ("id");`,
    );
    this.addSql(`alter table "deployments" add constraint "deployments_kind_check" check (kind in ('promote', 'rollback'));`);
    this.addSql(`alter table "deployments" enable row level security;`);
    this.addSql(`alter table "deployments" force row level security;`);
    this.addSql(
      `create policy "tenant_isolation" on "deployments" using (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);`,
    );

    this.addSql(
      `alter table "team_members" add constraint "team_members_team_id_foreign" foreign key ("team_id") references "teams" ("id") on update cascade on delete cascade;`,
    );
    this.addSql(
      `alter table "team_members" add constraint "team_members_principal_id_foreign" foreign key ("principal_id") references "principals" ("id") on update cascade on delete cascade;`,
    );
    this.addSql(`alter table "team_members" enable row level security;`);
    this.addSql(`alter table "team_members" force row level security;`);
    this.addSql(
      `create policy "tenant_isolation" on "team_members" using (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);`,
    );

    this.addSql(`alter table "tenants" add constraint "tenants_own_id" check (tenant_id = id);`);
    this.addSql(`alter table "tenants" enable row level security;`);
    this.addSql(`alter table "tenants" force row level security;`);
    this.addSql(
      `create policy "tenant_isolation" on "tenants" using (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);`,
    );
    this.addSql(
      `create policy "owner_lookup" on "tenants" for select using (current_user = (select pg_get_userbyid(relowner) from pg_class where oid = 'tenants'::regclass));`,
    );

    this.addSql(`alter table "tool_approvals" enable row level security;`);
    this.addSql(`alter table "tool_approvals" force row level security;`);
    this.addSql(
      `create policy "tenant_isolation" on "tool_approvals" using (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);`,
    );

    this.addSql(
      `alter table "tool_definitions" add constraint "tool_definitions_risk_check" check (risk in ('low', 'medium', 'high', 'critical'));`,
    );
    this.addSql(
      `alter table "tool_definitions" add constraint "tool_definitions_capability_check" check (capability in ('read', 'write', 'notify', 'execute'));`,
    );
  }

  override down(): void | Promise<void> {
    this.addSql(`alter table "steps" drop constraint "steps_execution_id_foreign";`);
    this.addSql(`alter table "policy_versions" drop constraint "policy_versions_policy_id_foreign";`);
    this.addSql(`alter table "api_keys" drop constraint "api_keys_principal_id_foreign";`);
    this.addSql(`alter table "role_grants" drop constraint "role_grants_principal_id_foreign";`);
    this.addSql(`alter table "team_members" drop constraint "team_members_principal_id_foreign";`);
    this.addSql(`alter table "environments" drop constraint "environments_project_id_foreign";`);
    this.addSql(`alter table "agents" drop constraint "agents_project_id_foreign";`);
    this.addSql(`alter table "deployments" drop constraint "deployments_environment_id_foreign";`);
    this.addSql(`alter table "role_grants" drop constraint "role_grants_grantee_team_id_foreign";`);
    this.addSql(`alter table "agents" drop constraint "agents_team_id_foreign";`);
    this.addSql(`alter table "team_members" drop constraint "team_members_team_id_foreign";`);
    this.addSql(`alter table "agent_versions" drop constraint "agent_versions_agent_id_foreign";`);
    this.addSql(`alter table "deployments" drop constraint "deployments_agent_id_foreign";`);
    this.addSql(`alter table "deployments" drop constraint "deployments_version_id_foreign";`);

    this.addSql(`drop table if exists "approvals" cascade;`);
    this.addSql(`drop table if exists "attempts" cascade;`);
    this.addSql(`drop table if exists "decisions" cascade;`);
    this.addSql(`drop table if exists "executions" cascade;`);
    this.addSql(`drop table if exists "execution_events" cascade;`);
    this.addSql(`drop table if exists "policies" cascade;`);
    this.addSql(`drop table if exists "policy_versions" cascade;`);
    this.addSql(`drop table if exists "principals" cascade;`);
    this.addSql(`drop table if exists "api_keys" cascade;`);
    this.addSql(`drop table if exists "projects" cascade;`);
    this.addSql(`drop table if exists "environments" cascade;`);
    this.addSql(`drop table if exists "runners" cascade;`);
    this.addSql(`drop table if exists "steps" cascade;`);
    this.addSql(`drop table if exists "stream_epoch" cascade;`);
    this.addSql(`drop table if exists "teams" cascade;`);
    this.addSql(`drop table if exists "role_grants" cascade;`);
    this.addSql(`drop table if exists "agents" cascade;`);
    this.addSql(`drop table if exists "agent_versions" cascade;`);
    this.addSql(`drop table if exists "deployments" cascade;`);
    this.addSql(`drop table if exists "team_members" cascade;`);
    this.addSql(`drop table if exists "tenants" cascade;`);
    this.addSql(`drop table if exists "tool_approvals" cascade;`);
    this.addSql(`drop table if exists "tool_definitions" cascade;`);
  }
}
