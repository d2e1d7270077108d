// How executions belong together: started by a step of another one, retrying or forking another one. Adds its fields to Execution and Slot.
import type { ExecutionRow } from '#src/executions/execution-rows.ts';
import { builder } from './builder.ts';
import { connectionsOf, paged } from './connection.ts';
import type { Context } from './context.ts';
import { Execution, ExecutionConnection, Slot } from './execution.ts';

/** What is said of the execution above, only to those who may see it. Loaded together with `parent`. */
async function ofParent<Value>(context: Context, { parentId }: ExecutionRow, value: Value): Promise<Value | null> {
  if (parentId === null) return null;
  return (await Execution.getDataloader(context).load(parentId)) ? value : null;
}

builder.objectFields(Execution, (t) => ({
  depth: t.exposeInt('depth', { description: 'How many executions stand above it: 0 when no step started it.' }),
  parent: t.field({
    type: Execution,
    nullable: true,
    description: 'The execution whose agent step started it; null when none did, or when you may not see it.',
    resolve: (row) => row.parentId,
  }),
  parentStepId: t.string({
    nullable: true,
    description: 'The step of `parent` that started it; null without one.',
    resolve: (row, _args, context) => ofParent(context, row, row.parentStepId),
  }),
  parentItemIndex: t.int({
    nullable: true,
    description: 'The item of that step, or iteration, from 0; null when it has none.',
    resolve: (row, _args, context) => ofParent(context, row, row.parentItemIndex === -1 ? null : row.parentItemIndex),
  }),
  root: t.loadable({
    type: Execution,
    nullable: true,
    description: 'The execution at the top of its tree: itself when no step started it; null when you may not see it.',
    resolve: (row) => row.id,
    load: (ids: string[], { services, authority, read }) =>
      read((uow) => services.executions.rootsOf(uow, authority, ids)) as Promise<ExecutionRow[]>,
  }),
  children: t.loadable({
    type: ExecutionConnection,
    description: 'Executions that its steps started and that you may see, newest first.',
    ...paged(),
    byPath: true,
    resolve: (row) => row.id,
    load: (ids: string[], { services, authority, read }, page) =>
      read((uow) => services.executions.childrenOf(uow, authority, ids, page)).then(connectionsOf('executions')),
  }),
  retryOf: t.field({
    type: Execution,
    nullable: true,
    description: 'The execution that it retries; null when it retries none, or when you may not see it.',
    resolve: (row) => (row.origin === 'retry' ? row.originId : null),
  }),
  forkOf: t.field({
    type: Execution,
    nullable: true,
    description: 'The execution that it was forked from; null when it was not, or when you may not see it.',
    resolve: (row) => (row.origin === 'fork' ? row.originId : null),
  }),
  forkStepId: t.exposeString('originStepId', {
    nullable: true,
    description: 'The step that the fork began with; null when it is no fork.',
  }),
  reruns: t.loadable({
    type: ExecutionConnection,
    description: 'Executions that retry or fork it and that you may see, newest first.',
    ...paged(),
    byPath: true,
    resolve: (row) => row.id,
    load: (ids: string[], { services, authority, read }, page) =>
      read((uow) => services.executions.rerunsOf(uow, authority, ids, page)).then(connectionsOf('executions')),
  }),
}));

builder.interfaceField(Slot, 'childExecution', (t) =>
  t.field({
    type: Execution,
    nullable: true,
    description: 'The newest execution that it started; null when it started none, or when you may not see it.',
    resolve: (slot) => slot.childId,
  }),
);
