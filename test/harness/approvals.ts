// A tenant with people and requests for approval on a database and a clock of its own, without executions: what would be told in their
// streams is kept in a list.
import assert from 'node:assert/strict';
import pg from 'pg';
import type { ApprovalSubject } from '#src/approvals/approval.ts';
import type { ApprovalLog, ApprovalNote, CallFact } from '#src/approvals/approval-log.ts';
import type { ApprovalRow } from '#src/approvals/approval-reads.ts';
import { createApprovalService, type ApprovalService, type NewApproval } from '#src/approvals/approval-service.ts';
import { approversNow, type ApprovalTerms, type Approver } from '#src/approvals/approval-terms.ts';
import type { Deciding } from '#src/approvals/deciding.ts';
import { createDelegationService, type DelegationService, type NewDelegation } from '#src/approvals/delegation-service.ts';
import type { DelegationRow } from '#src/approvals/delegation-reads.ts';
import type { UnitOfWork } from '#src/platform/database.ts';
import { newId } from '#src/platform/ids.ts';
import type { Authority, Grant, PrincipalKind } from '#src/authority/permission.ts';
import { testDatabase, type TestDatabase } from './database.ts';
import { createWorld, type World } from './governance.ts';

interface RecordingLog extends ApprovalLog {
  readonly told: { readonly approvalId: string; readonly note: ApprovalNote | CallFact }[];
}

export function recordingLog(): RecordingLog {
  const told: RecordingLog['told'] = [];
  return {
    told,
    hold: async () => {},
    note: async (_uow, { id }, notes) => void told.push(...notes.map((note) => ({ approvalId: id, note }))),
    tellCall: async (_uow, { id }, fact) => void told.push({ approvalId: id, note: fact }),
  };
}

export const start = new Date('2026-11-21T10:00:00.000Z');
export const hour = 3_600_000;

export interface QueuedJob {
  readonly name: string;
  readonly payload: Record<string, unknown>;
  readonly runAt: Date;
}

export interface ApprovalWorld extends World {
  readonly executionId: string;
  readonly requester: Authority;
  /** Holds the role reviewer on the tenant. */
  readonly reviewer: Authority;
  /** A stored principal whose grants are stored, too. */
  member(name: string, grants?: readonly Grant[], more?: { kind?: PrincipalKind; teams?: readonly string[] }): Promise<Authority>;
  /** A key of `of`, made by `by`. */
  key(of: Authority, by: Authority | null): Promise<void>;
  write<T>(work: (uow: UnitOfWork) => Promise<T>): Promise<T>;
  subject(change?: Partial<ApprovalSubject>): ApprovalSubject;
  request(change?: Partial<NewApproval>): Promise<ApprovalRow>;
  /** With one stage of these approvers. */
  requestOf(approvers: readonly Approver[], quorum?: number, more?: Partial<ApprovalTerms>): Promise<ApprovalRow>;
  find(approval: Pick<ApprovalRow, 'id'>): Promise<ApprovalRow>;
  decide(actor: Authority, approvalId: string, input?: Partial<Deciding>): Promise<ApprovalRow>;
  delegate(from: Authority, to: Authority, input?: Partial<NewDelegation>): Promise<DelegationRow>;
  jobs(): Promise<QueuedJob[]>;
  /** Checks that the rows of who is asked are those of everything that is pending; how many there are. */
  approvers(): Promise<number>;
  /** Checks besides that the list of what can be decided agrees, and the rows of who is asked. */
  whyNot(actor: Authority, approval: ApprovalRow): Promise<string | null>;
  /** Notes about an approval, in order. */
  told(approval: Pick<ApprovalRow, 'id'>): (ApprovalNote | CallFact)[];
}

export interface ApprovalStand {
  readonly db: TestDatabase;
  readonly approvals: ApprovalService;
  readonly delegations: DelegationService;
  /** Milliseconds after `start`. */
  at(ms: number): void;
  now(): Date;
  world(): Promise<ApprovalWorld>;
  close(): Promise<void>;
}

export const later = (ms: number): Date => new Date(start.getTime() + ms);

export async function approvalStand(): Promise<ApprovalStand> {
  const db = await testDatabase();
  const owner = new pg.Client({ connectionString: db.ownerUrl });
  await owner.connect();
  let now = start;
  const deps = { clock: { now: () => now }, log: recordingLog() };
  const approvals = createApprovalService(deps);
  const delegations = createDelegationService(deps);

  async function world(): Promise<ApprovalWorld> {
    now = start;
    const base = await createWorld(db.database);
    const write: ApprovalWorld['write'] = (work) => db.database.write(base.tenantId, work);
    const put = (sql: string, params: readonly unknown[]) => write((uow) => uow.rows(sql, [base.tenantId, ...params]));
    for (const [projectId, environmentId] of [
      [base.projectId, base.environmentId],
      [base.otherProjectId, newId()],
    ] as const) {
      await put(
        `insert into projects (id, tenant_id, name, created_at) values ($2::uuid, $1, $2::uuid::text, now()) on conflict do nothing`,
        [projectId],
      );
      await put(
        `insert into environments (id, tenant_id, project_id, name, kind, created_at) values ($2, $1, $3, 'one', 'staging', now()) on conflict do nothing`,
        [environmentId, projectId],
      );
    }
    const executionId = newId();
    const requester = await base.person('rita', base.on('operator'));
    const reviewer = await base.person('rex', base.on('reviewer'));
    const subject: ApprovalWorld['subject'] = (change = {}) => ({
      tenantId: base.tenantId,
      executionId,
      stepId: 'write',
      itemIndex: null,
      agentVersionDigest: 'v',
      tool: 'files.write_file',
      toolDigest: 'd',
      arguments: { path: 'report.md', content: 'all well' },
      policies: ['p@1'],
      ...change,
    });
    const request: ApprovalWorld['request'] = (change = {}) => {
      const { projectId, environmentId, teamId, agentId } = base;
      const what = { source: 'policy', title: 'Write the report', reason: 'because', risk: 'high', subject: subject() } as const;
      const asked = {
        projectId,
        environmentId,
        teamId,
        agentId,
        ...what,
        requestedBy: requester.principalId,
        expiresInMs: hour,
        ...change,
      };
      return write((uow) => approvals.request(uow, asked));
    };
    /** What is listed as decidable is what could be decided. */
    const checkInbox = (actor: Authority, approvalId: string): Promise<void> =>
      write(async (uow) => {
        const [stored] = await approvals.approvalsByIds(uow, actor, [approvalId]);
        if (!stored) return;
        const [reason] = await approvals.whyNotDecide(uow, actor, [stored]);
        const { rows } = await approvals.listApprovals(uow, actor, { canDecide: true }, { first: 100 });
        assert.equal(rows.some(({ id }) => id === approvalId), reason === null, reason ?? 'could be decided, and is not listed'); // prettier-ignore
      });
    const checkApprovers = async (): Promise<number> => {
      const [pending, rows] = await write(async (uow) => [
        await uow.rows<ApprovalRow>(
          `select id, terms, stage, escalated_at as "escalatedAt", environment_id as "environmentId", team_id as "teamId"
           from approvals where status = 'pending'`,
        ),
        await uow.rows<{ text: string }>(
          `select concat_ws(' ', approval_id, environment_id, coalesce(team_id::text, '-'), approver) as text from approval_approvers`,
        ),
      ]);
      const asked = pending.flatMap((approval) => {
        const texts = approversNow(approval).flatMap((approver) => Object.entries(approver).map(([kind, who]) => `${kind}:${who}`));
        const place = `${approval.id} ${approval.environmentId} ${approval.teamId ?? '-'}`;
        return [...new Set(texts.length > 0 ? texts : ['anybody'])].map((text) => `${place} ${text}`);
      });
      assert.deepEqual(rows.map(({ text }) => text).toSorted(), asked.toSorted());
      return rows.length;
    };
    return {
      ...base,
      ...{ executionId, requester, reviewer, write, subject, request },
      requestOf: (approvers, quorum = 1, more = {}) => request({ terms: { stages: [{ name: 'approval', approvers, quorum }], ...more } }),
      async member(name, grants = [base.on('reviewer')], { kind = 'user', teams = [] } = {}) {
        const person = await base.person(name, ...grants);
        await put('update principals set kind = $3 where tenant_id = $1 and id = $2', [person.principalId, kind]);
        for (const grant of grants) {
          await put(
            `insert into role_grants (id, tenant_id, role, scope_kind, scope_id, principal_id, created_at) values ($2, $1, $3, $4, $5, $6, now())`,
            [newId(), grant.role, grant.kind, grant.scopeId, person.principalId],
          );
        }
        for (const team of teams) {
          await put('insert into team_members (team_id, principal_id, tenant_id, created_at) values ($2, $3, $1, now())', [
            team,
            person.principalId,
          ]);
        }
        return { ...person, principalKind: kind };
      },
      key: async (of, by) => {
        await put(
          `insert into api_keys (id, tenant_id, principal_id, name, secret_hash, roles, created_by, created_at)
           values ($2, $1, $3, 'key', '\\x00', '{admin}', $4, now())`,
          [newId(), of.principalId, by?.principalId ?? null],
        );
      },
      find: async ({ id }) => (await write((uow) => approvals.findApproval(uow, reviewer, id)))!,
      decide: (actor, approvalId, input = {}) =>
        write((uow) => approvals.decide(uow, actor, { approvalId, decision: 'approve', ...input })),
      delegate: (from, to, input = {}) =>
        write((uow) =>
          delegations.delegate(uow, from, { toPrincipalId: to.principalId, endsAt: new Date(now.getTime() + 24 * hour), ...input }),
        ),
      jobs: async () =>
        (
          await owner.query<QueuedJob>(
            `select t.identifier as name, j.payload, j.run_at as "runAt" from graphile_worker._private_jobs j
             join graphile_worker._private_tasks t on t.id = j.task_id where j.payload->>'tenantId' = $1 order by j.id`,
            [base.tenantId],
          )
        ).rows,
      whyNot: async (actor, approval) => {
        const [reason] = await write((uow) => approvals.whyNotDecide(uow, actor, [approval]));
        await checkInbox(actor, approval.id);
        await checkApprovers();
        return reason!;
      },
      approvers: checkApprovers,
      told: ({ id }) => deps.log.told.filter(({ approvalId }) => approvalId === id).map(({ note }) => note),
    };
  }

  return {
    ...{ db, approvals, delegations, world },
    at: (ms) => void (now = later(ms)),
    now: () => now,
    async close() {
      await owner.end();
      await db.close();
    },
  };
}
