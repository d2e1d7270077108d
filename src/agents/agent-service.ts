// Agents: create, edit, archive, activate, pause, publish versions. Deployments stand in deployment-service.ts.
// The two of them are the only writers of agents, agent_versions and deployments.
import { isDeepStrictEqual } from 'node:util';
import type { Clock } from '../platform/clock.ts';
import { approverProblems } from '../approvals/approver-reads.ts';
import { orConflict } from '../platform/conflict.ts';
import type { UnitOfWork } from '../platform/database.ts';
import { ConflictError, InvalidStateError, NotFoundError, ValidationError, type Problem } from '../platform/errors.ts';
import { newId } from '../platform/ids.ts';
import type { Page, PageRequest } from '../platform/page.ts';
import { requirePermission } from '../authority/authorize.ts';
import type { Authority } from '../authority/permission.ts';
import { findVisible } from '../tenants/tenant-reads.ts';
import { maxDescriptionLength, nameProblems, refuse } from '../tenants/tenant.ts';
import { lockVisible, noAgent, placeOf, refuseArchived } from './agent-access.ts';
import * as reads from './agent-reads.ts';
import type { AgentFilter, AgentRow, AgentVersionRow, VersionDocument } from './agent-reads.ts';
import { activated, maxOwnerLength, maxReasonLength, tagProblems, textProblems } from './agent.ts';
import { parseDefinition } from './definition-parse.ts';
import { createDeploymentService, type DeploymentService } from './deployment-service.ts';

export interface AgentService extends DeploymentService {
  /** A draft without versions. */
  createAgent(uow: UnitOfWork, actor: Authority, input: NewAgent): Promise<AgentRow>;
  /** Its name never changes: definitions carry it. */
  updateAgent(uow: UnitOfWork, actor: Authority, input: AgentChange): Promise<AgentRow>;
  /** Gone from lists and closed to changes and starts; history stays readable, running executions go on. */
  archiveAgent(uow: UnitOfWork, actor: Authority, input: { readonly agentId: string }): Promise<AgentRow>;
  /** From draft or paused; nothing happens when it is active. Needs a version. */
  activateAgent(uow: UnitOfWork, actor: Authority, input: { readonly agentId: string }): Promise<AgentRow>;
  /** Refuses new executions; running ones go on. */
  pauseAgent(uow: UnitOfWork, actor: Authority, input: { readonly agentId: string; readonly reason: string }): Promise<AgentRow>;
  /** Checks the whole definition and keeps it for ever; every problem at once with its place in the text. */
  publishAgentVersion(uow: UnitOfWork, actor: Authority, input: NewVersion): Promise<AgentVersionRow>;

  findAgent(uow: UnitOfWork, actor: Authority, agentId: string): Promise<AgentRow | null>;
  getAgent(uow: UnitOfWork, actor: Authority, agentId: string): Promise<AgentRow>;
  listAgents(uow: UnitOfWork, actor: Authority, filter: AgentFilter, page: PageRequest): Promise<Page<AgentRow>>;
  agentsByIds(uow: UnitOfWork, actor: Authority, ids: readonly string[]): Promise<AgentRow[]>;
  versionsByIds(uow: UnitOfWork, actor: Authority, ids: readonly string[]): Promise<AgentVersionRow[]>;
  versionDocuments(uow: UnitOfWork, actor: Authority, ids: readonly string[]): Promise<VersionDocument[]>;
  /** One page per agent, last published first. */
  versionsOf(uow: UnitOfWork, actor: Authority, agentIds: readonly string[], page: PageRequest): Promise<Page<AgentVersionRow>[]>;
}

export interface NewAgent {
  readonly projectId: string;
  readonly name: string;
  readonly description?: string | null | undefined;
  readonly owner?: string | null | undefined;
  readonly tags?: readonly string[] | null | undefined;
  readonly teamId?: string | null | undefined;
}

/** What is left out stays. Null clears `owner` and `teamId`, and leaves the rest. */
export interface AgentChange {
  readonly agentId: string;
  readonly description?: string | null | undefined;
  readonly owner?: string | null | undefined;
  readonly tags?: readonly string[] | null | undefined;
  readonly teamId?: string | null | undefined;
}

export interface NewVersion {
  readonly agentId: string;
  /** YAML or JSON text. */
  readonly definition: string;
}

export interface AgentDependencies {
  readonly clock: Clock;
  /** Those of `names` that no tool server describes. */
  readonly missingTools: (uow: UnitOfWork, names: readonly string[]) => Promise<readonly string[]>;
}

function describedBy({ description, owner, tags }: Pick<NewAgent, 'description' | 'owner' | 'tags'>): Problem[] {
  return [
    ...textProblems(description ?? '', 'description', maxDescriptionLength),
    ...textProblems(owner ?? '', 'owner', maxOwnerLength),
    ...tagProblems(tags ?? []),
  ];
}

export function createAgentService({ clock, missingTools }: AgentDependencies): AgentService {
  async function manageable(uow: UnitOfWork, actor: Authority, agentId: string): Promise<AgentRow> {
    const agent = await lockVisible(uow, actor, agentId);
    requirePermission(actor, 'agent.manage', placeOf(agent));
    refuseArchived(agent);
    return agent;
  }

  async function save(uow: UnitOfWork, agent: AgentRow): Promise<AgentRow> {
    const saved = { ...agent, updatedAt: clock.now() };
    await uow.rows(
      `update agents set team_id = $3, past_team_ids = case when team_id is not null and team_id is distinct from $3
           then array_append(array_remove(past_team_ids, team_id), team_id) else past_team_ids end, description = $4, owner = $5, tags = $6, status = $7, pause_reason = $8, updated_at = $9,
         archived_at = $10 where tenant_id = $1 and id = $2`,
      [
        uow.tenantId,
        saved.id,
        saved.teamId,
        saved.description,
        saved.owner,
        [...saved.tags],
        saved.status,
        saved.pauseReason,
        saved.updatedAt,
        saved.archivedAt,
      ],
    );
    return saved;
  }

  async function visibleTeam(uow: UnitOfWork, actor: Authority, teamId: string): Promise<string> {
    const team = await findVisible(uow, actor, 'teams', teamId);
    if (!team) throw new NotFoundError(`teamId: there is no team "${teamId.slice(0, 80)}", or it is not visible to you`);
    return team.id;
  }

  async function findAgent(uow: UnitOfWork, actor: Authority, agentId: string): Promise<AgentRow | null> {
    return (await reads.agentsByIds(uow, actor, [agentId]))[0] ?? null;
  }

  return {
    ...createDeploymentService({ clock }),
    agentsByIds: reads.agentsByIds,
    listAgents: reads.listAgents,
    versionsByIds: reads.versionsByIds,
    versionDocuments: reads.versionDocuments,
    versionsOf: reads.versionsOf,
    findAgent,

    async getAgent(uow, actor, agentId) {
      const agent = await findAgent(uow, actor, agentId);
      if (!agent) throw noAgent(agentId);
      return agent;
    },

    async createAgent(uow, actor, { projectId, name, description, owner, tags, teamId }) {
      const project = await findVisible(uow, actor, 'projects', projectId);
      if (!project) {
        throw new NotFoundError(`projectId: there is no project "${projectId.slice(0, 80)}", or it is not visible to you`);
      }
      const team = teamId == null ? null : await visibleTeam(uow, actor, teamId);
      requirePermission(actor, 'agent.manage', { projectId: project.id, teamId: team });
      refuse([...nameProblems(name), ...describedBy({ description, owner, tags })]);
      const now = clock.now();
      const agent: AgentRow = {
        id: newId(),
        projectId: project.id,
        teamId: team,
        name,
        description: description ?? '',
        owner: owner || null,
        tags: tags ?? [],
        status: 'draft',
        pauseReason: null,
        createdBy: actor.principalId,
        createdAt: now,
        updatedAt: now,
        archivedAt: null,
      };
      const values = [agent.id, uow.tenantId, agent.projectId, team, name, agent.description, agent.owner, [...agent.tags]];
      await orConflict(
        uow.rows(
          `insert into agents (id, tenant_id, project_id, team_id, name, description, owner, tags, status, created_by, created_at, updated_at)
           values ($1, $2, $3, $4, $5, $6, $7, $8, 'draft', $9, $10, $10)`,
          [...values, actor.principalId, now],
        ),
        { agents_name_unique: `name: an agent named "${name}" exists in this project already (archived ones keep their name)` },
      );
      return agent;
    },

    async updateAgent(uow, actor, { agentId, description, owner, tags, teamId }) {
      const agent = await manageable(uow, actor, agentId);
      refuse(describedBy({ description, owner, tags }));
      const changed = {
        ...agent,
        description: description ?? agent.description,
        owner: owner === undefined ? agent.owner : owner || null,
        tags: tags ?? agent.tags,
        teamId: teamId === undefined ? agent.teamId : teamId === null ? null : await visibleTeam(uow, actor, teamId),
      };
      // Handing an agent to a team (or taking it away) must be permitted on both sides of the change.
      requirePermission(actor, 'agent.manage', placeOf(changed));
      return isDeepStrictEqual(changed, agent) ? agent : save(uow, changed);
    },

    async archiveAgent(uow, actor, { agentId }) {
      return save(uow, { ...(await manageable(uow, actor, agentId)), status: 'deprecated', archivedAt: clock.now() });
    },

    async activateAgent(uow, actor, { agentId }) {
      const agent = await manageable(uow, actor, agentId);
      if (agent.status === 'active') return agent;
      const [counted] = await uow.rows<{ versions: number }>(
        'select count(*)::int as versions from agent_versions where tenant_id = $1 and agent_id = $2',
        [uow.tenantId, agent.id],
      );
      const verdict = activated(counted?.versions ?? 0);
      if (!verdict.ok) throw new InvalidStateError(`the agent "${agent.name}" cannot be activated: ${verdict.reason}`);
      return save(uow, { ...agent, status: 'active', pauseReason: null });
    },

    async pauseAgent(uow, actor, { agentId, reason }) {
      const agent = await manageable(uow, actor, agentId);
      refuse(textProblems(reason, 'reason', maxReasonLength, 1));
      if (agent.status !== 'active') {
        throw new InvalidStateError(`the agent "${agent.name}" is ${agent.status}; only an active agent can be paused`);
      }
      return save(uow, { ...agent, status: 'paused', pauseReason: reason.trim() });
    },

    async publishAgentVersion(uow, actor, { agentId, definition: source }) {
      const agent = await manageable(uow, actor, agentId);
      const [project] = await uow.rows<{ name: string }>('select name from projects where tenant_id = $1 and id = $2', [
        uow.tenantId,
        agent.projectId,
      ]);
      const parsed = parseDefinition(source, { name: agent.name, project: project?.name ?? '' });
      if (!parsed.ok) throw new ValidationError(parsed.problems);
      const { definition, digest, locate } = parsed;
      const missing = new Set(await missingTools(uow, definition.tools));
      const unknownTools = definition.tools.flatMap((tool, index): Problem[] => {
        const path = `spec.tools[${index}]`;
        if (!missing.has(tool)) return [];
        return [{ path, message: `no tool server describes "${tool}"`, expected: 'a tool of a configured server', ...locate(path) }];
      });
      const asked = definition.steps.flatMap(({ approval }, index) =>
        approval?.terms ? [{ terms: approval.terms, path: `spec.steps[${index}].approval.approvers` }] : [],
      );
      const unknownPeople = (await approverProblems(uow, asked)).map((problem) => ({ ...problem, ...locate(problem.path) }));
      refuse([...unknownTools, ...unknownPeople]);
      const existing = await reads.findVersion(uow, agent.id, definition.version);
      if (existing) {
        const same =
          existing.digest === digest ? 'with the same definition' : 'with another definition; publish this one under a new version';
        throw new ConflictError(`spec.version: version ${definition.version} of "${agent.name}" exists already, ${same}`);
      }
      const version = {
        id: newId(),
        agentId: agent.id,
        version: definition.version,
        digest,
        createdBy: actor.principalId,
        createdAt: clock.now(),
      };
      await uow.rows(
        `insert into agent_versions (id, tenant_id, agent_id, version, definition, source, digest, created_by, created_at)
         values ($1, $2, $3, $4, $5::jsonb, $6, $7, $8, $9)`,
        [
          version.id,
          uow.tenantId,
          agent.id,
          version.version,
          JSON.stringify(definition),
          source,
          digest,
          actor.principalId,
          version.createdAt,
        ],
      );
      return version;
    },
  };
}
