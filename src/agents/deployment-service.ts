// Which version is live where: promote, roll back, and the version that a start takes. Part of the agent service.
import type { Clock } from '../platform/clock.ts';
import type { UnitOfWork } from '../platform/database.ts';
import { InvalidStateError, NotFoundError, ValidationError } from '../platform/errors.ts';
import { newId } from '../platform/ids.ts';
import type { Page, PageRequest } from '../platform/page.ts';
import { requirePermission } from '../authority/authorize.ts';
import type { Authority } from '../authority/permission.ts';
import { findVisible, type EnvironmentRow } from '../tenants/tenant-reads.ts';
import type { EnvironmentKind } from '../tenants/tenant.ts';
import { lockVisible, noAgent, placeOf, refuseArchived } from './agent-access.ts';
import * as reads from './agent-reads.ts';
import type { AgentRow, AgentVersionRow, DeploymentFilter, DeploymentRow } from './agent-reads.ts';
import { kindBefore, refusalToStart, versionBefore, type DeploymentKind } from './agent.ts';
import type { Definition } from './definition.ts';

export interface DeploymentService {
  /**
   * Makes a version live in an environment. It must have been live in an environment of the nearest lower kind that the project
   * has (development → staging → production). Nothing happens when it is live there already.
   */
  promoteAgentVersion(uow: UnitOfWork, actor: Authority, input: Promotion): Promise<DeploymentRow>;
  /** Back to `version`, which was live there before; without one, to what was live before the present one was promoted. */
  rollbackAgent(uow: UnitOfWork, actor: Authority, input: Rollback): Promise<DeploymentRow>;
  /** What a start in this environment runs: the live version, or a named one that is or was live there. Agents take starts only when active. */
  resolveVersionForStart(uow: UnitOfWork, actor: Authority, request: Rollback): Promise<Startable>;
  deploymentsByIds(uow: UnitOfWork, actor: Authority, ids: readonly string[]): Promise<DeploymentRow[]>;
  /** One page per agent, newest first. */
  deploymentsOf(
    uow: UnitOfWork,
    actor: Authority,
    agentIds: readonly string[],
    request: DeploymentFilter & PageRequest,
  ): Promise<Page<DeploymentRow>[]>;
}

export interface Promotion {
  readonly agentId: string;
  readonly environmentId: string;
  readonly version: string;
}
export interface Rollback {
  readonly agentId: string;
  readonly environmentId: string;
  readonly version?: string | null | undefined;
}
export interface Startable {
  readonly agent: AgentRow;
  readonly version: AgentVersionRow & { readonly definition: Definition };
  readonly environment: EnvironmentRow;
}

export function createDeploymentService({ clock }: { readonly clock: Clock }): DeploymentService {
  async function environmentOf(uow: UnitOfWork, actor: Authority, agent: AgentRow, environmentId: string): Promise<EnvironmentRow> {
    const environment = await findVisible(uow, actor, 'environments', environmentId);
    if (!environment) {
      throw new NotFoundError(`environmentId: there is no environment "${environmentId.slice(0, 80)}", or it is not visible to you`);
    }
    if (environment.projectId !== agent.projectId) {
      throw new ValidationError([
        {
          path: 'environmentId',
          message: `the environment "${environment.name}" belongs to another project than the agent "${agent.name}"`,
          expected: "an environment of the agent's project",
        },
      ]);
    }
    return environment;
  }

  async function versionOf(uow: UnitOfWork, agent: AgentRow, version: string): Promise<AgentVersionRow> {
    const found = await reads.findVersion(uow, agent.id, version);
    if (!found) throw new NotFoundError(`version: the agent "${agent.name}" has no version "${version.slice(0, 80)}"`);
    return found;
  }

  /** The agent, locked so that deployments follow each other, and the environment, for somebody who may deploy there. */
  async function deployable(uow: UnitOfWork, actor: Authority, { agentId, environmentId }: Rollback) {
    const agent = await lockVisible(uow, actor, agentId);
    const environment = await environmentOf(uow, actor, agent, environmentId);
    requirePermission(actor, 'agent.promote', { ...placeOf(agent), environmentId: environment.id });
    refuseArchived(agent);
    return { agent, environment, history: await reads.deploymentHistory(uow, agent.id, environment.id) };
  }

  async function deploy(
    uow: UnitOfWork,
    actor: Authority,
    { agent, environment }: { agent: AgentRow; environment: EnvironmentRow },
    versionId: string,
    kind: DeploymentKind,
  ): Promise<DeploymentRow> {
    const now = clock.now();
    await uow.rows(
      'update deployments set superseded_at = $4 where tenant_id = $1 and agent_id = $2 and environment_id = $3 and superseded_at is null',
      [uow.tenantId, agent.id, environment.id, now],
    );
    const id = newId();
    await uow.rows(
      `insert into deployments (id, tenant_id, agent_id, environment_id, version_id, kind, created_by, created_at)
       values ($1, $2, $3, $4, $5, $6, $7, $8)`,
      [id, uow.tenantId, agent.id, environment.id, versionId, kind, actor.principalId, now],
    );
    return {
      id,
      agentId: agent.id,
      environmentId: environment.id,
      versionId,
      kind,
      createdBy: actor.principalId,
      createdAt: now,
      supersededAt: null,
    };
  }

  /** Throws unless the version has been where it must have been before. */
  async function requireOrder(uow: UnitOfWork, agent: AgentRow, version: AgentVersionRow, environment: EnvironmentRow): Promise<void> {
    const present = await uow.rows<{ kind: EnvironmentKind; reached: boolean }>(
      `select n.kind, bool_or(exists (select 1 from deployments d where d.tenant_id = $1 and d.agent_id = $3 and d.environment_id = n.id
         and d.version_id = $4)) as reached
       from environments n where n.tenant_id = $1 and n.project_id = $2 group by n.kind`,
      [uow.tenantId, agent.projectId, agent.id, version.id],
    );
    const lower = kindBefore(
      environment.kind,
      present.map(({ kind }) => kind),
    );
    if (lower === null || present.some(({ kind, reached }) => kind === lower && reached)) return;
    throw new InvalidStateError(
      `version ${version.version} of "${agent.name}" was never deployed to a ${lower} environment of this project; promote it there before ${environment.kind}`,
    );
  }

  return {
    deploymentsByIds: reads.deploymentsByIds,
    deploymentsOf: reads.deploymentsOf,

    async promoteAgentVersion(uow, actor, input) {
      const place = await deployable(uow, actor, input);
      const { agent, environment, history } = place;
      const version = await versionOf(uow, agent, input.version);
      const [live] = history;
      if (live?.versionId === version.id) return live;
      await requireOrder(uow, agent, version, environment);
      return deploy(uow, actor, place, version.id, 'promote');
    },

    async rollbackAgent(uow, actor, input) {
      const place = await deployable(uow, actor, input);
      const { agent, environment, history } = place;
      const where = `in the environment "${environment.name}"`;
      const [live] = history;
      if (!live) throw new InvalidStateError(`no version of "${agent.name}" is live ${where}`);
      if (input.version == null) {
        const previous = versionBefore(history);
        if (previous === null) throw new InvalidStateError(`no version of "${agent.name}" was live ${where} before the present one`);
        return deploy(uow, actor, place, previous, 'rollback');
      }
      const version = await versionOf(uow, agent, input.version);
      if (live.versionId === version.id)
        throw new InvalidStateError(`version ${version.version} of "${agent.name}" is live ${where} already`);
      if (!history.some(({ versionId }) => versionId === version.id)) {
        throw new InvalidStateError(`version ${version.version} of "${agent.name}" was never live ${where}; promote it instead`);
      }
      return deploy(uow, actor, place, version.id, 'rollback');
    },

    async resolveVersionForStart(uow, actor, { agentId, environmentId, version: wanted }) {
      const [agent] = await reads.agentsByIds(uow, actor, [agentId]);
      if (!agent) throw noAgent(agentId);
      const environment = await environmentOf(uow, actor, agent, environmentId);
      const refusal = refusalToStart(agent);
      if (refusal !== null) throw new InvalidStateError(`the agent "${agent.name}" ${refusal}`);
      const named = wanted == null ? null : await versionOf(uow, agent, wanted);
      const [row] = await uow.rows<{
        versionId: string;
        version: string;
        digest: string;
        createdBy: string;
        createdAt: string;
        definition: Definition;
      }>(
        `select v.id as "versionId", v.version, v.digest, v.created_by as "createdBy", v.created_at as "createdAt", v.definition
         from deployments d join agent_versions v on v.id = d.version_id and v.tenant_id = $1
         where d.tenant_id = $1 and d.agent_id = $2 and d.environment_id = $3
           and (d.version_id = $4::uuid or ($4::uuid is null and d.superseded_at is null)) limit 1`,
        [uow.tenantId, agent.id, environment.id, named?.id ?? null],
      );
      if (!row) {
        const what = named ? `version ${named.version} of "${agent.name}" was never live` : `no version of "${agent.name}" is live`;
        throw new InvalidStateError(`${what} in the environment "${environment.name}"; promote it there first`);
      }
      const { versionId, createdAt, ...rest } = row;
      return { agent, environment, version: { ...rest, id: versionId, agentId: agent.id, createdAt: new Date(createdAt) } };
    },
  };
}
