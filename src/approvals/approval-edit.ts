// Editing what an approval is for, before it is approved: the rules, and the row that a new digest makes. Who may, and whether tool and
// gate accept the new arguments, is asked by the caller (src/executions/edit-approval.ts).
import { digestOf } from '../platform/canonical.ts';
import type { UnitOfWork } from '../platform/database.ts';
import { newId } from '../platform/ids.ts';
import { storableJson } from '../platform/json.ts';
import type { ApprovalTerms } from './approval-terms.ts';
import { approvalColumns, approvalRows, type ApprovalRow } from './approval-reads.ts';
import { subjectDigest, type ApprovalSubject } from './approval.ts';

/** The same effect, whichever policies ask about it. */
const sameEffect = (a: ApprovalSubject, b: ApprovalSubject): boolean =>
  digestOf(JSON.parse(storableJson({ ...a, policies: [] }))) === digestOf(JSON.parse(storableJson({ ...b, policies: [] })));

/**
 * The arguments to run instead of those that the step asks for: edited by one person and approved by another, as long as the step
 * still asks for exactly what was edited. Null: those of the step.
 */
export function editedArguments(
  approval: Pick<ApprovalRow, 'subject' | 'requested' | 'status'> | null,
  asked: ApprovalSubject,
): Record<string, unknown> | null {
  if (approval?.status !== 'approved' || approval.requested === null || !sameEffect(approval.requested, asked)) return null;
  return approval.subject.arguments as Record<string, unknown>;
}

export interface Edit {
  readonly approval: ApprovalRow;
  readonly subject: ApprovalSubject;
  readonly editedBy: string;
  readonly text: string;
  /** What the gate says about the new arguments; null leaves what was asked for. */
  readonly terms: { readonly reason: string; readonly terms: ApprovalTerms } | null;
  readonly decisionId: string;
  readonly at: Date;
}

/** The locked row with its new subject and digest, back in its first stage; and in the record who changed what. */
export async function saveEdit(uow: UnitOfWork, { approval, subject, editedBy, text, terms, decisionId, at }: Edit): Promise<ApprovalRow> {
  const before = { digest: approval.digest, arguments: approval.subject.arguments };
  const after = { digest: subjectDigest(subject), arguments: subject.arguments };
  uow.write(
    `insert into approval_comments (id, tenant_id, approval_id, kind, author, text, data, created_at)
     values ($1, $2, $3, 'edit', $4, $5, $6::jsonb, $7)`,
    [newId(), uow.tenantId, approval.id, editedBy, text, storableJson({ before, after }), at],
  );
  const [edited] = await approvalRows(
    uow,
    `update approvals set subject = $3::jsonb, digest = $4, requested = coalesce(requested, subject), edited_by = $5, edited_at = $6,
       stage = 0, stage_at = null, escalated_at = null, reason = coalesce($7, reason), terms = coalesce($8::jsonb, terms), decision_id = $9
     where tenant_id = $1 and id = $2 returning ${approvalColumns}`,
    [
      ...[uow.tenantId, approval.id, storableJson(subject), after.digest, editedBy, at],
      ...[terms?.reason ?? null, terms && JSON.stringify(terms.terms), decisionId],
    ],
  );
  if (!edited) throw new Error('the locked approval is gone');
  return edited;
}

/** A request that has to be made once more (a policy has changed) is still for what `former` was edited to, and still not the editor's to decide. */
export function carryEdit(uow: UnitOfWork, approvalId: string, { requested, editedBy, editedAt }: ApprovalRow): void {
  uow.write('update approvals set requested = $3::jsonb, edited_by = $4, edited_at = $5 where tenant_id = $1 and id = $2', [
    ...[uow.tenantId, approvalId, storableJson(requested), editedBy, editedAt],
  ]);
}
