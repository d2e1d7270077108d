// Which policies the gate asks about an agent in an environment, and which of their places counts: what an author looks at beforehand.
import type { UnitOfWork } from '../platform/database.ts';
import { NotFoundError, ValidationError } from '../platform/errors.ts';
import { isId } from '../platform/ids.ts';
import { can, type Authority } from '../authority/permission.ts';
import { placesOf, type PolicyPlace } from '../rules/policy-places.ts';
import { policiesAround, scopeOf, type PolicyRow } from './policy-reads.ts';

export interface Whereabouts {
  readonly agentId: string;
  readonly environmentId: string;
  /** `server.name`; left out: an effect without a tool, such as a start. */
  readonly tool?: string | null | undefined;
}

export interface PolicyInForceRow {
  readonly policy: PolicyRow;
  readonly place: PolicyPlace;
}

interface AgentFacts {
  readonly projectId: string;
  readonly teamId: string | null;
  readonly environmentProjectId: string | null;
  readonly tags: readonly string[];
}

/** By priority, as the gate asks them. Tags are those of the agent and of the version that is live in the environment. */
export async function policiesInForce(uow: UnitOfWork, actor: Authority, where: Whereabouts): Promise<PolicyInForceRow[]> {
  const { agentId, environmentId, tool } = where;
  const facts = isId(agentId) && isId(environmentId) ? await factsOf(uow, agentId, environmentId) : null;
  if (!facts || !can(actor, 'agent.read', facts)) throw new NotFoundError(`agentId: there is no agent "${agentId}"`);
  if (facts.environmentProjectId === null || !can(actor, 'project.read', { projectId: facts.environmentProjectId, environmentId })) {
    throw new NotFoundError(`environmentId: there is no environment "${environmentId}"`);
  }
  if (facts.environmentProjectId !== facts.projectId) {
    throw new ValidationError([{ path: 'environmentId', message: 'the environment is not of the project of the agent' }]);
  }
  const situation = { ...facts, agentId, environmentId, agentTags: facts.tags, tool: tool == null ? null : { name: tool } };
  const policies = await policiesAround(uow, actor, situation);
  return policies
    .flatMap((policy) => {
      const place = placesOf({ ...policy, scope: scopeOf(policy) }).find(({ covers }) => covers(situation));
      return place?.enabled ? [{ policy, place }] : [];
    })
    .sort((a, b) => a.place.priority - b.place.priority || (a.policy.id < b.policy.id ? -1 : 1));
}

async function factsOf(uow: UnitOfWork, agentId: string, environmentId: string): Promise<AgentFacts | null> {
  const [row] = await uow.rows<Omit<AgentFacts, 'tags'> & { agentTags: string[]; versionTags: string[] | null }>(
    `select a.project_id as "projectId", a.team_id as "teamId", e.project_id as "environmentProjectId", a.tags as "agentTags",
       v.definition->'tags' as "versionTags"
     from agents a
     left join environments e on e.tenant_id = a.tenant_id and e.id = $3
     left join deployments d on d.tenant_id = a.tenant_id and d.agent_id = a.id and d.environment_id = e.id and d.superseded_at is null
     left join agent_versions v on v.tenant_id = a.tenant_id and v.id = d.version_id
     where a.tenant_id = $1 and a.id = $2`,
    [uow.tenantId, agentId, environmentId],
  );
  return row ? { ...row, tags: [...new Set([...row.agentTags, ...(row.versionTags ?? [])])] } : null;
}
