import { Migration } from '@mikro-orm/migrations';

// What the application role may not do itself, as a few SECURITY DEFINER functions that the owner runs:
// adding jobs (inside the caller's transaction) and finding the tenant that a token names. And the first epoch.
export class Migration20261121000002Functions extends Migration {
  override name = 'Migration20261121000002Functions';

  override up(): void {
    this.addSql('create schema if not exists jobs');
    this.addSql(`create function jobs.enqueue(specs json) returns void
      language sql security definer set search_path = graphile_worker, pg_temp as $$
        select graphile_worker.add_jobs(array(
          select json_populate_record(null::graphile_worker.job_spec, spec) from json_array_elements(specs) as spec
        ))
      $$`);
    this.addSql('revoke all on function jobs.enqueue(json) from public');
    this.addSql('create schema if not exists identity');
    this.addSql(`create function identity.tenant_id_by_name(tenant_name text) returns uuid
      language sql stable security definer set search_path = public, pg_temp as $$
        select id from tenants where name = tenant_name
      $$`);
    this.addSql('revoke all on function identity.tenant_id_by_name(text) from public');
    this.addSql('insert into stream_epoch (id) values (1)');
  }

  override down(): void {
    this.addSql('delete from stream_epoch');
    this.addSql('drop schema identity cascade');
    this.addSql('drop schema jobs cascade');
  }
}
