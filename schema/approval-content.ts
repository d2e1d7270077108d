// What a person is shown of an approval before deciding: what will run, what it changes, and what it is about.
import { changeLineKinds, type ChangeLine } from '#src/approvals/file-change.ts';
import { hiddenKinds, type HiddenCharacter } from '#src/approvals/visible-text.ts';
import type { ApprovalRow } from '#src/approvals/approval-reads.ts';
import type { Presentation, PresentedChange, PresentedField } from '#src/approvals/approval-rendering.ts';
import type { ApprovalContext, FinishedStep } from '#src/executions/approval-context.ts';
import { Approval } from './approval.ts';
import { builder } from './builder.ts';
import { enumOf } from './enum.ts';
import { StepStatusEnum } from './execution-status.ts';
import { EnvironmentKindEnum } from './tenant.ts';

export const HiddenKindEnum = enumOf('HiddenCharacterKind', hiddenKinds, 'Why a reader would be deceived by a character.', {
  control: 'It steers terminals and is not seen.',
  bidirectional: 'It makes text read in another order than it runs.',
  invisible: 'It is not seen.',
  space: 'It looks like a space and is none.',
  lookalike: 'It looks like another letter.',
});

export const HiddenCharacterType = builder.objectRef<HiddenCharacter>('HiddenCharacter').implement({
  description: 'A character that is not what it seems. In the texts of a presentation its code point stands in its place: `⟦U+202E⟧`.',
  fields: (t) => ({
    codePoint: t.exposeString('codePoint', { description: 'Such as `U+202E`.' }),
    name: t.exposeString('name', { description: 'Its Unicode name where it is well known, else its kind.' }),
    kind: t.expose('kind', { type: HiddenKindEnum, description: 'Why a reader would be deceived.' }),
    count: t.exposeInt('count', { description: 'How often it occurs.' }),
  }),
});

export const PresentedFieldType = builder.objectRef<PresentedField>('PresentedValue').implement({
  description: 'One value of what will run.',
  fields: (t) => ({
    path: t.exposeString('path', { description: 'Where it stands in the arguments, such as `edits[0].newText`.' }),
    text: t.exposeString('text', { description: 'A text as it is, anything else as JSON; hidden characters are named.' }),
    isTruncated: t.exposeBoolean('isTruncated', { description: 'Whether only its beginning is shown; `arguments` holds the whole.' }),
    isChanged: t.exposeBoolean('isChanged', {
      description: 'Whether an approver has changed, added or removed it; the text of a removed one is empty.',
    }),
    before: t.exposeString('before', { nullable: true, description: 'What was asked for, when it is changed; null when there was none.' }),
  }),
});

export const ChangeLineKindEnum = enumOf('ChangeLineKind', changeLineKinds, 'What happens to a line.', {
  context: 'It stays.',
  removed: 'It is taken out.',
  added: 'It is put in.',
  gap: 'Lines that stay are left out here.',
});

export const ChangeLineType = builder.objectRef<ChangeLine>('ChangeLine').implement({
  description: 'A line of a file that changes, or beside one that does.',
  fields: (t) => ({
    kind: t.expose('kind', { type: ChangeLineKindEnum, description: 'What happens to it.' }),
    oldLine: t.exposeInt('oldLine', { nullable: true, description: 'Its number before, from 1; null for one that is put in.' }),
    newLine: t.exposeInt('newLine', { nullable: true, description: 'Its number afterwards, from 1; null for one that is taken out.' }),
    text: t.exposeString('text', { description: 'The line; hidden characters are named.' }),
  }),
});

export const FileChangeType = builder.objectRef<PresentedChange>('FileChange').implement({
  description: 'What a call would do to a file, as far as its arguments say it.',
  fields: (t) => ({
    path: t.exposeString('path', { description: 'The file.' }),
    lines: t.expose('lines', { type: [ChangeLineType], description: 'The lines that change, each with up to three beside it.' }),
    added: t.exposeInt('added', { description: 'How many lines are put in.' }),
    removed: t.exposeInt('removed', { description: 'How many lines are taken out.' }),
    isTruncated: t.exposeBoolean('isTruncated', { description: 'Whether more lines change than are shown.' }),
    isWhole: t.exposeBoolean('isWhole', {
      description: 'Whether the whole file is replaced and nobody has looked what it holds: then every line counts as put in.',
    }),
    comparedWithStepId: t.string({
      nullable: true,
      description: 'The step of this execution that last read or wrote the file; null when the arguments themselves say what is replaced.',
      resolve: (row) => row.comparedWith?.stepId ?? null,
    }),
    comparedWithAt: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'When it did; the file may have been changed by others since.',
      resolve: (row) => row.comparedWith?.at ?? null,
    }),
  }),
});

export const PresentationType = builder.objectRef<Presentation>('ApprovalPresentation').implement({
  description: 'Exactly what will run, for a person to read: nothing in it can hide.',
  fields: (t) => ({
    summary: t.exposeString('summary', { description: 'In one line.' }),
    values: t.expose('fields', { type: [PresentedFieldType], description: 'Every value of the arguments; at most 500.' }),
    omittedValues: t.exposeInt('omittedFields', { description: 'Values that are there and not shown.' }),
    changes: t.expose('changes', { type: [FileChangeType], description: 'Files that would be written, line by line.' }),
    hidden: t.expose('hidden', { type: [HiddenCharacterType], description: 'Characters that are not what they seem.' }),
    warnings: t.exposeStringList('warnings', { description: 'What to look at twice, in sentences.' }),
  }),
});

export const ContextStep = builder.objectRef<FinishedStep>('ApprovalContextStep').implement({
  description: 'A step that had ended before.',
  fields: (t) => ({
    stepId: t.exposeString('stepId', { description: 'Its id in the definition.' }),
    status: t.expose('status', { type: StepStatusEnum, description: 'How it ended.' }),
    finishedAt: t.expose('finishedAt', { type: 'DateTime', description: 'When.' }),
  }),
});

export const ContextType = builder.objectRef<ApprovalContext>('ApprovalContext').implement({
  description: 'What the execution that asks is about, as it is now.',
  fields: (t) => ({
    agentName: t.exposeString('agentName', { description: 'The agent.' }),
    agentVersion: t.exposeString('agentVersion', { nullable: true, description: 'Its version; null for an agent that runs elsewhere.' }),
    environmentName: t.exposeString('environmentName', { description: 'Where it runs.' }),
    environmentKind: t.expose('environmentKind', { type: EnvironmentKindEnum, description: 'What kind of environment that is.' }),
    requesterName: t.exposeString('requesterName', { nullable: true, description: 'Who asks; null when the person is gone.' }),
    labels: t.expose('labels', { type: 'JSON', description: 'Labels of the execution.' }),
    startedAt: t.expose('startedAt', { type: 'DateTime', nullable: true, description: 'When it began; null when it has not.' }),
    stepTotal: t.exposeInt('stepTotal', { description: 'Steps of the definition.' }),
    stepsFinished: t.exposeInt('stepsFinished', { description: 'Steps that have ended.' }),
    lastSteps: t.expose('lastSteps', { type: [ContextStep], description: 'The last five that ended, newest first.' }),
    nextSteps: t.exposeStringList('nextSteps', { description: 'Steps that begin only after the one that asks.' }),
  }),
});

builder.objectFields(Approval, (t) => ({
  presentation: t.loadable({
    type: PresentationType,
    description: 'Exactly what will run, for a person to read.',
    resolve: (row) => row,
    load: (rows: ApprovalRow[], { services, authority, read }) =>
      read((uow) => services.approvalContext.presentationsOf(uow, authority, rows)),
  }),
  context: t.loadable({
    type: ContextType,
    nullable: true,
    description: 'What the execution that asks is about; null when you may not see executions there.',
    resolve: (row) => row,
    load: (rows: ApprovalRow[], { services, authority, read }) =>
      read((uow) => services.approvalContext.contextsOf(uow, authority, rows)) as Promise<ApprovalContext[]>,
  }),
}));
