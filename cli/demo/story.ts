// What the demo does, all of it through the typed client: publish, start or resume, watch, have it approved, show the report.
import { createInterface } from 'node:readline/promises';
import { createSignalboxClient, type SignalboxClient } from '#client/index.ts';
import { ensureAgent } from './agent.ts';
import type { DemoKeys } from './people.ts';
import { approvalText, eventLine, type ShownApproval } from './show.ts';

export interface StoryOptions {
  readonly url: string;
  readonly keys: DemoKeys;
  /** Folder with the log files. */
  readonly directory: string;
  /** Decide as the reviewer without asking. */
  readonly yes: boolean;
  readonly signal: AbortSignal;
}

const label = { demo: 'log-triage' };

/** Resolves when the execution has ended. */
export async function tellStory({ url, keys, directory, yes, signal }: StoryOptions): Promise<void> {
  const operator = createSignalboxClient({ url, apiKey: keys.operator });
  const reviewer = createSignalboxClient({ url, apiKey: keys.reviewer });
  try {
    const executionId = await startOrResume(operator, directory);
    for await (const batch of operator.executionEvents({ executionId }, { signal })) {
      for (const event of batch.events) {
        console.log(eventLine(event));
      }
      // What was asked before this run and is open still comes with the history: only the newest request can be.
      const asked = batch.events.findLast((event) => event.__typename === 'ApprovalRequested');
      if (asked?.__typename === 'ApprovalRequested') await decide(reviewer, asked.approvalId, yes, signal);
    }
    await showEnd(operator, executionId);
  } finally {
    await Promise.all([operator.close(), reviewer.close()]);
  }
}

/** The newest run of the demo if it has not ended, else a new one. The key makes a start that was cut off count once. */
async function startOrResume(client: SignalboxClient, directory: string): Promise<string> {
  const { agentId, environmentId } = await ensureAgent(client, (line) => console.log(line));
  const { edges } = await client.executions({ first: 1, filter: { labels: label, agentId } });
  const newest = edges[0]?.node;
  if (newest && ['QUEUED', 'RUNNING', 'WAITING'].includes(newest.status)) {
    console.log(`resuming execution ${newest.id}\n`);
    return newest.id;
  }
  const input = { agentId, environmentId, inputs: { directory }, labels: label, idempotencyKey: `demo after ${newest?.id ?? 'nothing'}` };
  const { execution } = await client.startExecution({ input });
  console.log(`started execution ${execution.id}\n`);
  return execution.id;
}

async function decide(client: SignalboxClient, approvalId: string, yes: boolean, signal: AbortSignal): Promise<void> {
  const approval = await client.approval({ id: approvalId });
  if (approval?.status !== 'PENDING') return;
  console.log(approvalText(approval satisfies ShownApproval));
  const approved = yes || (await ask('  Approve as demo-reviewer? [y/n] ', signal));
  if (approved === null) {
    console.log('  No terminal to ask on: decide with the mutation decideApproval (in GraphiQL), or run with --yes. Waiting.\n');
    return;
  }
  const input = { approvalId, decision: approved ? ('APPROVE' as const) : ('REJECT' as const), expectedDigest: approval.digest };
  await client.decideApproval({ input });
  console.log(approved ? '  approved by demo-reviewer\n' : '  rejected by demo-reviewer\n');
}

/** Null without a terminal. */
async function ask(question: string, signal: AbortSignal): Promise<boolean | null> {
  if (!process.stdin.isTTY) return null;
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  try {
    for (;;) {
      const answer = (await terminal.question(question, { signal })).trim().toLowerCase();
      if (['y', 'yes'].includes(answer)) return true;
      if (['n', 'no'].includes(answer)) return false;
    }
  } finally {
    terminal.close();
  }
}

async function showEnd(client: SignalboxClient, executionId: string): Promise<void> {
  const execution = await client.execution({ id: executionId });
  if (execution?.status === 'SUCCEEDED') {
    const { report } = execution.output as { report: string };
    console.log(`\nThe report: ${report}`);
  } else console.log(`\nThe execution ended ${execution?.status.toLowerCase()}: ${execution?.failure?.message ?? ''}`);
}
