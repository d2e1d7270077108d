// Engaging and releasing kill switches. Once engaging is acknowledged nothing it covers is dispatched; releasing lets what was halted go
// on. The only writer of kill_switches.
import { enqueue } from '../jobs/jobs.ts';
import type { Clock } from '../platform/clock.ts';
import type { UnitOfWork } from '../platform/database.ts';
import { InvalidStateError, NotFoundError, ValidationError, type Problem } from '../platform/errors.ts';
import { isId, newId } from '../platform/ids.ts';
import { requirePermission } from '../authority/authorize.ts';
import { can, type Authority, type Permission, type Place } from '../authority/permission.ts';
import { changeRules, lockRules } from '../authority/rules-lock.ts';
import {
  destinationPatternForm,
  killSwitchChannel,
  normalDestinationPattern,
  normalToolPattern,
  reasonProblems,
  toolPatternForm,
  type EngagedSwitch,
  type KillSwitchScope,
} from './kill-switch.ts';
import { engagedOn, killSwitchesByIds, listKillSwitches, lockKillSwitch, type KillSwitchRow } from './kill-switch-reads.ts';

export interface EngageKillSwitch {
  readonly scope: KillSwitchScope;
  /** Of the project, environment or agent. */
  readonly scopeId?: string | null | undefined;
  /** Of tools or hosts. */
  readonly pattern?: string | null | undefined;
  readonly reason: string;
}

export interface KillSwitchService {
  /** Engaging what is engaged gives the switch that is, with its reason. */
  engageKillSwitch(uow: UnitOfWork, actor: Authority, input: EngageKillSwitch): Promise<KillSwitchRow>;
  releaseKillSwitch(
    uow: UnitOfWork,
    actor: Authority,
    input: { readonly killSwitchId: string; readonly reason?: string | null | undefined },
  ): Promise<KillSwitchRow>;
  // For archiving the tenant, which authorises; both change the rules.
  /** One of its own, whatever else stops the tenant already; gives its id. */
  stopTenant(uow: UnitOfWork, actor: Authority, reason: string): Promise<string>;
  /** Lets go on what that one stopped. */
  releaseTenant(uow: UnitOfWork, actor: Authority, killSwitchId: string): Promise<void>;
  readonly killSwitchesByIds: typeof killSwitchesByIds;
  readonly listKillSwitches: typeof listKillSwitches;
}

export function createKillSwitchService({ clock }: { readonly clock: Clock }): KillSwitchService {
  async function engage(uow: UnitOfWork, actor: Authority, { scope, scopeId, pattern, reason }: NewSwitch, place: Place): Promise<string> {
    await changeRules(uow);
    const id = newId();
    const { projectId = null, environmentId = null, teamId = null } = place;
    uow.write(
      `insert into kill_switches (id, tenant_id, scope, scope_id, pattern, project_id, environment_id, team_id, reason, engaged_by, engaged_at)
       values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
      [id, uow.tenantId, scope, scopeId, pattern, projectId, environmentId, teamId, reason, actor.principalId, clock.now()],
    );
    uow.write('select pg_notify($1, $2)', [killSwitchChannel, uow.tenantId]);
    return id;
  }

  /** When it had been released before, then nothing is done; else null. */
  async function release(uow: UnitOfWork, actor: Authority, killSwitchId: string, reason: string): Promise<Date | null> {
    // Waits for those who are halting something for it, so that the job finds all of them.
    await changeRules(uow);
    const { releasedAt } = (await lockKillSwitch(uow, killSwitchId))!;
    if (releasedAt !== null) return releasedAt;
    uow.write('update kill_switches set released_by = $3, released_at = $4, release_reason = $5 where tenant_id = $1 and id = $2', [
      uow.tenantId,
      killSwitchId,
      actor.principalId,
      clock.now(),
      reason,
    ]);
    await enqueue(uow, [{ name: 'continue-halted', payload: { tenantId: uow.tenantId, killSwitchId, afterId: null } }]);
    return null;
  }

  return {
    killSwitchesByIds,
    listKillSwitches,

    async engageKillSwitch(uow, actor, input) {
      const { scope, scopeId, pattern, reason } = validated(input);
      const place = await placeOf(uow, actor, scope, scopeId);
      requirePermission(actor, 'killswitch.manage', place);
      // Under the lock: of two who engage the same at once, the second finds what the first did.
      await lockRules(uow);
      const before = await engagedOn(uow, { scope, scopeId, pattern });
      if (before) return before;
      const id = await engage(uow, actor, { scope, scopeId, pattern, reason }, place);
      return (await lockKillSwitch(uow, id))!;
    },

    async releaseKillSwitch(uow, actor, { killSwitchId, reason }) {
      const [known] = await killSwitchesByIds(uow, actor, [killSwitchId]);
      if (!known) throw new NotFoundError(`there is no kill switch "${killSwitchId.slice(0, 80)}"`);
      requirePermission(actor, 'killswitch.manage', known);
      const problems = reasonProblems(reason ?? '', 'reason', { required: false });
      if (problems.length > 0) throw new ValidationError(problems);
      const releasedBefore = await release(uow, actor, killSwitchId, reason ?? '');
      if (releasedBefore !== null) {
        throw new InvalidStateError(
          `the kill switch was released at ${releasedBefore.toISOString()} already; engage a new one to stop again`,
        );
      }
      return (await lockKillSwitch(uow, killSwitchId))!;
    },

    stopTenant: (uow, actor, reason) => engage(uow, actor, { scope: 'tenant', scopeId: null, pattern: null, reason }, {}),

    async releaseTenant(uow, actor, killSwitchId) {
      await release(uow, actor, killSwitchId, '');
    },
  };
}

type NewSwitch = Omit<EngagedSwitch, 'id'>;

const placed: readonly KillSwitchScope[] = ['project', 'environment', 'agent'];

/** Every problem at once. */
function validated({ scope, scopeId = null, pattern = null, reason }: EngageKillSwitch) {
  const problems: Problem[] = [];
  const isPlaced = placed.includes(scope);
  const isPattern = scope === 'tool' || scope === 'destination';
  if (isPlaced && scopeId === null) problems.push({ path: 'scopeId', message: 'is missing', expected: `the id of the ${scope}` });
  if (!isPlaced && scopeId !== null) problems.push({ path: 'scopeId', message: `means nothing with the scope ${scope}; leave it out` });
  if (!isPattern && pattern !== null) problems.push({ path: 'pattern', message: `means nothing with the scope ${scope}; leave it out` });
  const form = scope === 'tool' ? toolPatternForm : destinationPatternForm;
  const normal = pattern === null ? null : scope === 'tool' ? normalToolPattern(pattern) : normalDestinationPattern(pattern);
  if (isPattern && pattern === null) problems.push({ path: 'pattern', message: 'is missing', expected: form });
  else if (isPattern && normal === null) {
    problems.push({ path: 'pattern', message: `${JSON.stringify(pattern!.slice(0, 80))} is not a pattern of ${scope}s`, expected: form });
  }
  problems.push(...reasonProblems(reason, 'reason', { required: true }));
  if (problems.length > 0) throw new ValidationError(problems);
  return { scope, scopeId, pattern: normal, reason };
}

const places = {
  project: ['select id as "projectId", null as "environmentId", null as "teamId" from projects', 'project.read'],
  environment: ['select project_id as "projectId", id as "environmentId", null as "teamId" from environments', 'project.read'],
  agent: ['select project_id as "projectId", null as "environmentId", team_id as "teamId" from agents', 'agent.read'],
} as const satisfies Partial<Record<KillSwitchScope, readonly [string, Permission]>>;

/** Tools and hosts belong to the whole tenant. Absent, foreign and invisible give the same answer. */
async function placeOf(uow: UnitOfWork, actor: Authority, scope: KillSwitchScope, scopeId: string | null): Promise<Place> {
  if (scope === 'tenant' || scope === 'tool' || scope === 'destination') return {};
  const [sql, permission] = places[scope];
  const [place] = isId(scopeId!) ? await uow.rows<Place>(`${sql} where tenant_id = $1 and id = $2`, [uow.tenantId, scopeId]) : [];
  if (!place || !can(actor, permission, place)) {
    throw new NotFoundError(`scopeId: there is no ${scope} "${scopeId!.slice(0, 80)}", or it is not visible to you`);
  }
  return place;
}
