import { Migration } from '@mikro-orm/migrations';

export class Migration20261121175745_judged extends Migration {
  override name = 'Migration20261121175745_judged';

  override up(): void | Promise<void> {
    this.addSql(`alter table "decisions" add "judged_by" uuid null;`);
    this.addSql('alter table decisions no force row level security');
    // As src/decisions/decision-store.ts computes it.
    this.addSql(`update decisions set judged_by = left(encode(sha256(convert_to((
        select string_agg(finding->>'policyId', ',' order by (finding->>'policyId') collate "C") from jsonb_array_elements(findings) as finding
      ), 'UTF8')), 'hex'), 32)::uuid where findings <> '[]'`);
    this.addSql('alter table decisions force row level security');
    this.addSql(`drop index "decisions_judged";`);
    this.addSql(
      `create index "decisions_judged" on "decisions" ("tenant_id", "environment_id", "judged_by", "id") where judged_by is not null;`,
    );
  }

  override down(): void | Promise<void> {
    this.addSql(`drop index "decisions_judged";`);
    this.addSql(`create index "decisions_judged" on "decisions" ("tenant_id", "id") where findings <> '[]';`);
    this.addSql(`alter table "decisions" drop column "judged_by";`);
  }
}
