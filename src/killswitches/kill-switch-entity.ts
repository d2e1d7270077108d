// Kill switches: engaged ones stop every new effect they cover; released ones are kept.
import { defineEntity, p } from '@mikro-orm/core';
import { moment, oneOf, tenantTable } from '../platform/entity.ts';
import { killSwitchScopes } from './kill-switch.ts';

export const KillSwitch = defineEntity({
  name: 'KillSwitch',
  tableName: 'kill_switches',
  ...tenantTable,
  indexes: [
    { name: 'kill_switches_tenant', properties: ['tenantId', 'id'] },
    {
      name: 'kill_switches_engaged',
      expression: 'create index "kill_switches_engaged" on "kill_switches" ("tenant_id") where "released_at" is null',
    },
  ],
  properties: {
    id: p.uuid().primary(),
    tenantId: p.uuid(),
    scope: oneOf('scope', killSwitchScopes),
    /** Id of project, environment or agent; null for the others. */
    scopeId: p.uuid().nullable(),
    /** Pattern of tool names, or of hosts; null for the others. */
    pattern: p.text().nullable(),
    /** Place by which reading and releasing is permitted; null for the whole tenant. */
    projectId: p.uuid().nullable(),
    environmentId: p.uuid().nullable(),
    teamId: p.uuid().nullable(),
    reason: p.text(),
    engagedBy: p.uuid(),
    engagedAt: moment(),
    releasedBy: p.uuid().nullable(),
    releasedAt: moment().nullable(),
    releaseReason: p.text().nullable(),
  },
});
