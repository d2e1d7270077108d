// Grants of data between agents.
import type { DataGrantRow } from '#src/datagrants/data-reads.ts';
import { Agent } from './agent.ts';
import { builder } from './builder.ts';
import { connectionType } from './connection.ts';
import { globalId } from './ids.ts';
import { nodeType } from './node.ts';
import { Principal } from './principal.ts';

export const DataGrant = nodeType<DataGrantRow>('DataGrant', (services, uow, actor, ids) => services.data.dataGrantsByIds(uow, actor, ids));
export const DataGrantConnection = connectionType(DataGrant);
DataGrant.implement({
  description: 'One agent may touch data that another one declares, as policies of the kind DATA_SCOPE understand it.',
  fields: (t) => ({
    ownerAgent: t.field({
      type: Agent,
      nullable: true,
      description: 'The agent that declares the data; null when you may not see it.',
      resolve: (row) => row.ownerAgentId,
    }),
    granteeAgent: t.field({
      type: Agent,
      nullable: true,
      description: 'The agent that may touch it, too; null when you may not see it.',
      resolve: (row) => row.granteeAgentId,
    }),
    data: t.string({
      description: 'What: `dataset:orders`, `api:payments` or `service:mail`.',
      resolve: ({ kind, name }) => `${kind}:${name}`,
    }),
    reason: t.exposeString('reason', { description: 'Why it was granted.' }),
    grantedBy: t.field({
      type: Principal,
      nullable: true,
      description: 'Who granted it; null when you may not see the person.',
      resolve: (row) => row.grantedBy,
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was granted.' }),
    isInForce: t.boolean({ description: 'False once it was revoked.', resolve: (row) => row.revokedAt === null }),
    revokedBy: t.field({
      type: Principal,
      nullable: true,
      description: 'Who revoked it; null before, and when you may not see the person.',
      resolve: (row) => row.revokedBy,
    }),
    revokedAt: t.expose('revokedAt', { type: 'DateTime', nullable: true, description: 'When it was revoked; null while it is in force.' }),
  }),
});

export const DataGrantFilter = builder.inputType('DataGrantFilter', {
  description: 'Conditions that a grant of data must all satisfy.',
  fields: (t) => ({
    ownerAgentId: t.id({ description: 'Of data that this agent declares.' }).validate(globalId('Agent')),
    granteeAgentId: t.id({ description: 'To this agent.' }).validate(globalId('Agent')),
    inForce: t.boolean({ description: 'True: in force. False: revoked.' }),
  }),
});

export const GrantDataInput = builder.inputType('GrantDataInput', {
  description: 'Which data, to which agent, and why.',
  fields: (t) => ({
    ownerAgentId: t.id({ required: true, description: 'The agent that declares the data in `spec.data`.' }).validate(globalId('Agent')),
    granteeAgentId: t.id({ required: true, description: 'The agent that may touch it, too.' }).validate(globalId('Agent')),
    data: t.string({ required: true, description: '`dataset:orders`, `api:payments` or `service:mail`, as it is declared.' }),
    reason: t.string({ required: true, description: 'Why; at most 1,000 characters.' }),
  }),
});

export const RevokeDataGrantInput = builder.inputType('RevokeDataGrantInput', {
  description: 'Which grant to revoke.',
  fields: (t) => ({
    dataGrantId: t.id({ required: true, description: 'The grant.' }).validate(globalId('DataGrant')),
  }),
});
