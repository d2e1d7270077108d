// Two executions side by side: step by step, item by item.
import { itemCursor } from '#src/executions/execution.ts';
import {
  divergenceKinds,
  presences,
  type ComparedDecision as DecisionGroup,
  type ComparedExecution as Side,
  type ComparedItem as ItemSide,
  type ComparedStep as StepSide,
  type Divergence as FirstDivergence,
  type Durations,
  type ExecutionComparison as Comparison,
  type ItemComparison as ItemPair,
  type ItemSummary,
  type StepComparison as StepPair,
} from '#src/inspection/compare.ts';
import type { ComparedItemsKey } from '#src/inspection/compare-reads.ts';
import { builder } from './builder.ts';
import { connectionType, paged } from './connection.ts';
import { GateActionEnum, PolicyFinding } from './decision.ts';
import { enumOf } from './enum.ts';
import { Execution, Step, StepItem } from './execution.ts';
import { DecisionEffectEnum } from './policy.ts';

const PresenceEnum = enumOf('ComparisonPresence', presences, 'Which of the two executions has it.', {
  both: 'Both have it.',
  only_a: 'Only the first.',
  only_b: 'Only the second.',
});

const DivergenceKindEnum = enumOf('DivergenceKind', divergenceKinds, 'How two executions went differently at a step.', {
  presence: 'Only one of them has the step.',
  path: 'A branch chose another case.',
  status: 'It ended, or stands, otherwise.',
  output: 'It gave another output.',
  decision: 'The gate decided otherwise.',
});

const Divergence = builder.objectRef<FirstDivergence>('Divergence').implement({
  description: 'The first step that went differently: of the steps it needs, none did.',
  fields: (t) => ({
    stepId: t.exposeString('stepId', { description: 'Id of the step in the definition.' }),
    itemIndex: t.exposeInt('itemIndex', { nullable: true, description: 'The first of its items that went differently.' }),
    kind: t.expose('kind', { type: DivergenceKindEnum, description: 'How.' }),
  }),
});

const ComparedDecision = builder.objectRef<DecisionGroup>('ComparedDecision').implement({
  description: 'What the gate decided, each different decision once.',
  fields: (t) => ({
    action: t.expose('action', { type: GateActionEnum, description: 'What wanted to pass.' }),
    effect: t.expose('effect', { type: DecisionEffectEnum, description: 'The outcome.' }),
    reasons: t.stringList({ description: 'Why, as sentences.', resolve: (row) => [...row.reasons] }),
    findings: t.field({
      type: [PolicyFinding],
      description: 'What each policy in scope said, with its version.',
      resolve: (row) => [...row.findings],
    }),
    count: t.exposeInt('count', { description: 'How often it was decided so; a retry is judged again.' }),
  }),
});

/** The same three durations of executions, steps and items. Float: 25 days of milliseconds are more than an Int holds. */
const Timed = builder.interfaceRef<Durations>('Timed').implement({
  description: 'How long something took; null while it is not over.',
  fields: (t) => ({
    waitedMs: t.exposeFloat('waitedMs', { nullable: true, description: 'From ready to begun, milliseconds.' }),
    ranMs: t.exposeFloat('ranMs', { nullable: true, description: 'From begun to ended, milliseconds.' }),
    tookMs: t.exposeFloat('tookMs', { nullable: true, description: 'From ready to ended, milliseconds.' }),
  }),
});

const decisionsMeaning = 'At most 20 different decisions; null when you may not read decisions there.';
const digestMeaning = 'SHA-256 of the output as it is stored; null when it has none of its own.';

const ComparedExecution = builder.objectRef<Side>('ComparedExecution').implement({
  description: 'One of the two executions.',
  interfaces: [Timed],
  isTypeOf: (value) => 'execution' in (value as object),
  fields: (t) => ({
    execution: t.field({ type: Execution, description: 'The execution.', resolve: (row) => row.execution }),
    decisions: t.field({
      type: [ComparedDecision],
      nullable: true,
      description: `About its start. ${decisionsMeaning}`,
      resolve: (row) => row.decisions && [...row.decisions],
    }),
  }),
});

const ComparedStep = builder.objectRef<StepSide>('ComparedStep').implement({
  description: 'A step in one of the two executions.',
  interfaces: [Timed],
  isTypeOf: (value) => 'step' in (value as object),
  fields: (t) => ({
    step: t.field({ type: Step, description: 'The step, with its output and attempts.', resolve: (row) => row.step }),
    reused: t.exposeBoolean('reused', { description: 'It was taken over from the execution that this one retries or forks.' }),
    outputDigest: t.exposeString('outputDigest', { nullable: true, description: `${digestMeaning} Lists are told by their items.` }),
    branchCase: t.int({
      nullable: true,
      description: 'Index of the case a branch chose; null when none matched, or it is no branch.',
      resolve: (row) => row.branchCase ?? null,
    }),
    attempts: t.exposeInt('attempts', { description: 'Tries in all, those of its items included.' }),
    decisions: t.field({
      type: [ComparedDecision],
      nullable: true,
      description: `About it and its items. ${decisionsMeaning}`,
      resolve: (row) => row.decisions && [...row.decisions],
    }),
  }),
});

const ComparedItem = builder.objectRef<ItemSide>('ComparedItem').implement({
  description: 'An item in one of the two executions.',
  interfaces: [Timed],
  isTypeOf: (value) => 'item' in (value as object),
  fields: (t) => ({
    item: t.field({ type: StepItem, description: 'The item, with its value, output and attempts.', resolve: (row) => row.item }),
    reused: t.exposeBoolean('reused', { description: 'It was taken over from the execution that this one retries or forks.' }),
    outputDigest: t.exposeString('outputDigest', { nullable: true, description: digestMeaning }),
    decisions: t.field({
      type: [ComparedDecision],
      nullable: true,
      description: `About it. ${decisionsMeaning}`,
      resolve: (row) => row.decisions && [...row.decisions],
    }),
  }),
});

const nothing = 'null when only one execution has it';

const ItemComparison = builder.objectRef<ItemPair>('ItemComparison').implement({
  description: 'The items of one index in both executions.',
  fields: (t) => ({
    index: t.exposeInt('index', { description: 'Place in the list, from 0.' }),
    presence: t.expose('presence', { type: PresenceEnum, description: 'Which of the two has it.' }),
    sameValue: t.exposeBoolean('sameValue', { nullable: true, description: `The item itself is the same; ${nothing}.` }),
    sameStatus: t.exposeBoolean('sameStatus', { nullable: true, description: `It stands the same; ${nothing}.` }),
    sameOutput: t.exposeBoolean('sameOutput', { nullable: true, description: `It gave the same; ${nothing}.` }),
    sameDecisions: t.exposeBoolean('sameDecisions', {
      nullable: true,
      description: `The gate decided the same, for the same reasons, by the same policy versions; ${nothing}, where it was taken over, or you may not read decisions.`,
    }),
    a: t.expose('a', { type: ComparedItem, nullable: true, description: 'In the first execution.' }),
    b: t.expose('b', { type: ComparedItem, nullable: true, description: 'In the second execution.' }),
  }),
});
const ItemComparisonConnection = connectionType(ItemComparison);

const ItemDifferences = builder.objectRef<ItemSummary>('ItemDifferences').implement({
  description: 'Items of a forEach step, or iterations of a loop, of both executions, counted by index.',
  fields: (t) => ({
    both: t.exposeInt('both', { description: 'Indexes that both have.' }),
    onlyA: t.exposeInt('onlyA', { description: 'Only in the first.' }),
    onlyB: t.exposeInt('onlyB', { description: 'Only in the second.' }),
    different: t.exposeInt('different', { description: 'In both, with another status or output.' }),
    firstDifferent: t.exposeInt('firstDifferent', { nullable: true, description: 'The first index that is not the same in both.' }),
  }),
});

const StepComparison = builder.objectRef<StepPair>('StepComparison').implement({
  description: 'The steps of one id in both executions.',
  fields: (t) => ({
    stepId: t.exposeString('stepId', { description: 'Id of the step in the definition.' }),
    presence: t.expose('presence', { type: PresenceEnum, description: 'Which of the two definitions has it.' }),
    sameDefinition: t.exposeBoolean('sameDefinition', { nullable: true, description: `It is defined the same; ${nothing}.` }),
    sameStatus: t.exposeBoolean('sameStatus', { nullable: true, description: `It stands the same; ${nothing}.` }),
    sameOutput: t.exposeBoolean('sameOutput', { nullable: true, description: `It gave the same, item by item; ${nothing}.` }),
    samePath: t.exposeBoolean('samePath', {
      nullable: true,
      description: `The branch chose the same case; ${nothing}, or it is no branch.`,
    }),
    sameDecisions: t.exposeBoolean('sameDecisions', {
      nullable: true,
      description: `The gate decided the same, for the same reasons, by the same policy versions; ${nothing}, where it was taken over, or you may not read decisions.`,
    }),
    a: t.expose('a', { type: ComparedStep, nullable: true, description: 'In the first execution.' }),
    b: t.expose('b', { type: ComparedStep, nullable: true, description: 'In the second execution.' }),
    itemDifferences: t.field({
      type: ItemDifferences,
      nullable: true,
      description: 'How its items differ; null when it has none in either.',
      resolve: (row) => row.items,
    }),
    items: t.loadable({
      type: ItemComparisonConnection,
      description: 'Its items side by side, by index; empty for a step without.',
      ...paged({ differing: t.arg.boolean({ description: 'Only those that are not the same in both.' }) }),
      byPath: true,
      resolve: ({ stepId, executions }) => JSON.stringify({ ...executions, stepId } satisfies ComparedItemsKey),
      load: (keys: string[], { services, authority, read }, { differing, ...page }) =>
        read((uow) =>
          services.inspection.compareItems(
            uow,
            authority,
            keys.map((key) => JSON.parse(key)),
            { ...page, differing: differing ?? false },
          ),
        ).then((pages) => pages.map(itemConnection)),
    }),
  }),
});

/** Their cursor is their index, as that of the items themselves. */
function itemConnection({ rows, hasNextPage }: { readonly rows: readonly ItemPair[]; readonly hasNextPage: boolean }) {
  const edges = rows.map((node) => ({ node, cursor: itemCursor(node.index) }));
  const pageInfo = { hasNextPage, hasPreviousPage: false, startCursor: edges[0]?.cursor ?? null, endCursor: edges.at(-1)?.cursor ?? null };
  return { edges, pageInfo };
}

export const ExecutionComparison = builder.objectRef<Comparison>('ExecutionComparison').implement({
  description: 'Two executions, aligned by the ids of their steps: of one version, of two, or of two agents.',
  fields: (t) => ({
    a: t.expose('a', { type: ComparedExecution, description: 'The first.' }),
    b: t.expose('b', { type: ComparedExecution, description: 'The second.' }),
    equal: t.exposeBoolean('equal', {
      description: 'Both went the same way to the same end: steps, path, statuses, outputs. Durations and attempts may differ.',
    }),
    sameAgent: t.exposeBoolean('sameAgent', { description: 'Both are of one agent.' }),
    sameVersion: t.exposeBoolean('sameVersion', { description: 'Both are of one version.' }),
    sameInputs: t.exposeBoolean('sameInputs', { description: 'Both were started with the same inputs.' }),
    sameStatus: t.exposeBoolean('sameStatus', { description: 'Both stand the same.' }),
    sameOutput: t.exposeBoolean('sameOutput', { description: 'Both gave the same output.' }),
    sameDecisions: t.exposeBoolean('sameDecisions', {
      nullable: true,
      description: 'The gate decided the same about their start; null when you may not read decisions.',
    }),
    firstDivergence: t.expose('firstDivergence', {
      type: Divergence,
      nullable: true,
      description: 'Where they first went differently; null when no step did.',
    }),
    steps: t.field({
      type: [StepComparison],
      description:
        'Every step of either definition: in the order of the first, those of the second alone after what stands before them there.',
      resolve: (row) => [...row.steps],
    }),
  }),
});
