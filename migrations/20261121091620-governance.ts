import { Migration } from '@mikro-orm/migrations';

export class Migration20261121091620_governance extends Migration {
  override name = 'Migration20261121091620_governance';

  override up(): void | Promise<void> {
    this.addSql(
      `create table "approval_comments" ("id" uuid not null, "tenant_id" uuid not null, "approval_id" uuid not null, "kind" text not null, "author" uuid not null, "text" text not null, "data" jsonb null, "created_at" timestamptz(3) not null, primary key ("id"));`,
    );
    this.addSql(`create index "approval_comments_approval" on "approval_comments" ("tenant_id", "approval_id", "id");`);

    this.addSql(
      `create table "approval_delegations" ("id" uuid not null, "tenant_id" uuid not null, "from_principal_id" uuid not null, "to_principal_id" uuid not null, "starts_at" timestamptz(3) not null, "ends_at" timestamptz(3) not null, "reason" text not null, "created_by" uuid not null, "created_at" timestamptz(3) not null, "revoked_at" timestamptz(3) null, primary key ("id"));`,
    );
    this.addSql(`create index "approval_delegations_from" on "approval_delegations" ("tenant_id", "from_principal_id", "id");`);
    this.addSql(`create index "approval_delegations_to" on "approval_delegations" ("tenant_id", "to_principal_id", "id");`);

    this.addSql(
      `create table "approval_votes" ("approval_id" uuid not null, "stage" smallint not null, "principal_id" uuid not null, "tenant_id" uuid not null, "on_behalf_of" uuid null, "decision" text not null, "digest" text not null, "note" text null, "voted_at" timestamptz(3) not null, primary key ("approval_id", "stage", "principal_id"));`,
    );

    this.addSql(
      `create table "audit_events" ("id" uuid not null, "tenant_id" uuid not null, "principal_id" uuid not null, "action" text not null, "subject_type" text null, "subject_id" uuid null, "project_id" uuid null, "environment_id" uuid null, "team_id" uuid null, "before_digest" text null, "after_digest" text null, "address" text null, "user_agent" text null, "trace_id" text null, "occurred_at" timestamptz(3) not null, "transaction_id" xid8 not null default pg_current_xact_id(), primary key ("id"));`,
    );
    this.addSql(`create index "audit_events_order" on "audit_events" ("tenant_id", "transaction_id", "id");`);
    this.addSql(`create index "audit_events_tenant" on "audit_events" ("tenant_id", "id");`);
    this.addSql(`create index "audit_events_subject" on "audit_events" ("tenant_id", "subject_id", "id");`);
    this.addSql(`create index "audit_events_principal" on "audit_events" ("tenant_id", "principal_id", "id");`);

    this.addSql(
      `create table "data_grants" ("id" uuid not null, "tenant_id" uuid not null, "owner_agent_id" uuid not null, "grantee_agent_id" uuid not null, "kind" text not null, "name" text not null, "reason" text not null, "granted_by" uuid not null, "created_at" timestamptz(3) not null, "revoked_by" uuid null, "revoked_at" timestamptz(3) null, primary key ("id"));`,
    );
    this.addSql(`create index "data_grants_tenant" on "data_grants" ("tenant_id", "id");`);
    this.addSql(`create index "data_grants_grantee" on "data_grants" ("tenant_id", "grantee_agent_id");`);

    this.addSql(
      `create table "kill_switches" ("id" uuid not null, "tenant_id" uuid not null, "scope" text not null, "scope_id" uuid null, "pattern" text null, "project_id" uuid null, "environment_id" uuid null, "team_id" uuid null, "reason" text not null, "engaged_by" uuid not null, "engaged_at" timestamptz(3) not null, "released_by" uuid null, "released_at" timestamptz(3) null, "release_reason" text null, primary key ("id"));`,
    );
    this.addSql(`create index "kill_switches_tenant" on "kill_switches" ("tenant_id", "id");`);
    this.addSql(`create index "kill_switches_engaged" on "kill_switches" ("tenant_id") where "released_at" is null;`);

    this.addSql(
      `create table "policy_simulations" ("id" uuid not null, "tenant_id" uuid not null, "status" text not null, "candidate" jsonb not null, "from_at" timestamptz(3) not null, "to_at" timestamptz(3) not null, "filter" jsonb not null, "total" int not null, "processed" int not null default 0, "after_id" uuid null, "result" jsonb null, "error" text null, "requested_by" uuid not null, "created_at" timestamptz(3) not null, "finished_at" timestamptz(3) null, primary key ("id"));`,
    );
    this.addSql(`create index "policy_simulations_tenant" on "policy_simulations" ("tenant_id", "id");`);

    this.addSql(
      `create table "rate_counters" ("tenant_id" uuid not null, "policy_id" uuid not null, "key" text not null, "last_at" timestamptz(3) not null, primary key ("tenant_id", "policy_id", "key"));`,
    );

    this.addSql(
      `create table "rate_entries" ("id" uuid not null, "tenant_id" uuid not null, "policy_id" uuid not null, "key" text not null, "at" timestamptz(3) not null, "execution_id" uuid null, "slot" text null, primary key ("id"));`,
    );
    this.addSql(`create index "rate_entries_window" on "rate_entries" ("tenant_id", "policy_id", "key", "at");`);
    this.addSql(`create index "rate_entries_reference" on "rate_entries" ("tenant_id", "execution_id");`);

    this.addSql(
      `create table "tool_calls" ("id" uuid not null, "tenant_id" uuid not null, "project_id" uuid not null, "environment_id" uuid not null, "team_id" uuid null, "agent_id" uuid not null, "agent_version_id" uuid not null, "principal_id" uuid not null, "session" text null, "tool" text not null, "arguments" jsonb not null, "status" text not null, "decision_id" uuid not null, "approval_id" uuid null, "not_before" timestamptz(3) null, "idempotency_key" text null, "request_digest" text not null, "created_at" timestamptz(3) not null, "outcome" text null, "result" jsonb null, "reported_at" timestamptz(3) null, primary key ("id"));`,
    );
    this.addSql(`create index "tool_calls_tenant" on "tool_calls" ("tenant_id", "id");`);
    this.addSql(
      `alter table "tool_calls" add constraint "tool_calls_idempotency" unique ("tenant_id", "principal_id", "idempotency_key");`,
    );

    this.addSql(
      `create table "tool_overrides" ("tenant_id" uuid not null, "server" text not null, "name" text not null, "risk" text null, "category" text null, "set_by" uuid not null, "set_at" timestamptz(3) not null, primary key ("tenant_id", "server", "name"));`,
    );

    this.addSql(
      `create table "webhooks" ("id" uuid not null, "tenant_id" uuid not null, "name" text not null, "url" text not null, "events" text[] not null, "secret" text not null, "enabled" boolean not null default true, "created_by" uuid not null, "created_at" timestamptz(3) not null, "updated_at" timestamptz(3) not null, primary key ("id"));`,
    );
    this.addSql(`create index "webhooks_tenant" on "webhooks" ("tenant_id", "id");`);
    this.addSql(`alter table "webhooks" add constraint "webhooks_name_unique" unique ("tenant_id", "name");`);

    this.addSql(
      `create table "webhook_deliveries" ("id" uuid not null, "tenant_id" uuid not null, "webhook_id" uuid not null, "event" text not null, "payload" jsonb not null, "status" text not null, "attempts" int not null default 0, "last_error" text null, "created_at" timestamptz(3) not null, "delivered_at" timestamptz(3) null, primary key ("id"));`,
    );
    this.addSql(`create index "webhook_deliveries_webhook" on "webhook_deliveries" ("tenant_id", "webhook_id", "id");`);

    this.addSql(
      `alter table "approvals" add "tool_call_id" uuid null, add "decision_id" uuid null, add "terms" jsonb not null default '{"stages":[]}', add "stage" smallint not null default 0, add "warned_at" timestamptz(3) null, add "escalated_at" timestamptz(3) null, add "edited_by" uuid null, add "edited_at" timestamptz(3) null, add "requested" jsonb null, add "cost_micro_usd" bigint null;`,
    );
    this.addSql(`alter table "approvals" alter column "execution_id" drop not null;`);
    this.addSql(`alter table "approvals" alter column "step_id" drop not null;`);

    this.addSql(`alter table "decisions" drop constraint "decisions_action_check";`);
    this.addSql(`alter table "decisions" drop constraint "decisions_effect_check";`);
    this.addSql(`alter table "decisions" add "principal_id" uuid null, add "tool" text null;`);
    this.addSql(
      `alter table "decisions" add constraint "decisions_action_check" check (action in ('execution.start', 'tool.call', 'http.request', 'output.deliver'));`,
    );
    this.addSql(
      `alter table "decisions" add constraint "decisions_effect_check" check (effect in ('allow', 'warn', 'deny', 'require_approval', 'queue', 'delay'));`,
    );

    this.addSql(`alter table "policies" drop constraint "policies_kind_check";`);
    this.addSql(`alter table "policies" drop constraint "policies_mode_check";`);
    this.addSql(
      `alter table "policies" add "team_id" uuid null, add "tool" text null, add "attachments" jsonb not null default '[]', add "rollout" jsonb null, add "on_error" text not null default 'allow';`,
    );
    this.addSql(`alter table "policies" add constraint "policies_on_error_check" check (on_error in ('allow', 'deny'));`);
    this.addSql(
      `alter table "policies" add constraint "policies_kind_check" check (kind in ('tool_access', 'approval_required', 'rate_limit', 'time_window', 'destination', 'data_scope', 'content'));`,
    );
    this.addSql(`alter table "policies" add constraint "policies_mode_check" check (mode in ('observe', 'inject', 'enforce'));`);

    this.addSql(
      `alter table "approval_comments" add constraint "approval_comments_approval_id_foreign" foreign key ("approval_id") references "approvals" ("id");`,
    );
    this.addSql(
      `alter table "approval_comments" add constraint "approval_comments_kind_check" check (kind in ('comment', 'question', 'answer', 'edit', 'extension'));`,
    );
    this.addSql(`alter table "approval_comments" enable row level security;`);
    this.addSql(`alter table "approval_comments" force row level security;`);
    this.addSql(
      `create policy "tenant_isolation" on "approval_comments" using (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);`,
    );

    this.addSql(`alter table "approval_delegations" enable row level security;`);
    this.addSql(`alter table "approval_delegations" force row level security;`);
    this.addSql(
      `create policy "tenant_isolation" on "approval_delegations" using (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);`,
    );

    this.addSql(
      `alter table "approval_votes" add constraint "approval_votes_approval_id_foreign" foreign key ("approval_id") references "approvals" ("id");`,
    );
    this.addSql(`alter table "approval_votes" add constraint "approval_votes_decision_check" check (decision in ('approve', 'reject'));`);
    this.addSql(`alter table "approval_votes" enable row level security;`);
    this.addSql(`alter table "approval_votes" force row level security;`);
    this.addSql(
      `create policy "tenant_isolation" on "approval_votes" using (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);`,
    );

    this.addSql(`alter table "audit_events" enable row level security;`);
    this.addSql(`alter table "audit_events" force row level security;`);
    this.addSql(
      `create policy "tenant_isolation" on "audit_events" using (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);`,
    );

    this.addSql(`alter table "data_grants" add constraint "data_grants_kind_check" check (kind in ('dataset', 'api', 'service'));`);
    this.addSql(`alter table "data_grants" enable row level security;`);
    this.addSql(`alter table "data_grants" force row level security;`);
    this.addSql(
      `create policy "tenant_isolation" on "data_grants" using (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);`,
    );

    this.addSql(
      `alter table "kill_switches" add constraint "kill_switches_scope_check" check (scope in ('tenant', 'project', 'environment', 'agent', 'tool', 'destination'));`,
    );
    this.addSql(`alter table "kill_switches" enable row level security;`);
    this.addSql(`alter table "kill_switches" force row level security;`);
    this.addSql(
      `create policy "tenant_isolation" on "kill_switches" using (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);`,
    );

    this.addSql(
      `alter table "policy_simulations" add constraint "policy_simulations_status_check" check (status in ('queued', 'running', 'succeeded', 'failed', 'cancelled'));`,
    );
    this.addSql(`alter table "policy_simulations" enable row level security;`);
    this.addSql(`alter table "policy_simulations" force row level security;`);
    this.addSql(
      `create policy "tenant_isolation" on "policy_simulations" using (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);`,
    );

    this.addSql(`alter table "rate_counters" enable row level security;`);
    this.addSql(`alter table "rate_counters" force row level security;`);
    this.addSql(
      `create policy "tenant_isolation" on "rate_counters" using (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);`,
    );

    this.addSql(`alter table "rate_entries" enable row level security;`);
    this.addSql(`alter table "rate_entries" force row level security;`);
    this.addSql(
      `create policy "tenant_isolation" on "rate_entries" using (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);`,
    );

    this.addSql(
      `alter table "tool_calls" add constraint "tool_calls_status_check" check (status in ('allowed', 'refused', 'awaiting_approval', 'waiting', 'reported'));`,
    );
    this.addSql(`alter table "tool_calls" enable row level security;`);
    this.addSql(`alter table "tool_calls" force row level security;`);
    this.addSql(
      `create policy "tenant_isolation" on "tool_calls" using (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);`,
    );

    this.addSql(
      `alter table "tool_overrides" add constraint "tool_overrides_risk_check" check (risk in ('low', 'medium', 'high', 'critical'));`,
    );
    this.addSql(
      `alter table "tool_overrides" add constraint "tool_overrides_category_check" check (category in ('command_execution', 'file_operation', 'file_search', 'network', 'data', 'general'));`,
    );
    this.addSql(`alter table "tool_overrides" enable row level security;`);
    this.addSql(`alter table "tool_overrides" force row level security;`);
    this.addSql(
      `create policy "tenant_isolation" on "tool_overrides" using (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);`,
    );

    this.addSql(`alter table "webhooks" enable row level security;`);
    this.addSql(`alter table "webhooks" force row level security;`);
    this.addSql(
      `create policy "tenant_isolation" on "webhooks" using (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);`,
    );

    this.addSql(
      `alter table "webhook_deliveries" add constraint "webhook_deliveries_webhook_id_foreign" foreign key ("webhook_id") references "webhooks" ("id");`,
    );
    this.addSql(
      `alter table "webhook_deliveries" add constraint "webhook_deliveries_event_check" check (event in ('approval.requested', 'approval.decided', 'approval.expiring', 'approval.expired', 'approval.escalated', 'approval.cancelled'));`,
    );
    this.addSql(
      `alter table "webhook_deliveries" add constraint "webhook_deliveries_status_check" check (status in ('pending', 'delivered', 'failed'));`,
    );
    this.addSql(`alter table "webhook_deliveries" enable row level security;`);
    this.addSql(`alter table "webhook_deliveries" force row level security;`);
    this.addSql(
      `create policy "tenant_isolation" on "webhook_deliveries" using (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);`,
    );
  }

  override down(): void | Promise<void> {
    this.addSql(`alter table "webhook_deliveries" drop constraint "webhook_deliveries_webhook_id_foreign";`);

    this.addSql(`drop table if exists "approval_comments" cascade;`);
    this.addSql(`drop table if exists "approval_delegations" cascade;`);
    this.addSql(`drop table if exists "approval_votes" cascade;`);
    this.addSql(`drop table if exists "audit_events" cascade;`);
    this.addSql(`drop table if exists "data_grants" cascade;`);
    this.addSql(`drop table if exists "kill_switches" cascade;`);
    this.addSql(`drop table if exists "policy_simulations" cascade;`);
    this.addSql(`drop table if exists "rate_counters" cascade;`);
    this.addSql(`drop table if exists "rate_entries" cascade;`);
    this.addSql(`drop table if exists "tool_calls" cascade;`);
    this.addSql(`drop table if exists "tool_overrides" cascade;`);
    this.addSql(`drop table if exists "webhooks" cascade;`);
    this.addSql(`drop table if exists "webhook_deliveries" cascade;`);

    this.addSql(
      `alter table "approvals" drop column "tool_call_id", drop column "decision_id", drop column "terms", drop column "stage", drop column "warned_at", drop column "escalated_at", drop column "edited_by", drop column "edited_at", drop column "requested", drop column "cost_micro_usd";`,
    );
    this.addSql(`alter table "approvals" alter column "execution_id" set not null;`);
    this.addSql(`alter table "approvals" alter column "step_id" set not null;`);

    this.addSql(`alter table "decisions" drop constraint "decisions_action_check";`);
    this.addSql(`alter table "decisions" drop constraint "decisions_effect_check";`);
    this.addSql(`alter table "decisions" drop column "principal_id", drop column "tool";`);
    this.addSql(
      `alter table "decisions" add constraint "decisions_action_check" check (action in ('execution.start', 'tool.call', 'http.request'));`,
    );
    this.addSql(`alter table "decisions" add constraint "decisions_effect_check" check (effect in ('allow', 'deny', 'require_approval'));`);

    this.addSql(`alter table "policies" drop constraint "policies_on_error_check";`);
    this.addSql(`alter table "policies" drop constraint "policies_kind_check";`);
    this.addSql(`alter table "policies" drop constraint "policies_mode_check";`);
    this.addSql(
      `alter table "policies" drop column "team_id", drop column "tool", drop column "attachments", drop column "rollout", drop column "on_error";`,
    );
    this.addSql(`alter table "policies" add constraint "policies_kind_check" check (kind in ('tool_access', 'approval_required'));`);
    this.addSql(`alter table "policies" add constraint "policies_mode_check" check (mode in ('observe', 'enforce'));`);
  }
}
