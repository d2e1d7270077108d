// Delegations: for a period somebody else decides in one's place, what is asked already included. The only writer of the table.
import type { Clock } from '../platform/clock.ts';
import type { Database, UnitOfWork } from '../platform/database.ts';
import { ConflictError, ForbiddenError, InvalidStateError, NotFoundError, ValidationError, type Problem } from '../platform/errors.ts';
import { isId, newId } from '../platform/ids.ts';
import type { Page, PageRequest } from '../platform/page.ts';
import { isStorableText, unstorableText } from '../platform/problems.ts';
import { enqueue } from '../jobs/jobs.ts';
import { loadAuthority } from '../principals/authority-reads.ts';
import { canAnywhere } from '../authority/grants.ts';
import type { Authority } from '../authority/permission.ts';
import { decidingFacts } from './approval-facts.ts';
import type { ApprovalLog } from './approval-log.ts';
import { approvalColumns, approvalRows, type ApprovalRow } from './approval-reads.ts';
import { rightToDecide } from './approval-rights.ts';
import { lockApproval } from './approval-store.ts';
import { loopOf, maxDelegationDays } from './delegation.ts';
import {
  delegationColumns,
  delegationRows,
  delegationsByIds,
  listDelegations,
  type DelegationFilter,
  type DelegationRow,
} from './delegation-reads.ts';

export interface NewDelegation {
  readonly toPrincipalId: string;
  /** Null: whoever asks. Somebody else's place is given away only by who manages principals. */
  readonly fromPrincipalId?: string | null | undefined;
  /** Null: now. */
  readonly startsAt?: Date | null | undefined;
  readonly endsAt: Date;
  readonly reason?: string | null | undefined;
}

export interface DelegationService {
  delegate(uow: UnitOfWork, actor: Authority, input: NewDelegation): Promise<DelegationRow>;
  /** By whoever gave it, has it, made it, or manages principals. What the delegate has decided stays decided. */
  revokeDelegation(uow: UnitOfWork, actor: Authority, delegationId: string): Promise<DelegationRow>;
  readonly delegationsByIds: typeof delegationsByIds;
  listDelegations(uow: UnitOfWork, actor: Authority, filter: DelegationFilter, page: PageRequest): Promise<Page<DelegationRow>>;
  /**
   * Job `announce-delegation`: tells of open requests, in their executions, that the delegate can decide from now on and could not
   * without it; gives them. One transaction each: every execution is held for a moment only, and a process that dies in between
   * tells some of them twice.
   */
  announce(database: Database, delegation: { readonly tenantId: string; readonly delegationId: string }): Promise<ApprovalRow[]>;
}

const maxReasonLength = 1_000;
const dayMs = 86_400_000;

export function createDelegationService({ clock, log }: { readonly clock: Clock; readonly log: ApprovalLog }): DelegationService {
  async function find(uow: UnitOfWork, delegationId: string): Promise<DelegationRow | null> {
    const sql = `select ${delegationColumns} from approval_delegations where tenant_id = $1 and id = $2`;
    return (await delegationRows(uow, sql, [uow.tenantId, delegationId]))[0] ?? null;
  }

  async function movedAlong(uow: UnitOfWork, delegationId: string): Promise<ApprovalRow[]> {
    const delegation = await find(uow, delegationId);
    const now = clock.now();
    if (!delegation || delegation.revokedAt || delegation.endsAt <= now) return [];
    const delegate = await loadAuthority(uow, delegation.toPrincipalId);
    if (!delegate) return [];
    const open = await approvalRows(
      uow,
      `select ${approvalColumns} from approvals where tenant_id = $1 and status = 'pending' order by id desc limit ${maxAnnounced}`,
      [uow.tenantId],
    );
    const facts = await decidingFacts(uow, delegate, open, now);
    const without = { ...facts, seats: facts.seats.filter(({ principalId }) => principalId !== delegation.fromPrincipalId) };
    const isNew = (approval: ApprovalRow) => !rightToDecide(approval, delegate, without, now).ok;
    return open.filter((approval) => rightToDecide(approval, delegate, facts, now).ok && isNew(approval));
  }

  async function tellMoved(uow: UnitOfWork, delegationId: string, { id, executionId }: ApprovalRow): Promise<void> {
    await log.hold(uow, [{ executionId }]);
    const [approval, delegation] = [await lockApproval(uow, id), await find(uow, delegationId)];
    // Decided, or taken back, meanwhile.
    if (approval?.status !== 'pending' || !delegation || delegation.revokedAt) return;
    const { fromPrincipalId, toPrincipalId } = delegation;
    await log.note(uow, approval, [{ type: 'delegated', delegatedBy: fromPrincipalId, delegateId: toPrincipalId }]);
  }

  return {
    delegationsByIds,
    listDelegations: (uow, actor, filter, page) => listDelegations(uow, actor, filter, page, clock.now()),

    async delegate(uow, actor, input) {
      const now = clock.now();
      const { toPrincipalId, reason } = input;
      const fromPrincipalId = input.fromPrincipalId ?? actor.principalId;
      const startsAt = input.startsAt && input.startsAt > now ? input.startsAt : now;
      if (fromPrincipalId !== actor.principalId && !canAnywhere(actor, 'principal.manage')) {
        throw new ForbiddenError('this needs the permission principal.manage, which you do not hold; you can delegate for yourself');
      }
      // One at a time in a tenant: two that together close a loop must not pass each other.
      await uow.rows(`select pg_advisory_xact_lock(hashtextextended('signalbox delegations ' || $1::text, 0))`, [uow.tenantId]);
      const [from, to] = [await personOf(uow, fromPrincipalId), await personOf(uow, toPrincipalId)];
      if (!from) throw absent('fromPrincipalId', fromPrincipalId);
      if (!to) throw absent('toPrincipalId', toPrincipalId);
      const problems = [
        ...periodProblems(startsAt, input.endsAt, now),
        ...textProblems(reason),
        ...personProblems('fromPrincipalId', from, 'has nothing to delegate'),
        ...personProblems('toPrincipalId', to, 'could decide nothing'),
      ];
      if (fromPrincipalId === toPrincipalId) {
        problems.push({ path: 'toPrincipalId', message: 'is the one who delegates; name somebody else' });
      }
      if (problems.length > 0) throw new ValidationError(problems);
      const added = { fromPrincipalId, toPrincipalId, startsAt, endsAt: input.endsAt };
      await refuseClash(uow, added, now);
      const [delegation] = await delegationRows(
        uow,
        `insert into approval_delegations (id, tenant_id, from_principal_id, to_principal_id, starts_at, ends_at, reason, created_by, created_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9) returning ${delegationColumns}`,
        [newId(), uow.tenantId, fromPrincipalId, toPrincipalId, startsAt, input.endsAt, reason ?? '', actor.principalId, now],
      );
      const payload = { tenantId: uow.tenantId, delegationId: delegation!.id };
      await enqueue(uow, [{ name: 'announce-delegation', payload, ...(startsAt > now && { runAt: startsAt }) }]);
      return delegation!;
    },

    async revokeDelegation(uow, actor, delegationId) {
      const [seen] = isId(delegationId) ? await delegationsByIds(uow, actor, [delegationId]) : [];
      if (!seen) throw new NotFoundError(`there is no delegation "${delegationId.slice(0, 80)}"`);
      const parties = [seen.fromPrincipalId, seen.toPrincipalId, seen.createdBy];
      if (!parties.includes(actor.principalId) && !canAnywhere(actor, 'principal.manage')) {
        throw new ForbiddenError('this needs the permission principal.manage, which you do not hold, and the delegation is not yours');
      }
      const now = clock.now();
      const [revoked] = await delegationRows(
        uow,
        `update approval_delegations set revoked_at = $3 where tenant_id = $1 and id = $2 and revoked_at is null and ends_at > $3
         returning ${delegationColumns}`,
        [uow.tenantId, delegationId, now],
      );
      if (!revoked) {
        throw new InvalidStateError(
          seen.revokedAt ? `the delegation was revoked at ${seen.revokedAt.toISOString()}` : 'the delegation is over already',
        );
      }
      return revoked;
    },

    async announce(database, { tenantId, delegationId }) {
      const delegation = await database.read(tenantId, (uow) => find(uow, delegationId));
      if (delegation && delegation.startsAt > clock.now()) {
        // By our clock the job came too early.
        const again = { name: 'announce-delegation', payload: { tenantId, delegationId }, runAt: delegation.startsAt } as const;
        await database.write(tenantId, (uow) => enqueue(uow, [again]));
        return [];
      }
      const moved = await database.read(tenantId, (uow) => movedAlong(uow, delegationId));
      for (const approval of moved) await database.write(tenantId, (uow) => tellMoved(uow, delegationId, approval));
      return moved;
    },
  };
}

/** Open requests that are looked through when a delegation begins; the delegate sees the others in the list like everybody. */
const maxAnnounced = 1_000;

interface Person {
  readonly name: string;
  readonly authority: Authority | null;
}

async function personOf(uow: UnitOfWork, principalId: string): Promise<Person | null> {
  const [row] = isId(principalId)
    ? await uow.rows<{ name: string }>('select name from principals where tenant_id = $1 and id = $2', [uow.tenantId, principalId])
    : [];
  return row ? { name: row.name, authority: await loadAuthority(uow, principalId) } : null;
}

const absent = (path: string, id: string) => new NotFoundError(`${path}: there is no principal "${id.slice(0, 80)}"`);

function personProblems(path: string, person: Person, otherwise: string): Problem[] {
  if (!person.authority) return [{ path, message: `"${person.name}" is disabled` }];
  if (person.authority.principalKind === 'worker') return [{ path, message: `"${person.name}" is a worker, which decides no approvals` }];
  if (canAnywhere(person.authority, 'approval.decide')) return [];
  return [{ path, message: `"${person.name}" holds the permission approval.decide nowhere and ${otherwise}; grant a role first` }];
}

function periodProblems(startsAt: Date, endsAt: Date, now: Date): Problem[] {
  if (endsAt <= now || endsAt <= startsAt) {
    return [{ path: 'endsAt', message: `must be after the beginning (${startsAt.toISOString()}), got ${endsAt.toISOString()}` }];
  }
  const isLong =
    endsAt.getTime() - startsAt.getTime() > maxDelegationDays * dayMs || startsAt.getTime() - now.getTime() > maxDelegationDays * dayMs;
  return isLong ? [{ path: 'endsAt', message: `a delegation begins within ${maxDelegationDays} days and lasts at most as many` }] : [];
}

function textProblems(reason: string | null | undefined): Problem[] {
  if (!reason) return [];
  if (reason.length > maxReasonLength) {
    return [{ path: 'reason', message: `must have at most ${maxReasonLength} characters, has ${reason.length}` }];
  }
  return isStorableText(reason) ? [] : [{ path: 'reason', message: unstorableText }];
}

async function refuseClash(uow: UnitOfWork, added: Parameters<typeof loopOf>[1], now: Date): Promise<void> {
  const open = await delegationRows(
    uow,
    `select ${delegationColumns} from approval_delegations where tenant_id = $1 and revoked_at is null and ends_at > $2`,
    [uow.tenantId, now],
  );
  const same = open.find(
    ({ fromPrincipalId, startsAt, endsAt }) =>
      fromPrincipalId === added.fromPrincipalId && startsAt < added.endsAt && added.startsAt < endsAt,
  );
  if (same) {
    throw new ConflictError(
      `there is a delegation in this period already (${same.startsAt.toISOString()} to ${same.endsAt.toISOString()}); revoke it first`,
    );
  }
  const loop = loopOf(open, added);
  if (!loop) return;
  const names = await uow.rows<{ id: string; name: string }>(
    'select id, name from principals where tenant_id = $1 and id = any($2::uuid[])',
    [uow.tenantId, loop],
  );
  const nameOf = (id: string) => names.find((row) => row.id === id)?.name ?? id;
  throw new ConflictError(`toPrincipalId: this would be a loop (${loop.map(nameOf).join(' → ')}); delegate to somebody outside of it`);
}
