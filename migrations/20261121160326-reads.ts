import { Migration } from '@mikro-orm/migrations';

export class Migration20261121160326_reads extends Migration {
  override name = 'Migration20261121160326_reads';

  override up(): void | Promise<void> {
    this.addSql(
      `create table "execution_labels" ("tenant_id" uuid not null, "name" text not null, "value" text not null, "environment_id" uuid not null, "execution_id" uuid not null, primary key ("tenant_id", "name", "value", "environment_id", "execution_id"));`,
    );
    this.addSql('alter table executions no force row level security');
    this.addSql(`insert into execution_labels (tenant_id, name, value, environment_id, execution_id)
      select e.tenant_id, label.key, label.value, e.environment_id, e.id from executions e, jsonb_each_text(e.labels) as label`);

    this.addSql(`drop index "approvals_tenant";`);
    this.addSql(`create index "approvals_agent" on "approvals" ("tenant_id", "agent_id", "environment_id", "status", "risk", "id");`);
    this.addSql(`create index "approvals_environment" on "approvals" ("tenant_id", "environment_id", "status", "risk", "id");`);
    this.addSql(
      `create index "approvals_decided" on "approvals" ("tenant_id", "environment_id", "decided_at") where "decided_at" is not null;`,
    );
    this.addSql(
      `create index "approvals_team" on "approvals" ("tenant_id", "team_id", "status", "risk", "id") where "team_id" is not null;`,
    );
    this.addSql(`create index "approvals_tenant" on "approvals" ("tenant_id", "status", "risk", "id");`);

    this.addSql(`create index "audit_events_action" on "audit_events" ("tenant_id", "action", "id");`);
    this.addSql(`create index "audit_events_project" on "audit_events" ("tenant_id", "project_id", "id") where "project_id" is not null;`);
    this.addSql(
      `create index "audit_events_environment" on "audit_events" ("tenant_id", "environment_id", "id") where "environment_id" is not null;`,
    );
    this.addSql(`create index "audit_events_team" on "audit_events" ("tenant_id", "team_id", "id") where "team_id" is not null;`);
    this.addSql(`create index "audit_events_trace_id" on "audit_events" ("tenant_id", "trace_id", "id") where "trace_id" is not null;`);
    this.addSql(
      `create index "audit_events_subject_name" on "audit_events" ("tenant_id", "subject_name", "id") where "subject_name" is not null;`,
    );

    this.addSql(`drop index "decisions_agent";`);
    this.addSql(`create index "decisions_environment" on "decisions" ("tenant_id", "environment_id", "effect", "id");`);
    this.addSql(`create index "decisions_principal" on "decisions" ("tenant_id", "principal_id", "environment_id", "id");`);
    this.addSql(`create index "decisions_team" on "decisions" ("tenant_id", "team_id", "effect", "id") where "team_id" is not null;`);
    this.addSql(`create index "decisions_tool" on "decisions" ("tenant_id", "tool", "environment_id", "id") where "tool" is not null;`);
    this.addSql(
      `create index "decisions_output" on "decisions" ("tenant_id", "action", "environment_id", "id") where action not in ('execution.start', 'tool.call');`,
    );
    this.addSql(`create index "decisions_agent" on "decisions" ("tenant_id", "agent_id", "environment_id", "effect", "id");`);

    this.addSql(`drop index "executions_labels";`);
    this.addSql(`drop index "executions_agent";`);
    this.addSql(`drop index "executions_environment";`);
    this.addSql(`create index "executions_team" on "executions" ("tenant_id", "team_id", "status", "id") where "team_id" is not null;`);
    this.addSql(`create index "executions_children" on "executions" ("tenant_id", "id") where "parent_id" is not null;`);
    this.addSql(`create index "executions_agent" on "executions" ("tenant_id", "agent_id", "environment_id", "status", "id");`);
    this.addSql(`create index "executions_environment" on "executions" ("tenant_id", "environment_id", "status", "id");`);

    this.addSql(`create index "principals_tenant" on "principals" ("tenant_id", "id");`);

    this.addSql(`drop index "api_keys_principal";`);
    this.addSql(`create index "api_keys_tenant" on "api_keys" ("tenant_id", "id");`);
    this.addSql(`create index "api_keys_principal" on "api_keys" ("tenant_id", "principal_id", "id");`);

    this.addSql(`create index "projects_tenant" on "projects" ("tenant_id", "id");`);

    this.addSql(`drop index "environments_tenant";`);
    this.addSql(`create index "environments_newest" on "environments" ("tenant_id", "id");`);
    this.addSql(`create index "environments_tenant" on "environments" ("tenant_id", "project_id", "id");`);

    this.addSql(
      `alter table "steps" add "agent_id" uuid null, add "environment_id" uuid null, add "team_id" uuid null, add "failure_code" text null;`,
    );
    this.addSql('alter table steps no force row level security');
    this
      .addSql(`update steps s set agent_id = e.agent_id, environment_id = e.environment_id, team_id = e.team_id, failure_code = s.failure->>'code'
      from executions e where e.id = s.execution_id and s.status = 'failed'`);
    this.addSql('alter table steps force row level security');
    this.addSql('alter table executions force row level security');
    this.addSql(
      `create index "steps_failed_agent_id" on "steps" ("tenant_id", "agent_id", "finished_at", "execution_id", "item_index", "step_id") where status = 'failed';`,
    );
    this.addSql(
      `create index "steps_failed_environment_id" on "steps" ("tenant_id", "environment_id", "finished_at", "execution_id", "item_index", "step_id") where status = 'failed';`,
    );
    this.addSql(
      `create index "steps_failed_team_id" on "steps" ("tenant_id", "team_id", "finished_at", "execution_id", "item_index", "step_id") where status = 'failed';`,
    );
    this.addSql(
      `create index "steps_failed_failure_code" on "steps" ("tenant_id", "failure_code", "finished_at", "execution_id", "item_index", "step_id") where status = 'failed';`,
    );
    this.addSql(
      `create or replace function "steps_steps_failed_fn"() returns trigger as $$ begin new.failure_code := new.failure->>'code'; select e.agent_id, e.environment_id, e.team_id into new.agent_id, new.environment_id, new.team_id from public.executions e where e.tenant_id = new.tenant_id and e.id = new.execution_id; return new; end; $$ language plpgsql;`,
    );
    this.addSql(`create trigger "steps_failed" BEFORE INSERT OR UPDATE on "steps" for each ROW
  when ((new.status = 'failed'::text)) execute function "steps_steps_failed_fn"();`);

    this.addSql(`create index "teams_tenant" on "teams" ("tenant_id", "id");`);

    this.addSql(`drop index "role_grants_principal";`);
    this.addSql(`create index "role_grants_tenant" on "role_grants" ("tenant_id", "id");`);
    this.addSql(`create index "role_grants_team" on "role_grants" ("tenant_id", "grantee_team_id", "id");`);
    this.addSql(`create index "role_grants_scope" on "role_grants" ("tenant_id", "scope_id", "id");`);
    this.addSql(`create index "role_grants_principal" on "role_grants" ("tenant_id", "principal_id", "id");`);

    this.addSql(`create index "agents_newest" on "agents" ("tenant_id", "id");`);

    this.addSql(`create index "team_members_principal" on "team_members" ("tenant_id", "principal_id");`);

    this.addSql(`alter table "execution_labels" enable row level security;`);
    this.addSql(`alter table "execution_labels" force row level security;`);
    this.addSql(
      `create policy "tenant_isolation" on "execution_labels" using (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);`,
    );
  }

  override down(): void | Promise<void> {
    this.addSql(`drop table if exists "execution_labels" cascade;`);

    this.addSql(`drop index "agents_newest";`);

    this.addSql(`drop index "api_keys_tenant";`);
    this.addSql(`drop index "api_keys_principal";`);
    this.addSql(`create index "api_keys_principal" on "api_keys" ("tenant_id", "principal_id");`);

    this.addSql(`drop index "approvals_agent";`);
    this.addSql(`drop index "approvals_environment";`);
    this.addSql(`drop index "approvals_decided";`);
    this.addSql(`drop index "approvals_team";`);
    this.addSql(`drop index "approvals_tenant";`);
    this.addSql(`create index "approvals_tenant" on "approvals" ("tenant_id", "status", "id");`);

    this.addSql(`drop index "audit_events_action";`);
    this.addSql(`drop index "audit_events_project";`);
    this.addSql(`drop index "audit_events_environment";`);
    this.addSql(`drop index "audit_events_team";`);
    this.addSql(`drop index "audit_events_trace_id";`);
    this.addSql(`drop index "audit_events_subject_name";`);

    this.addSql(`drop index "decisions_environment";`);
    this.addSql(`drop index "decisions_principal";`);
    this.addSql(`drop index "decisions_team";`);
    this.addSql(`drop index "decisions_tool";`);
    this.addSql(`drop index "decisions_output";`);
    this.addSql(`drop index "decisions_agent";`);
    this.addSql(`create index "decisions_agent" on "decisions" ("tenant_id", "agent_id", "id");`);

    this.addSql(`drop index "environments_newest";`);
    this.addSql(`drop index "environments_tenant";`);
    this.addSql(`create index "environments_tenant" on "environments" ("tenant_id", "project_id");`);

    this.addSql(`drop index "executions_team";`);
    this.addSql(`drop index "executions_children";`);
    this.addSql(`drop index "executions_agent";`);
    this.addSql(`drop index "executions_environment";`);
    this.addSql(`create index "executions_labels" on "executions" using gin ("labels" jsonb_path_ops);`);
    this.addSql(`create index "executions_agent" on "executions" ("tenant_id", "agent_id", "id");`);
    this.addSql(`create index "executions_environment" on "executions" ("tenant_id", "environment_id", "id");`);

    this.addSql(`drop index "principals_tenant";`);

    this.addSql(`drop index "projects_tenant";`);

    this.addSql(`drop index "role_grants_tenant";`);
    this.addSql(`drop index "role_grants_team";`);
    this.addSql(`drop index "role_grants_scope";`);
    this.addSql(`drop index "role_grants_principal";`);
    this.addSql(`create index "role_grants_principal" on "role_grants" ("tenant_id", "principal_id");`);

    this.addSql(`drop index "steps_failed_agent_id";`);
    this.addSql(`drop index "steps_failed_environment_id";`);
    this.addSql(`drop index "steps_failed_team_id";`);
    this.addSql(`drop index "steps_failed_failure_code";`);
    this.addSql(`drop trigger if exists "steps_failed" on "steps";`);
    this.addSql(`drop function if exists "steps_steps_failed_fn"();`);
    this.addSql(
      `alter table "steps" drop column "agent_id", drop column "environment_id", drop column "team_id", drop column "failure_code";`,
    );

    this.addSql(`drop index "team_members_principal";`);

    this.addSql(`drop index "teams_tenant";`);
  }
}
