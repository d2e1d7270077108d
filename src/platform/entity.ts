// What every tenant table has in common: its primary key, its tenant, and forced row level security.
import { p, type PolicyDef } from '@mikro-orm/core';

/** Spread into `defineEntity({ ... })` of each tenant table. */
export const tenantTable = {
  rowLevelSecurity: 'force' as const,
  policies: [
    { name: 'tenant_isolation', using: `tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid` },
  ] satisfies PolicyDef[],
};

/** A moment, stored to the millisecond with zone. */
export const moment = () => p.datetime().length(3);

/** A `text` column limited to the members of an `as const` array by a check constraint. */
export const oneOf = <const Values extends readonly string[]>(column: string, values: Values) =>
  p
    .text()
    .$type<Values[number]>()
    .check(`${column} in (${values.map((value) => `'${value}'`).join(', ')})`);
