import { Migration } from '@mikro-orm/migrations';

export class Migration20261122021350_past_teams extends Migration {
  override name = 'Migration20261122021350_past_teams';

  override up(): void | Promise<void> {
    this.addSql(`alter table "agents" add "past_team_ids" uuid[] not null default '{}';`);
    const tables = ['agents', 'executions', 'decisions'];
    for (const table of tables) this.addSql(`alter table ${table} no force row level security`);
    this.addSql(`update agents a set past_team_ids = past.team_ids from (
        select worked.agent_id, array_agg(worked.team_id) as team_ids from (
          select agent_id, team_id from executions where team_id is not null union select agent_id, team_id from decisions where team_id is not null
        ) as worked join agents own on own.id = worked.agent_id and own.team_id is distinct from worked.team_id group by worked.agent_id
      ) as past where past.agent_id = a.id`);
    for (const table of tables) this.addSql(`alter table ${table} force row level security`);
  }

  override down(): void | Promise<void> {
    this.addSql(`alter table "agents" drop column "past_team_ids";`);
  }
}
