// Simulations: ask for one, watch it, cancel it. What it does stands in simulation-job.ts, its rows in simulation-store.ts.
import { setTimeout as sleep } from 'node:timers/promises';
import type { LiveBatch, LiveStream, Watcher } from '../events/live-stream.ts';
import { enqueue } from '../jobs/jobs.ts';
import { digestOf } from '../platform/canonical.ts';
import type { Clock } from '../platform/clock.ts';
import type { UnitOfWork } from '../platform/database.ts';
import {
  ConflictError,
  ForbiddenError,
  IdempotencyConflictError,
  InvalidStateError,
  LimitExceededError,
  NotFoundError,
  ValidationError,
  type Problem,
} from '../platform/errors.ts';
import { isId, newId } from '../platform/ids.ts';
import type { Page, PageRequest } from '../platform/page.ts';
import { isStorableText, unstorableText } from '../platform/problems.ts';
import { requirePermission } from '../authority/authorize.ts';
import { can, visibilityOf, type Authority } from '../authority/permission.ts';
import { draftOfChange, draftOfNew, type NewPolicy } from '../policies/policy-draft.ts';
import { policiesByIds, type PolicyRow } from '../policies/policy-reads.ts';
import { resolveScopes } from '../policies/policy-scope.ts';
import type { PolicyService, PolicyUpdate } from '../policies/policy-service.ts';
import { isOver, maxCandidates, maxDecisions, type StoredCandidate } from './simulation.ts';
import { changesOfSimulations } from './simulation-reads.ts';
import {
  countDecisions,
  countOpen,
  endSimulation,
  insertSimulation,
  listSimulations,
  simulationByKey,
  simulationsByIds,
  type SimulationFilter,
  type SimulationRow,
} from './simulation-store.ts';

export interface CandidateInput {
  readonly create?: readonly NewPolicy[] | null | undefined;
  readonly update?: readonly PolicyUpdate[] | null | undefined;
  /** Ids of policies that would be gone. */
  readonly remove?: readonly string[] | null | undefined;
  /** Policy documents, YAML or JSON: each stands for the policy of its name, new or changed. */
  readonly documents?: readonly string[] | null | undefined;
}

export interface SimulatePolicies {
  readonly candidate: CandidateInput;
  /** Seven days before `until` when left out. */
  readonly since?: Date | null | undefined;
  /** Now when left out. */
  readonly until?: Date | null | undefined;
  readonly filter?: SimulationFilter | null | undefined;
  readonly idempotencyKey?: string | null | undefined;
}

/** How far a simulation is; its place is the state and what was processed. */
export interface SimulationBatch extends LiveBatch {
  readonly simulationId: string;
}

export interface SimulationService {
  /** Records and enqueues. Looks only at decisions that `actor` may read; refuses a period without any. */
  simulatePolicies(uow: UnitOfWork, actor: Authority, input: SimulatePolicies): Promise<SimulationRow>;
  /** Only by who asked for it, or who may manage every policy. */
  cancelSimulation(uow: UnitOfWork, actor: Authority, simulationId: string): Promise<SimulationRow>;
  getSimulation(uow: UnitOfWork, actor: Authority, simulationId: string): Promise<SimulationRow>;
  simulationsByIds(uow: UnitOfWork, actor: Authority, ids: readonly string[]): Promise<SimulationRow[]>;
  listSimulations(uow: UnitOfWork, actor: Authority, page: PageRequest): Promise<Page<SimulationRow>>;
  readonly changesOf: typeof changesOfSimulations;
  /** How it stands now, then each time it has got further; ends when it is over. */
  progress(watcher: Watcher, simulationId: string): LiveStream<SimulationBatch>;
}

export const maxOpen = 10;
const maxKeyLength = 200;
const defaultPeriodMs = 7 * 86_400_000;
/** How often somebody who watches is told of progress at most. */
const lookMs = 250;

export interface SimulationSettings {
  readonly clock: Clock;
  readonly policies: Pick<PolicyService, 'previewPolicy'>;
  /** Decisions that one simulation may look at. */
  readonly most?: number | undefined;
}

export function createSimulationService({ clock, policies, most = maxDecisions }: SimulationSettings): SimulationService {
  async function getSimulation(uow: UnitOfWork, actor: Authority, simulationId: string): Promise<SimulationRow> {
    const [row] = isId(simulationId) ? await simulationsByIds(uow, actor, [simulationId]) : [];
    if (!row) throw new NotFoundError(`there is no simulation "${simulationId.slice(0, 80)}"`);
    return row;
  }

  async function candidateOf(uow: UnitOfWork, actor: Authority, input: CandidateInput): Promise<StoredCandidate> {
    const { create = null, update = null, remove = null, documents = null } = input;
    const size = [create, update, remove, documents].reduce((sum, list) => sum + (list?.length ?? 0), 0);
    if (size === 0) throw refused('candidate', 'is empty: name at least one policy to create, update or remove');
    if (size > maxCandidates) throw refused('candidate', `names ${size} policies; at most ${maxCandidates} are simulated together`);
    const changed = await existing(uow, actor, update?.map(({ policyId }) => policyId) ?? []);
    const removed = await existing(uow, actor, remove ?? []);
    const written: StoredCandidate['written'][number][] = [];
    for (const policy of create ?? []) {
      const { document } = await draftOfNew(uow, actor, policy);
      written.push({ id: newId(), version: 1, document: { ...document, change: 'created' } });
    }
    for (const { policyId, expectedVersion, ...changes } of update ?? []) {
      const policy = changed.get(policyId)!;
      if (policy.version !== expectedVersion) {
        throw new ConflictError(`expectedVersion: the policy "${policy.name}" is at version ${policy.version}, not ${expectedVersion}`);
      }
      const { document } = await draftOfChange(uow, actor, policy, changes);
      written.push({ id: policyId, version: policy.version + 1, document: { ...document, change: 'updated' } });
    }
    for (const text of documents ?? []) {
      const { document, current } = await policies.previewPolicy(uow, actor, text);
      const base = current ? { id: current.id, version: current.version + 1 } : { id: newId(), version: 1 };
      written.push({ ...base, document: { ...document, change: current ? 'updated' : 'created' } });
    }
    const named = [...written.map(({ id }) => id), ...removed.keys()];
    const names = new Set(written.map(({ document }) => document.name));
    if (new Set(named).size < size || names.size < written.length)
      throw refused('candidate', 'names a policy twice: each may be written or removed once');
    return { written, removed: [...removed.keys()] };
  }

  return {
    getSimulation,
    simulationsByIds,
    listSimulations,
    changesOf: changesOfSimulations,

    async simulatePolicies(uow, actor, input) {
      const key = input.idempotencyKey ?? null;
      const digest = digestOf(JSON.parse(JSON.stringify({ ...input, idempotencyKey: null })));
      const now = clock.now();
      const until = input.until ?? now;
      const since = input.since ?? new Date(until.getTime() - defaultPeriodMs);
      refuseInvalid({ since, until }, key);
      const before = key === null ? null : await simulationByKey(uow, actor.principalId, key);
      if (before) {
        if (before.digest === digest) return before.row;
        throw new IdempotencyConflictError(`idempotencyKey: "${key}" was used before for another simulation; take a new key`);
      }
      const { projectId, environmentId, agentId } = input.filter ?? {};
      await resolveScopes(uow, actor, [{ path: 'filter', input: { projectId, environmentId, agentId } }]);
      const candidate = await candidateOf(uow, actor, input.candidate);
      const places = visibilityOf(actor, 'decision.read');
      requireSomewhere(actor);
      const scope = { filter: input.filter ?? {}, places, since, until };
      const total = await countDecisions(uow, scope, most + 1);
      refuseSize(total, most, scope);
      if ((await countOpen(uow)) >= maxOpen) {
        throw new LimitExceededError(`${maxOpen} simulations are under way already; wait for one to end, or cancel one`);
      }
      const row = await insertSimulation(uow, {
        ...{ id: newId(), candidate, since: scope.since, until, total, filter: { filter: scope.filter, places } },
        ...{ requestedBy: actor.principalId, createdAt: now, idempotencyKey: key, requestDigest: digest },
      });
      await enqueue(uow, [{ name: 'simulate-policies', payload: { tenantId: uow.tenantId, simulationId: row.id } }]);
      return row;
    },

    async cancelSimulation(uow, actor, simulationId) {
      const row = await getSimulation(uow, actor, simulationId);
      if (row.requestedBy !== actor.principalId) requirePermission(actor, 'policy.manage');
      if (!(await endSimulation(uow, simulationId, 'cancelled', { at: clock.now() }))) {
        const { status } = await getSimulation(uow, actor, simulationId);
        throw new InvalidStateError(`the simulation is ${status} already; only one that is queued or running can be cancelled`);
      }
      return getSimulation(uow, actor, simulationId);
    },

    progress(watcher, simulationId) {
      const look = async () => placeOf(await watcher.read((uow) => getSimulation(uow, watcher.authority, simulationId)));
      return {
        head: look,
        async *history(_after, until) {
          yield { simulationId, cursor: until, caughtUp: true };
        },
        async *live(from) {
          for (let told = from; ;) {
            const cursor = await look();
            if (cursor !== told) yield { simulationId, cursor, caughtUp: true };
            told = cursor;
            if (cursor.startsWith(over) || watcher.signal.aborted) return;
            await sleep(lookMs, null, { signal: watcher.signal, ref: false }).catch(() => null);
          }
        },
        // The same width throughout, so texts are ordered as what they say.
        compare: (a, b) => (a === b ? 0 : a < b ? -1 : 1),
      };
    },
  };
}

const over = 'over';
const placeOf = ({ status, processed }: SimulationRow): string =>
  `${isOver(status) ? over : status === 'queued' ? 'a' : 'b'} ${String(processed).padStart(12, '0')}`;

async function existing(uow: UnitOfWork, actor: Authority, ids: readonly string[]): Promise<Map<string, PolicyRow>> {
  const rows = ids.length === 0 ? [] : await policiesByIds(uow, actor, ids);
  const found = new Map(rows.filter(({ deletedAt }) => deletedAt === null).map((row) => [row.id, row]));
  for (const id of ids) if (!found.has(id)) throw new NotFoundError(`there is no policy "${id.slice(0, 80)}"`);
  return found;
}

const refused = (path: string, message: string) => new ValidationError([{ path, message }]);

function refuseInvalid({ since, until }: { since: Date; until: Date }, key: string | null): void {
  const problems: Problem[] = [];
  if (key !== null && (key.length === 0 || key.length > maxKeyLength || !isStorableText(key))) {
    problems.push({ path: 'idempotencyKey', message: `must have 1 to ${maxKeyLength} characters, and ${unstorableText}` });
  }
  if (since >= until) {
    const message = `${until.toISOString()} is not later than "since", ${since.toISOString()}, so nothing lies between them`;
    problems.push({ path: 'until', message });
  }
  if (problems.length > 0) throw new ValidationError(problems);
}

function requireSomewhere(actor: Authority): void {
  const { everywhere, projectIds, environmentIds, teamIds } = visibilityOf(actor, 'decision.read');
  if (everywhere || projectIds.length + environmentIds.length + teamIds.length > 0 || can(actor, 'decision.read')) return;
  throw new ForbiddenError('this needs the permission decision.read, which you do not hold anywhere');
}

function refuseSize(total: number, most: number, { since, until }: { since: Date; until: Date }): void {
  const period = `between ${since.toISOString()} and ${until.toISOString()}`;
  if (total === 0) throw refused('since', `no decision that you may read was made ${period} and fits the filter; choose another period`);
  if (total > most) {
    throw refused('since', `more than ${most} decisions were made ${period}; choose a shorter period, or a narrower filter`);
  }
}
