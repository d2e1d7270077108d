// Grants between agents: an agent may touch data that another one declares. Granted and revoked by who manages the agent that declares
// it. The only writer of data_grants.
import type { Clock } from '../platform/clock.ts';
import type { UnitOfWork } from '../platform/database.ts';
import { InvalidStateError, LimitExceededError, NotFoundError, ValidationError, type Problem } from '../platform/errors.ts';
import { isId, newId } from '../platform/ids.ts';
import { isStorableText, unstorableText } from '../platform/problems.ts';
import { requirePermission } from '../authority/authorize.ts';
import { can, type Authority } from '../authority/permission.ts';
import { changeRules, lockRules } from '../authority/rules-lock.ts';
import { activeGrants, dataGrantsByIds, listDataGrants, placeOfGrant, type DataGrantRow } from './data-reads.ts';
import { isDataReference } from '../rules/data-scope.ts';
import type { FactSource } from '../gate/gate-service.ts';
import type { DataReference } from '../rules/gate.ts';

export const maxActiveGrants = 10_000;
const maxReasonLength = 1_000;

export interface GrantData {
  /** The agent that declares the data. */
  readonly ownerAgentId: string;
  readonly granteeAgentId: string;
  /** `dataset:orders`. */
  readonly data: string;
  readonly reason: string;
}

export interface DataService {
  /** Granting what is granted gives the grant that there is. */
  grantData(uow: UnitOfWork, actor: Authority, input: GrantData): Promise<DataGrantRow>;
  revokeDataGrant(uow: UnitOfWork, actor: Authority, input: { readonly dataGrantId: string }): Promise<DataGrantRow>;
  readonly dataGrantsByIds: typeof dataGrantsByIds;
  readonly listDataGrants: typeof listDataGrants;
}

export function createDataService({ clock }: { readonly clock: Clock }): DataService {
  return {
    dataGrantsByIds,
    listDataGrants,

    async grantData(uow, actor, input) {
      const data = validated(input);
      const { ownerAgentId, granteeAgentId, reason } = input;
      const [owner, grantee] = await visibleAgents(uow, actor, [ownerAgentId, granteeAgentId]);
      if (!owner) throw new NotFoundError('ownerAgentId: there is no such agent, or it is not visible to you');
      if (!grantee) throw new NotFoundError('granteeAgentId: there is no such agent, or it is not visible to you');
      if (owner.id === grantee.id) {
        throw new ValidationError([{ path: 'granteeAgentId', message: 'is the agent that declares the data; it needs no grant' }]);
      }
      requirePermission(actor, 'agent.manage', owner);
      if (!(await declares(uow, ownerAgentId, data))) {
        throw new InvalidStateError(
          `data: no published version of the agent "${owner.name}" declares ${data}; list it in "spec.data" of its definition first`,
        );
      }
      await lockRules(uow);
      // Under the lock: of two who grant the same at once, the second finds what the first did.
      const active = await activeGrants(uow);
      const same = active.find(
        (each) => each.ownerAgentId === ownerAgentId && each.granteeAgentId === granteeAgentId && each.data === data,
      );
      if (same) return reread(uow, actor, same.id);
      if (active.length >= maxActiveGrants) {
        throw new LimitExceededError(`a tenant has at most ${maxActiveGrants} grants of data in force; revoke those that nobody needs`);
      }
      await changeRules(uow);
      const id = newId();
      const [kind, name] = [data.slice(0, data.indexOf(':')), data.slice(data.indexOf(':') + 1)];
      await uow.rows(
        `insert into data_grants (id, tenant_id, owner_agent_id, grantee_agent_id, kind, name, reason, granted_by, created_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
        [id, uow.tenantId, ownerAgentId, granteeAgentId, kind, name, reason, actor.principalId, clock.now()],
      );
      return reread(uow, actor, id);
    },

    async revokeDataGrant(uow, actor, { dataGrantId }) {
      const [known] = await dataGrantsByIds(uow, actor, [dataGrantId]);
      if (!known) throw new NotFoundError(`there is no grant of data "${dataGrantId.slice(0, 80)}"`);
      requirePermission(actor, 'agent.manage', placeOfGrant(known));
      await changeRules(uow);
      const [revoked] = await uow.rows<{ id: string }>(
        'update data_grants set revoked_by = $3, revoked_at = $4 where tenant_id = $1 and id = $2 and revoked_at is null returning id',
        [uow.tenantId, dataGrantId, actor.principalId, clock.now()],
      );
      const now = await reread(uow, actor, dataGrantId);
      if (!revoked) throw new InvalidStateError(`the grant was revoked at ${now.revokedAt?.toISOString()} already`);
      return now;
    },
  };
}

/** What grants add to the gate's input. */
export const dataFacts: FactSource = {
  async load(uow) {
    const byGrantee = Map.groupBy(await activeGrants(uow), ({ granteeAgentId }) => granteeAgentId);
    const granted = new Map([...byGrantee].map(([agentId, grants]) => [agentId, [...new Set(grants.map(({ data }) => data))].sort()]));
    return ({ agentId }) => {
      const grantedData = granted.get(agentId);
      return grantedData ? { grantedData } : {};
    };
  },
};

/** Every problem at once. */
function validated({ data, reason }: GrantData): DataReference {
  const problems: Problem[] = [];
  const isReference = isDataReference(data);
  if (!isReference) {
    const expected = 'dataset:, api: or service: and a name, such as dataset:orders';
    problems.push({ path: 'data', message: `${JSON.stringify(data.slice(0, 80))} is no reference to data`, expected });
  }
  if (reason.trim() === '') problems.push({ path: 'reason', message: 'is empty', expected: 'why it is granted' });
  if (reason.length > maxReasonLength) problems.push({ path: 'reason', message: `has more than ${maxReasonLength} characters` });
  if (!isStorableText(reason)) problems.push({ path: 'reason', message: unstorableText });
  if (problems.length > 0 || !isReference) throw new ValidationError(problems);
  return data;
}

interface AgentPlace {
  readonly id: string;
  readonly name: string;
  readonly projectId: string;
  readonly teamId: string | null;
}

/** In the order of the ids; absent, foreign, archived and invisible ones are undefined. */
async function visibleAgents(uow: UnitOfWork, actor: Authority, ids: readonly string[]): Promise<(AgentPlace | undefined)[]> {
  const rows = await uow.rows<AgentPlace>(
    `select id, name, project_id as "projectId", team_id as "teamId" from agents
     where tenant_id = $1 and id = any($2::uuid[]) and archived_at is null`,
    [uow.tenantId, ids.filter(isId)],
  );
  return ids.map((id) => rows.find((row) => row.id === id && can(actor, 'agent.read', row)));
}

async function declares(uow: UnitOfWork, agentId: string, data: DataReference): Promise<boolean> {
  const [row] = await uow.rows<{ declared: boolean }>(
    `select exists (select 1 from agent_versions where tenant_id = $1 and agent_id = $2 and definition->'data' ? $3) as declared`,
    [uow.tenantId, agentId, data],
  );
  return row?.declared === true;
}

async function reread(uow: UnitOfWork, actor: Authority, id: string): Promise<DataGrantRow> {
  const [row] = await dataGrantsByIds(uow, actor, [id]);
  if (!row) throw new Error('the grant that was just written is gone');
  return row;
}
