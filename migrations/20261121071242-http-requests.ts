import { Migration } from '@mikro-orm/migrations';

export class Migration20261121071242_http_requests extends Migration {
  override name = 'Migration20261121071242_http_requests';

  override up(): void | Promise<void> {
    this.addSql(`alter table "decisions" drop constraint "decisions_action_check";`);
    this.addSql(
      `alter table "decisions" add constraint "decisions_action_check" check (action in ('execution.start', 'tool.call', 'http.request'));`,
    );
  }

  override down(): void | Promise<void> {
    this.addSql(`alter table "decisions" drop constraint "decisions_action_check";`);
    this.addSql(`alter table "decisions" add constraint "decisions_action_check" check (action in ('execution.start', 'tool.call'));`);
  }
}
