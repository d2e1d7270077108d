// What the demo does, all of it through the typed client: publish, start or resume, watch, have it approved.
import type { SignalboxClient } from '#client/index.ts';
import { ensureAgent, type DemoAgent } from './agent.ts';
import { decide, type Deciding } from './decide.ts';
import { eventLine, readableId } from './show.ts';

export interface StoryOptions extends Deciding {
  /** Starts the execution and watches it. */
  readonly operator: SignalboxClient;
  /** Folder with the log files. */
  readonly directory: string;
  /** The execution whose end was shown last, here. */
  readonly told: string | null;
  readonly signal: AbortSignal;
}

export interface Ending {
  readonly executionId: string;
  readonly agentId: string;
  readonly environmentId: string;
  readonly directory: string;
  readonly status: string;
  /** Who said no to the report; null when nobody did. */
  readonly rejectedBy: string | null;
  readonly failure: string | null;
  readonly output: unknown;
}

const label = { demo: 'log-triage' };

/** Resolves when the execution has ended. */
export async function tellStory(options: StoryOptions): Promise<Ending> {
  const { operator, directory } = options;
  const place = await ensureAgent(operator, (line) => console.log(`\n${line}`));
  const executionId = await startOrResume(options, place);
  const broken = new AbortController();
  const signal = AbortSignal.any([options.signal, broken.signal]);
  let rejectedBy: string | null = null;
  let question: { readonly over: AbortController; readonly answered: Promise<void> } | null = null;
  for await (const { events } of operator.executionEvents({ executionId }, { signal })) {
    if (question && events.length > 0) {
      question.over.abort(); // the news is that it was decided, here or elsewhere
      await question.answered;
      question = null;
    }
    for (const event of events) {
      const by = await decider(operator, event);
      if (event.__typename === 'ApprovalRejected') rejectedBy = by;
      console.log(eventLine({ ...event, by }));
    }
    // What was asked and decided before this run comes with the history, too: only the newest request can be open.
    const asked = events.findLast((event) => event.__typename === 'ApprovalRequested');
    if (asked?.__typename !== 'ApprovalRequested') continue;
    const over = new AbortController();
    const answered = decide(options, asked.approvalId, AbortSignal.any([signal, over.signal])).catch((error: unknown) =>
      broken.abort(error),
    );
    question = { over, answered };
  }
  return endingOf(operator, { ...place, executionId, directory, rejectedBy });
}

/** The newest run of the demo unless its end was shown, else a new one. The key makes a start that was cut off count once. */
async function startOrResume({ operator, directory, told }: StoryOptions, place: DemoAgent): Promise<string> {
  const { edges } = await operator.executions({ first: 1, filter: { labels: label, agentId: place.agentId } });
  const newest = edges[0]?.node;
  if (newest && newest.id !== told && (isOpen(newest) || (await isOf(directory, operator, newest.id)))) {
    console.log(`\nresuming execution ${readableId(newest.id)}\n`);
    return newest.id;
  }
  const input = { ...place, inputs: { directory }, labels: label, idempotencyKey: `demo after ${newest?.id ?? 'nothing'}` };
  const { execution } = await operator.startExecution({ input });
  console.log(`\nstarted execution ${readableId(execution.id)}\n`);
  return execution.id;
}

const isOpen = ({ status }: { status: string }): boolean => ['QUEUED', 'RUNNING', 'WAITING'].includes(status);

/** A runner may have brought it to its end before we could look; on a shared database it may also be another folder's. */
async function isOf(directory: string, client: SignalboxClient, executionId: string): Promise<boolean> {
  const execution = await client.execution({ id: executionId });
  return (execution?.inputs as { directory?: unknown } | undefined)?.directory === directory;
}

async function decider(
  client: SignalboxClient,
  event: object | { readonly approvalId: string; readonly decidedBy: string },
): Promise<string | null> {
  if (!('decidedBy' in event)) return null;
  return (await client.approval({ id: event.approvalId }))?.decidedBy?.name ?? null;
}

async function endingOf(client: SignalboxClient, known: Omit<Ending, 'status' | 'failure' | 'output'>): Promise<Ending> {
  const execution = await client.execution({ id: known.executionId });
  const { status, failure, output } = execution!;
  return {
    ...known,
    status: status.toLowerCase(),
    failure: failure ? `${failure.code}: ${failure.message}` : null,
    output,
  };
}
