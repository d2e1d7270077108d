// Settings of calls that agents make in loops of their own: how long judging may take, and what is answered when it fails.
import { group, integer, oneOf, setting } from './config-fields.ts';

export const toolCalls = group({
  timeoutMs: setting(
    {
      env: 'SIGNALBOX_TOOL_CALLS_TIMEOUT_MS',
      description: 'How long a statement of authorizeToolCall may wait; then the call counts as not judged; milliseconds.',
    },
    integer(50, 60_000, 'milliseconds').default(5_000),
  ),
  onError: setting(
    {
      env: 'SIGNALBOX_TOOL_CALLS_ON_ERROR',
      description:
        'What becomes of calls of low and medium risk that could not be judged: deny or allow. Those of high and critical risk are refused.',
    },
    oneOf(['deny', 'allow']).default('deny'),
  ),
});
