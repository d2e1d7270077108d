// Talking about an approval, and editing what it is for, before somebody decides.
import { ConflictError, InvalidStateError, LimitExceededError } from '#src/platform/errors.ts';
import {
  AnswerApprovalQuestionInput,
  ApprovalComment,
  AskAboutApprovalInput,
  CommentOnApprovalInput,
  EditApprovalInput,
} from '#schema/approval-comment.ts';
import { Approval } from '#schema/approval.ts';
import { mutation } from '#schema/mutation.ts';

mutation('editApproval', {
  description:
    'Changes what will run if it is approved: checked by the tool’s schema and by every policy, with a digest of its own. Votes for what was asked before no longer count, and whoever edits cannot decide.',
  permission: 'approval.decide',
  input: EditApprovalInput,
  returns: { approval: { type: Approval, description: 'The approval as it is now.' } },
  fails: [ConflictError, InvalidStateError],
  resolve: async (services, uow, actor, input) => ({ approval: await services.approvalEdits.editApproval(uow, actor, input) }),
});

mutation('commentOnApproval', {
  description: 'Says something about an approval to everybody who may see it; also after it was decided.',
  permission: 'authenticated',
  input: CommentOnApprovalInput,
  returns: { comment: { type: ApprovalComment, description: 'The new comment.' } },
  fails: [LimitExceededError],
  resolve: async (services, uow, actor, input) => ({ comment: await services.approvalComments.comment(uow, actor, input) }),
});

mutation('askAboutApproval', {
  description: 'Asks whoever asks for an approval something, before deciding. The request stays open, and its clocks run on.',
  permission: 'approval.decide',
  input: AskAboutApprovalInput,
  returns: { question: { type: ApprovalComment, description: 'The new question.' } },
  fails: [InvalidStateError, LimitExceededError],
  resolve: async (services, uow, actor, input) => ({ question: await services.approvalComments.ask(uow, actor, input) }),
});

mutation('answerApprovalQuestion', {
  description:
    'Answers a question of an approver, once: by whoever asks for the approval, or with the permission execution.signal. The answer is told in the execution’s stream, and is part of the output of an approval step.',
  permission: 'authenticated',
  input: AnswerApprovalQuestionInput,
  returns: { answer: { type: ApprovalComment, description: 'The new answer.' } },
  fails: [ConflictError, InvalidStateError, LimitExceededError],
  resolve: async (services, uow, actor, input) => ({ answer: await services.approvalComments.answer(uow, actor, input) }),
});
