// What live streams deliver besides the events of one execution: executions that changed, approvals that changed.
import type {
  ApprovalBatch,
  ApprovalChange as ApprovalChangeRow,
  ExecutionChanges as ExecutionChangesRow,
} from '#src/executions/execution-streams.ts';
import { Approval } from './approval.ts';
import { builder } from './builder.ts';
import { EventTypeEnum } from './event.ts';
import { Execution } from './execution.ts';
import { globalId } from './ids.ts';
import { RiskClassEnum } from './tool.ts';

export const ExecutionChanges = builder.objectRef<ExecutionChangesRow>('ExecutionChanges').implement({
  description: 'Executions that changed.',
  fields: (t) => ({
    executions: t.field({
      type: [Execution],
      description: 'As they are now; without those that you may no longer see.',
      resolve: async ({ executions }, _args, { services, authority, read }) => {
        const ids = executions.map((row) => row.id);
        // Read with the rights of this batch, which may be newer than those it was gathered with.
        const rows = await read((uow) => services.executions.executionsByIds(uow, authority, ids));
        const byId = new Map(rows.map((row) => [row.id, row]));
        return ids.flatMap((id) => byId.get(id) ?? []);
      },
    }),
  }),
});

export const ApprovalChange = builder.objectRef<ApprovalChangeRow>('ApprovalChange').implement({
  description: 'Something that happened to an approval.',
  fields: (t) => ({
    type: t.expose('type', { type: EventTypeEnum, description: 'One of the APPROVAL_ types.' }),
    occurredAt: t.expose('occurredAt', { type: 'DateTime', description: 'When.' }),
    approval: t.field({
      type: Approval,
      nullable: true,
      description: 'As it is now.',
      resolve: (change) => change.approvalId,
    }),
  }),
});

export const ApprovalRequestBatch = builder.objectRef<ApprovalBatch>('ApprovalRequestBatch').implement({
  description: 'Changes of approvals in the order they were committed, with the cursor to go on from.',
  fields: (t) => ({
    changes: t.field({
      type: [ApprovalChange],
      description: 'May be empty: then the cursor alone has moved on.',
      // With the rights of this batch, which may be newer than those it was gathered with.
      async resolve({ changes }, _args, context) {
        const approvals = await Promise.all(changes.map(({ approvalId }) => Approval.getDataloader(context).load(approvalId)));
        return changes.filter((_change, index) => approvals[index]);
      },
    }),
    cursor: t.exposeString('cursor', { description: 'Pass it as `after` to go on behind this batch.' }),
    caughtUp: t.exposeBoolean('caughtUp', { description: 'False while more history is known to follow.' }),
  }),
});

export const ApprovalStreamFilter = builder.inputType('ApprovalStreamFilter', {
  description: 'Conditions on the approvals to watch. Not by status: decisions are part of the stream.',
  fields: (t) => ({
    risk: t.field({ type: [RiskClassEnum], description: 'Of one of these risk classes.' }),
    environmentId: t.id({ description: 'In this environment.' }).validate(globalId('Environment')),
    agentId: t.id({ description: 'Of this agent.' }).validate(globalId('Agent')),
    executionId: t.id({ description: 'Of this execution.' }).validate(globalId('Execution')),
  }),
});
