// Grants between agents: one agent may touch data that another one declares.
import { defineEntity, p } from '@mikro-orm/core';
import { moment, oneOf, tenantTable } from '../platform/entity.ts';
import { dataKinds } from '../rules/data-scope.ts';

export const DataGrant = defineEntity({
  name: 'DataGrant',
  tableName: 'data_grants',
  ...tenantTable,
  indexes: [
    { name: 'data_grants_tenant', properties: ['tenantId', 'id'] },
    { name: 'data_grants_grantee', properties: ['tenantId', 'granteeAgentId'] },
  ],
  properties: {
    id: p.uuid().primary(),
    tenantId: p.uuid(),
    /** The agent that declares it. */
    ownerAgentId: p.uuid(),
    granteeAgentId: p.uuid(),
    kind: oneOf('kind', dataKinds),
    name: p.text(),
    reason: p.text(),
    grantedBy: p.uuid(),
    createdAt: moment(),
    revokedBy: p.uuid().nullable(),
    revokedAt: moment().nullable(),
  },
});
