// Figures of approvals.
import { ApprovalMetricsFilter, ApprovalMetricsType } from '#schema/approval-metrics.ts';
import { builder } from '#schema/builder.ts';

builder.queryField('approvalMetrics', (t) =>
  t.field({
    type: ApprovalMetricsType,
    description: 'What waits for approval and for how long, how long people took, and where requests get stuck.',
    authScopes: { permission: 'approval.read' },
    args: { filter: t.arg({ type: ApprovalMetricsFilter, description: 'Only these.' }) },
    resolve: (_root, { filter }, { services, authority, read }) =>
      read((uow) => services.approvalMetrics.approvalMetrics(uow, authority, filter ?? {})),
  }),
);
