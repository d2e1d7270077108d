// Makes a table of tools say what a server describes now, in one statement: the operator's tool_definitions and tenants' remote_tools.
import type { UnitOfWork } from '../platform/database.ts';
import { storableJson } from '../platform/json.ts';
import type { ToolDescription } from './tool.ts';

/** Names of tools by what happened to them. */
export interface DefinitionChanges {
  readonly added: readonly string[];
  readonly changed: readonly string[];
  readonly removed: readonly string[];
}

/** The caller holds a lock that keeps others from writing the same server's tools. */
export async function writeTools(
  uow: UnitOfWork,
  table: 'tool_definitions' | 'remote_tools',
  server: string,
  tools: readonly ToolDescription[],
  now: Date,
): Promise<DefinitionChanges> {
  const given = tools.map(({ inputSchema, ...tool }) => ({ ...tool, input_schema: inputSchema }));
  const params = [server, storableJson(given), now, ...(table === 'remote_tools' ? [uow.tenantId] : [])];
  const rows = await uow.rows<{ name: string; change: keyof DefinitionChanges }>(syncSql[table], params);
  const names = (change: keyof DefinitionChanges) => rows.filter((row) => row.change === change).map((row) => row.name);
  return { added: names('added'), changed: names('changed'), removed: names('removed') };
}

const sql = (table: string, tenant: { readonly column: string; readonly value: string; readonly is: string }) => `with given as (
    select * from jsonb_to_recordset($2::jsonb)
      as t(name text, description text, input_schema jsonb, annotations jsonb, risk text, capability text, digest text)
  ), removed as (
    delete from ${table} d where ${tenant.is} d.server = $1 and d.name not in (select name from given) returning d.name
  ), before as (
    select name, digest from ${table} d where ${tenant.is} d.server = $1
  ), written as (
    insert into ${table} as d
      (${tenant.column} server, name, description, input_schema, annotations, risk, capability, digest, discovered_at, changed_at)
    select ${tenant.value} $1, name, description, input_schema, annotations, risk, capability, digest, $3, $3 from given
    on conflict (${tenant.column} server, name) do update set description = excluded.description, input_schema = excluded.input_schema,
      annotations = excluded.annotations, risk = excluded.risk, capability = excluded.capability, digest = excluded.digest,
      changed_at = case when d.digest = excluded.digest then d.changed_at else excluded.changed_at end
    where (d.digest, d.risk, d.capability) is distinct from (excluded.digest, excluded.risk, excluded.capability)
    returning d.name, d.digest
  )
  select name, 'removed' as change from removed
  union all select written.name, case when before.name is null then 'added' else 'changed' end
    from written left join before using (name) where before.digest is distinct from written.digest
  order by name`;

const syncSql = {
  tool_definitions: sql('tool_definitions', { column: '', value: '', is: '' }),
  remote_tools: sql('remote_tools', { column: 'tenant_id,', value: '$4,', is: 'd.tenant_id = $4 and' }),
};
