// The same for what is about work that is under way: executions, approvals, tool calls, webhooks, simulations, kill switches.
import { denied, gid, slug, type MutationCase, type MutationWorld } from './mutation-cases.ts';

const hour = 3_600_000;
const inHours = (hours: number) => new Date(Date.now() + hours * hour).toISOString();

const sign = { id: 'sign', approval: { title: 'Go on?', risk: 'low', expiresIn: '1h' } };
const waiting = async (w: MutationWorld, steps: readonly object[] = [sign]): Promise<string> => {
  await w.runner();
  return (await w.api.start(await w.api.agent(steps))).id;
};
const asked = async (w: MutationWorld, steps?: readonly object[]) => gid('Approval', await w.api.asked(await waiting(w, steps)));
const execution = async (w: MutationWorld, steps?: readonly object[]) => gid('Execution', await waiting(w, steps));
const reviewer = ({ api }: MutationWorld) => api.reviewer;
const question = async (w: MutationWorld) => w.make('askAboutApproval', { approvalId: await asked(w), question: 'Why?' }, w.api.reviewer);

const startable = async (w: MutationWorld) => ({
  agentId: gid('Agent', await w.api.agent([{ id: 'one', wait: { signal: 'go' } }])),
  environmentId: gid('Environment', w.api.home.staging),
  idempotencyKey: slug(),
});
const call = async (w: MutationWorld) => ({ ...(await startable(w)), tool: 'files.read', arguments: {} });
const webhook = (w: MutationWorld, more: object = {}) =>
  w.make('createWebhook', { name: w.name(), url: 'https://hooks.example.com:9/', events: ['APPROVAL_REQUESTED'], ...more });
const switchOn = (w: MutationWorld) => w.make('engageKillSwitch', { scope: 'TOOL', pattern: `${slug()}.*`, reason: 'why' });
const delegate = async (w: MutationWorld) => {
  const granteeId = await w.make('createPrincipal', { kind: 'USER', name: w.name() });
  await w.make('grantRole', { granteeId, role: 'REVIEWER', scopeId: gid('Project', w.api.home.project) });
  return granteeId;
};
/** There is a decision to judge again. */
const candidate = async (w: MutationWorld) => {
  await w.make('authorizeToolCall', await call(w));
  return candidateOf();
};
const candidateOf = () => ({ candidate: { create: [{ name: slug(), ...denied() }] }, idempotencyKey: slug() });

/** Before runners: what they would carry on by themselves. */
export const queuedCases: Readonly<Record<string, MutationCase>> = {
  simulatePolicies: { input: candidate, change: 'created', again: 'nothing' },
  cancelSimulation: {
    input: async (w) => ({ simulationId: await w.make('simulatePolicies', await candidate(w)) }),
    ...{ change: 'changed', again: 'refused' },
  },
  cancelExecutions: { input: () => ({ filter: { labels: { nobody: 'has-it' } } }), change: 'created', again: 'another' },
};

export const workCases: Readonly<Record<string, MutationCase>> = {
  startExecution: { input: startable, change: 'created', again: 'nothing' },
  cancelExecution: { input: async (w) => ({ executionId: await execution(w) }), change: 'changed', again: 'refused' },
  pauseExecution: {
    input: async (w) => ({ executionId: await execution(w, [{ id: 'one', wait: { signal: 'go' } }]) }),
    change: 'changed',
    again: 'refused',
  },
  resumeExecution: {
    async input(w) {
      const executionId = await execution(w);
      await w.make('pauseExecution', { executionId });
      return { executionId };
    },
    ...{ change: 'changed', again: 'refused' },
  },
  signalExecution: {
    input: async (w) => ({ executionId: await execution(w), name: 'go', idempotencyKey: slug() }),
    ...{ change: 'created', again: 'nothing' },
  },
  retryExecution: {
    async input(w) {
      const id = await waiting(w, [{ id: 'fails', transform: '$error("no")' }]);
      await w.api.finished(id);
      return { executionId: gid('Execution', id), idempotencyKey: slug() };
    },
    ...{ change: 'created', again: 'nothing' },
  },
  forkExecution: {
    async input(w) {
      const executionId = await execution(w, [
        { id: 'one', transform: '1' },
        { ...sign, needs: ['one'] },
      ]);
      await w.make('cancelExecution', { executionId });
      return { executionId, stepId: 'one', idempotencyKey: slug() };
    },
    ...{ change: 'created', again: 'nothing' },
  },

  decideApproval: {
    input: async (w) => ({ approvalId: await asked(w), decision: 'REJECT', idempotencyKey: slug() }),
    ...{ as: reviewer, change: 'changed', again: 'nothing' },
  },
  decideApprovals: {
    input: async (w) => ({
      items: [
        { approvalId: await asked(w), decision: 'REJECT' },
        { approvalId: await asked(w), decision: 'REJECT' },
      ],
    }),
    ...{ as: reviewer, change: 'changed', again: 'nothing' },
    subjects: ({ items }) => items.map(({ approvalId }: { approvalId: string }) => approvalId),
  },
  extendApproval: {
    input: async (w) => ({ approvalId: await asked(w), expiresAt: inHours(2) }),
    as: reviewer,
    change: 'changed',
    again: 'nothing',
  },
  commentOnApproval: {
    input: async (w) => ({ approvalId: await asked(w), text: 'hm' }),
    as: reviewer,
    change: 'created',
    again: 'another',
  },
  askAboutApproval: {
    input: async (w) => ({ approvalId: await asked(w), question: 'Why?' }),
    as: reviewer,
    change: 'created',
    again: 'another',
  },
  answerApprovalQuestion: {
    input: async (w) => ({ questionId: await question(w), text: 'Because.' }),
    ...{ as: ({ api }) => api.operator, change: 'created', again: 'refused' },
  },
  editApproval: {
    async input(w) {
      const { write, admin } = w.api.home;
      const rules = [{ tools: ['files.write'] }];
      const policy = { name: w.name(), kind: 'approval_required', mode: 'enforce', rules } as const;
      const { id } = await write((uow) => w.api.services.policies.createPolicy(uow, admin, policy));
      const approvalId = await asked(w, [{ id: 'act', tool: 'files.write', with: { path: 'a' } }]);
      await write((uow) => w.api.services.policies.disablePolicy(uow, admin, id));
      await write((uow) => w.api.services.policies.enablePolicy(uow, admin, id));
      const { data } = await w.api.gql('query ($id: ID!) { approval(id: $id) { digest } }', { id: approvalId });
      return { approvalId, arguments: { path: 'b' }, expectedDigest: data!['approval'].digest };
    },
    ...{ as: reviewer, change: 'changed', again: 'refused' },
  },
  delegateApprovals: {
    input: async (w) => ({ toPrincipalId: await delegate(w), endsAt: inHours(1) }),
    ...{ change: 'created', again: 'refused' },
  },
  revokeDelegation: {
    async input(w) {
      const toPrincipalId = await delegate(w);
      return { delegationId: await w.make('delegateApprovals', { toPrincipalId, endsAt: inHours(1) }, w.api.reviewer) };
    },
    ...{ as: reviewer, change: 'changed', again: 'refused' },
  },

  authorizeToolCall: { input: call, change: 'created', again: 'nothing' },
  reportToolResult: {
    input: async (w) => ({ toolCallId: await w.make('authorizeToolCall', await call(w)), outcome: 'SUCCEEDED', result: 1 }),
    ...{ change: 'changed', again: 'nothing' },
  },

  withdrawToolCall: {
    async input(w) {
      const input = await call(w);
      const rules = [{ tools: ['files.read'], expiresIn: '1h' }];
      await w.make('createPolicy', { name: w.name(), kind: 'APPROVAL_REQUIRED', scope: { agentId: input.agentId }, rules });
      return { toolCallId: await w.make('authorizeToolCall', input) };
    },
    ...{ change: 'changed', again: 'nothing' },
  },

  createWebhook: {
    input: (w) => ({ name: w.name(), url: 'https://hooks.example.com:9/', events: ['APPROVAL_DECIDED'] }),
    ...{ change: 'created', again: 'refused' },
  },
  updateWebhook: { input: async (w) => ({ webhookId: await webhook(w), enabled: false }), change: 'changed', again: 'nothing' },
  rotateWebhookSecret: { input: async (w) => ({ webhookId: await webhook(w) }), change: 'changed', again: 'another' },
  deleteWebhook: { input: async (w) => ({ webhookId: await webhook(w) }), change: 'gone', again: 'refused' },
  redeliverWebhook: {
    async input(w) {
      await webhook(w);
      await asked(w);
      const { write, tenantId } = w.api.home;
      // As if its receiver had refused it for good.
      const [delivery] = await write((uow) =>
        uow.rows<{ id: string }>(
          `update webhook_deliveries set status = 'failed' where tenant_id = $1 and webhook_id = (select id from webhooks order by id desc limit 1) returning id`,
          [tenantId],
        ),
      );
      return { deliveryId: gid('WebhookDelivery', delivery!.id) };
    },
    ...{ change: 'changed', again: 'refused' },
  },

  engageKillSwitch: { input: () => ({ scope: 'TOOL', pattern: `${slug()}.*`, reason: 'why' }), change: 'created', again: 'nothing' },
  releaseKillSwitch: { input: async (w) => ({ killSwitchId: await switchOn(w) }), change: 'changed', again: 'refused' },
};
