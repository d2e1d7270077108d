// What is said about an approval, and how it is edited: types and inputs. Adds its fields to Approval.
import { maxCommentLength, type CommentRow } from '#src/approvals/approval-comments.ts';
import { commentKinds } from '#src/approvals/approval-terms.ts';
import { maxNoteLength } from '#src/approvals/approval.ts';
import { Approval } from './approval.ts';
import { builder } from './builder.ts';
import { connectionsOf, connectionType, paged } from './connection.ts';
import { enumOf } from './enum.ts';
import { globalId } from './ids.ts';
import { nodeType } from './node.ts';
import { Principal } from './principal.ts';

export const CommentKindEnum = enumOf('ApprovalCommentKind', commentKinds, 'What was said about an approval.', {
  comment: 'A remark to everybody.',
  question: 'What an approver wants to know of whoever asks.',
  answer: 'The answer to a question.',
  edit: 'Somebody changed what will run.',
  extension: 'Somebody put off the end.',
});

export const ApprovalComment = nodeType<CommentRow>('ApprovalComment', (services, uow, actor, ids) =>
  services.approvalComments.commentsByIds(uow, actor, ids),
);
export const ApprovalCommentConnection = connectionType(ApprovalComment);
ApprovalComment.implement({
  description: 'Something that was said about an approval, or done to it, besides votes.',
  fields: (t) => ({
    kind: t.expose('kind', { type: CommentKindEnum, description: 'What it is.' }),
    text: t.exposeString('text', { description: 'What was written; of an edit or extension, why.' }),
    author: t.field({
      type: Principal,
      nullable: true,
      description: 'Who wrote it; null when you may not see the person.',
      resolve: (row) => row.author,
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When.' }),
    approval: t.field({ type: Approval, nullable: true, description: 'What it is about.', resolve: (row) => row.approvalId }),
    question: t.field({
      type: ApprovalComment,
      nullable: true,
      description: 'Of an answer: the question.',
      resolve: (row) => row.questionId,
    }),
    answer: t.field({
      type: ApprovalComment,
      nullable: true,
      description: 'Of a question: its answer; null while there is none.',
      resolve: (row) => row.answerId,
    }),
    change: t.field({
      type: 'JSON',
      nullable: true,
      description: 'Of an edit: digest and arguments `before` and `after`; of an extension the two moments; else null.',
      resolve: (row) => (row.kind === 'edit' || row.kind === 'extension' ? row.data : null),
    }),
  }),
});

builder.objectFields(Approval, (t) => ({
  comments: t.loadable({
    type: ApprovalCommentConnection,
    description: 'What was said about it, newest first.',
    ...paged(),
    byPath: true,
    resolve: (row) => row.id,
    load: (ids: string[], { services, read }, page) =>
      read((uow) => services.approvalComments.commentsOf(uow, ids, page)).then(connectionsOf('comments')),
  }),
  isEdited: t.boolean({
    description: 'Whether an approver has changed what will run; whoever did may not decide.',
    resolve: (row) => row.requested !== null,
  }),
  editedBy: t.field({
    type: Principal,
    nullable: true,
    description: 'Who changed it; null when nobody did, or when you may not see the person.',
    resolve: (row) => row.editedBy,
  }),
  editedAt: t.expose('editedAt', { type: 'DateTime', nullable: true, description: 'When it was last changed.' }),
  requestedArguments: t.field({
    type: 'JSON',
    nullable: true,
    description: 'The arguments that were asked for, once they are changed; null while they are not.',
    resolve: (row) => row.requested?.arguments ?? null,
  }),
  costMicroUsd: t.exposeFloat('costMicroUsd', {
    nullable: true,
    description: 'Estimated cost of what will run, a whole number of micro-USD; null when nobody knows.',
  }),
}));

const ofApproval = { description: 'The approval.', required: true } as const;
const lengthText = `1 to ${maxCommentLength} characters.`;

export const EditApprovalInput = builder.inputType('EditApprovalInput', {
  description: 'What to run instead of what is asked for. It still has to be approved, by somebody else.',
  fields: (t) => ({
    approvalId: t.id(ofApproval).validate(globalId('Approval')),
    arguments: t.field({ type: 'JSON', required: true, description: 'All arguments, not only those that change.' }),
    expectedDigest: t.string({
      required: true,
      description: 'Digest of what you were shown; refused as a conflict when it is another by now.',
    }),
    reason: t.string({ description: `Why; at most ${maxNoteLength} characters.` }),
  }),
});

export const CommentOnApprovalInput = builder.inputType('CommentOnApprovalInput', {
  description: 'A remark about an approval.',
  fields: (t) => ({
    approvalId: t.id(ofApproval).validate(globalId('Approval')),
    text: t.string({ required: true, description: lengthText }),
  }),
});

export const AskAboutApprovalInput = builder.inputType('AskAboutApprovalInput', {
  description: 'A question to whoever asks for an approval.',
  fields: (t) => ({
    approvalId: t.id(ofApproval).validate(globalId('Approval')),
    question: t.string({ required: true, description: lengthText }),
  }),
});

export const AnswerApprovalQuestionInput = builder.inputType('AnswerApprovalQuestionInput', {
  description: 'The answer to a question of an approver.',
  fields: (t) => ({
    questionId: t.id({ required: true, description: 'The question.' }).validate(globalId('ApprovalComment')),
    text: t.string({ required: true, description: lengthText }),
  }),
});
