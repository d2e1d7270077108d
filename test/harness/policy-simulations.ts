// Simulations of policies on a server without a runner: decisions of the past, and the job run by hand. Time is `today` unless a decision is made.
import assert from 'node:assert/strict';
import { toGlobalId } from '#schema/ids.ts';
import { createGate, type Gate } from '#src/gate/gate-service.ts';
import type { Database } from '#src/platform/database.ts';
import { newId } from '#src/platform/ids.ts';
import type { Authority } from '#src/authority/permission.ts';
import type { GateInput } from '#src/rules/gate.ts';
import { runSimulation } from '#src/simulations/simulation-job.ts';
import { toolCall } from './governance.ts';
import { testServer } from './graphql.ts';

export const day = 86_400_000;
export const today = new Date('2026-11-21T10:00:00.000Z');

export interface Call {
  readonly agentId: string;
  readonly tool?: string;
  readonly executionId?: string;
  readonly at?: Date;
  readonly change?: Partial<GateInput>;
  /** Goes on after an approval. */
  readonly isGranted?: boolean;
}

export const idOf = (globalId: string) => Buffer.from(globalId, 'base64').toString().split(':')[1]!;
export const filterOf = (agentId: string) => ({ agentId: toGlobalId('Agent', agentId) });
export const policyOf = (agentId: string, more: object = {}) => ({
  ...{ name: `p-${newId()}`, kind: 'TOOL_ACCESS', rules: [{ effect: 'deny', tools: ['files.*'] }] },
  ...{ scope: filterOf(agentId) },
  ...more,
});
/** A new policy, tried on what this agent did. */
export const create = (agentId: string, more: object = {}) => ({
  candidate: { create: [policyOf(agentId, more)] },
  filter: filterOf(agentId),
});

const fields = `id status total processed changed drifted failed redacted agentCount executionCount error
  verdicts { before after count } agents { agent { id } changed executions } approvals { day approver count }
  changes { edges { node { decision { id } before after approvers } } }`;

export async function simulationServer() {
  let now = today;
  const clock = { now: () => now };
  const server = await testServer({ clock });
  const home = server.people.operator;
  /** Its rate limits count by the moments of the decisions. */
  const past: Gate = createGate({ clock, rateClock: clock });

  return {
    server,
    home,
    clock,
    past,
    setNow: (moment: Date) => (now = moment),

    async createAgent(): Promise<string> {
      const id = newId();
      await home.write((uow) =>
        uow.rows(
          `insert into agents (id, tenant_id, project_id, team_id, name, status, created_by, created_at, updated_at)
           values ($1, $2, $3, $4, $5, 'active', $6, now(), now())`,
          [id, home.tenantId, home.project, home.team, `a-${id}`, home.admin.principalId],
        ),
      );
      return id;
    },

    /** A call that the gate judges at a moment of the past; gives its decision. */
    async decide({ agentId, tool = 'files.write_file', executionId = newId(), at = new Date(today.getTime() - day), ...more }: Call) {
      now = at;
      const place = { projectId: home.project, environmentId: home.staging, teamId: home.team, agentId };
      const own = { tenantId: home.tenantId, ...place, executionId, principalId: home.admin.principalId, at: at.toISOString() };
      const input = toolCall({ ...own, agentTools: [tool], ...more.change }, { name: tool });
      const judged = await home.write(async (uow) => {
        const judgement = await past.judge(uow, input, { executionId, stepId: 'call', itemIndex: null, ...place });
        if (more.isGranted) judgement.granted();
        return judgement;
      });
      now = today;
      return { id: judged.decisionId, effect: judged.verdict.effect };
    },

    async simulate(input: object, as: Authority = home.admin) {
      const answer = await server.gql(
        `mutation ($input: SimulatePoliciesInput!) { simulatePolicies(input: $input) { __typename
           ... on SimulatePoliciesSuccess { simulation { ${fields} } }
           ... on Error { code message } ... on ValidationError { problems { path message } } } }`,
        { input },
        { as },
      );
      assert.equal(answer.errors, undefined, JSON.stringify(answer.errors));
      return answer.data!['simulatePolicies'];
    },

    run: (id: string, isStopping?: () => boolean, database: Database = server.database, batchSize = 2) =>
      runSimulation(database, { tenantId: home.tenantId, simulationId: idOf(id) }, { clock, batchSize }, isStopping),

    async show(id: string, as: Authority = home.admin) {
      const answer = await server.gql(`query ($id: ID!) { policySimulation(id: $id) { ${fields} } }`, { id }, { as });
      return answer.data?.['policySimulation'];
    },

    async cancel(id: string, as: Authority = home.admin) {
      const answer = await server.gql(
        `mutation ($input: CancelSimulationInput!) { cancelSimulation(input: $input) { __typename
           ... on CancelSimulationSuccess { simulation { status processed } } ... on Error { message } } }`,
        { input: { simulationId: id } },
        { as },
      );
      return answer.data!['cancelSimulation'];
    },
  };
}
export type SimulationServer = Awaited<ReturnType<typeof simulationServer>>;
