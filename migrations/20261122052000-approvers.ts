import { Migration } from '@mikro-orm/migrations';

const named = (row: string) => `coalesce(${row}.terms #> array['stages', ${row}.stage::text, 'approvers'], '[]'::jsonb)`;
const asked = (row: string) =>
  `${named(row)} || case when ${named(row)} = '[]'::jsonb or ${row}.escalated_at is null then '[]'::jsonb else coalesce(${row}.terms #> '{escalation,approvers}', '[]'::jsonb) end`;
const texts = (row: string) =>
  `select 'anybody' where ${named(row)} = '[]'::jsonb union select kind || ':' || (e->>kind) from jsonb_array_elements(${asked(row)}) as e cross join (values ('principal'), ('role'), ('team')) as kinds (kind) where e->>kind is not null`;
const insertion = (row: string) =>
  `insert into public.approval_approvers (tenant_id, approver, environment_id, approval_id, team_id) select ${row}.tenant_id, asked.approver, ${row}.environment_id, ${row}.id, ${row}.team_id from`;

export class Migration20261122052000_approvers extends Migration {
  override name = 'Migration20261122052000_approvers';

  override up(): void | Promise<void> {
    this.addSql(
      `create table "approval_approvers" ("tenant_id" uuid not null, "approver" text not null, "environment_id" uuid not null, "approval_id" uuid not null, "team_id" uuid null, primary key ("tenant_id", "approver", "environment_id", "approval_id"));`,
    );
    this.addSql(
      `create index "approval_approvers_team" on "approval_approvers" ("tenant_id", "approver", "team_id", "approval_id") where "team_id" is not null;`,
    );
    this.addSql(
      `create or replace function "approvals_approvals_approvers_fn"() returns trigger as $$ begin if (old.status, old.stage, old.terms, old.escalated_at is null) = (new.status, new.stage, new.terms, new.escalated_at is null) then return null; end if; if old.status = 'pending' then delete from public.approval_approvers a where a.tenant_id = old.tenant_id and a.approver = any(array(${texts('old')})) and a.environment_id = old.environment_id and a.approval_id = old.id; end if; if new.status = 'pending' then ${insertion('new')} (${texts('new')}) as asked (approver); end if; return null; end; $$ language plpgsql;`,
    );
    this.addSql(
      `create trigger "approvals_approvers" AFTER INSERT OR UPDATE OR DELETE on "approvals" for each ROW execute function "approvals_approvals_approvers_fn"();`,
    );
    this.addSql('alter table approvals no force row level security');
    this.addSql(`${insertion('r')} approvals r cross join lateral (${texts('r')}) as asked (approver) where r.status = 'pending'`);
    this.addSql('alter table approvals force row level security');

    this.addSql(`alter table "approval_approvers" enable row level security;`);
    this.addSql(`alter table "approval_approvers" force row level security;`);
    this.addSql(
      `create policy "tenant_isolation" on "approval_approvers" using (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);`,
    );
  }

  override down(): void | Promise<void> {
    this.addSql(`drop trigger if exists "approvals_approvers" on "approvals";`);
    this.addSql(`drop function if exists "approvals_approvals_approvers_fn"();`);
    this.addSql(`drop table if exists "approval_approvers" cascade;`);
  }
}
