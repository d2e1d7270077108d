// Why a step or an execution ended badly.
import type { ExecutionFailure } from '#src/executions/execution.ts';
import { builder } from './builder.ts';

export const Failure = builder.objectRef<ExecutionFailure>('Failure').implement({
  description: 'Why a step, an attempt or an execution ended badly.',
  fields: (t) => ({
    code: t.exposeString('code', { description: 'Stable code such as TOOL_TIMEOUT, DENIED or APPROVAL_REJECTED.' }),
    message: t.exposeString('message', { description: 'For people; names the step and the way out.' }),
    stepId: t.string({ nullable: true, description: 'The step it comes from.', resolve: (failure) => failure.stepId ?? null }),
  }),
});
