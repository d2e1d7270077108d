// The second person of the demo: sees exactly what is asked, and approves or rejects it.
import { SignalboxClientError, type SignalboxClient } from '#client/index.ts';
import { ask } from './ask.ts';
import { reviewerName } from './people.ts';
import { approvalText, paint } from './show.ts';

export interface Deciding {
  readonly reviewer: SignalboxClient;
  readonly reviewerKey: string;
  /** Where people reach the gateway, without `/graphql`. */
  readonly publicUrl: string;
  readonly hasGraphiql: boolean;
  /** Approve without asking. */
  readonly yes: boolean;
}

/** Ends without a decision when there is nobody to ask (it says how to decide then) or `over` aborts. */
export async function decide(options: Deciding, approvalId: string, over: AbortSignal): Promise<void> {
  const { reviewer, yes } = options;
  const approval = await reviewer.approval({ id: approvalId });
  if (approval?.status !== 'PENDING' || over.aborted) return;
  console.log(approvalText(approval));
  const approved = yes || (await ask(`  Approve as ${reviewerName}? [y/n] `, over).catch((error: unknown) => withdrawn(error, over)));
  if (approved === 'withdrawn') return;
  if (approved === null) {
    console.log(howToDecide(options, approvalId, approval.digest));
    return;
  }
  const input = { approvalId, decision: approved ? ('APPROVE' as const) : ('REJECT' as const), expectedDigest: approval.digest };
  try {
    await reviewer.decideApproval({ input });
    console.log(`  ${approved ? 'approved' : 'rejected'} by ${reviewerName}${yes ? ' (--yes)' : ''}\n`);
  } catch (error) {
    const isLate = error instanceof SignalboxClientError && ['CONFLICT', 'INVALID_STATE'].includes(error.code);
    if (!isLate) throw error;
    console.log(`  ${error.message}\n`);
  }
}

function withdrawn(error: unknown, over: AbortSignal): 'withdrawn' {
  if (!over.aborted) throw error;
  console.log(); // the question's line ends
  return 'withdrawn';
}

function howToDecide({ reviewerKey, publicUrl, hasGraphiql }: Deciding, approvalId: string, digest: string): string {
  const where = hasGraphiql
    ? `in GraphiQL at ${publicUrl}, with these headers`
    : `by POST to ${new URL('/graphql', publicUrl).href}, with these headers`;
  return `  There is no terminal to ask on. Decide ${where}:

${paint('cyan', `{ "Authorization": "Bearer ${reviewerKey}" }`)}

${paint(
  'cyan',
  `mutation {
  decideApproval(input: { approvalId: "${approvalId}", decision: APPROVE, expectedDigest: "${digest}" }) {
    ... on DecideApprovalSuccess { approval { status } }
    ... on Error { code message }
  }
}`,
)}

  Or stop, and run it again with --yes. Waiting.
`;
}
