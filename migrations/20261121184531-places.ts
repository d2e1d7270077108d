import { Migration } from '@mikro-orm/migrations';

const failures = (columns: string) =>
  `create index "steps_failed_failure_code" on "steps" ("tenant_id", "failure_code", ${columns}, "execution_id", "item_index", "step_id") where status = 'failed';`;
const children = (columns: string) => `create index "executions_children" on "executions" (${columns}) where "parent_id" is not null;`;

export class Migration20261121184531_places extends Migration {
  override name = 'Migration20261121184531_places';

  override up(): void | Promise<void> {
    this.addSql('drop index "steps_failed_failure_code";');
    this.addSql(failures('"environment_id", "finished_at"'));
    this.addSql('drop index "executions_children";');
    this.addSql(children('"tenant_id", "environment_id", "id"'));
    this.addSql(
      `create index "audit_events_project_action" on "audit_events" ("tenant_id", "project_id", "action", "id") where "project_id" is not null;`,
    );
  }

  override down(): void | Promise<void> {
    this.addSql('drop index "audit_events_project_action";');
    this.addSql('drop index "executions_children";');
    this.addSql(children('"tenant_id", "id"'));
    this.addSql('drop index "steps_failed_failure_code";');
    this.addSql(failures('"finished_at"'));
  }
}
