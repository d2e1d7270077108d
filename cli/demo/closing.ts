// The last words of the demo: what came of it, where to look, and what to try next.
import { operatorName, reviewerName } from './people.ts';
import { paint } from './show.ts';
import type { Ending } from './story.ts';

export interface Closing extends Ending {
  readonly operatorKey: string;
  readonly reviewerKey: string;
  /** Where people reach the gateway, without `/graphql`. */
  readonly publicUrl: string;
  readonly hasGraphiql: boolean;
  /** The demo keeps serving. */
  readonly goesOn: boolean;
}

export function closingText(closing: Closing): string {
  const { publicUrl, hasGraphiql, goesOn } = closing;
  const front = hasGraphiql
    ? `GraphiQL: ${publicUrl}`
    : `GraphQL: ${new URL('/graphql', publicUrl).href} (NODE_ENV=production: no GraphiQL)`;
  const parts = [resultLine(closing), front];
  if (goesOn) parts.push(keys(closing), nextSteps(closing), 'Serving. Ctrl-C stops; the next run starts a new execution.');
  else parts.push('Stopping (--exit). Without --exit the demo keeps serving, and prints keys and queries to try.');
  return `\n${parts.join('\n')}`;
}

function resultLine({ status, failure, output, rejectedBy }: Closing): string {
  if (rejectedBy) return paint('red', `Rejected by ${rejectedBy}: the execution ended ${status}, no report was written.`);
  if (status !== 'succeeded') return paint('red', `The execution ended ${status}: ${failure ?? 'no reason was given'}`);
  const { report, verified, errors } = output as { report: string; verified: boolean; errors: readonly { errors: number }[] };
  const sum = errors.reduce((total, service) => total + service.errors, 0);
  const check = verified ? 'read back and compared' : 'but what was read back differs: somebody else changed it';
  return `${paint('green', 'The report:')} ${report}  (${sum} errors found; ${check})`;
}

/** Each line is what GraphiQL's "Headers" take. */
function keys({ operatorKey, reviewerKey }: Closing): string {
  const line = (name: string, may: string, key: string) => `  ${`${name} (${may})`.padEnd(34)} { "Authorization": "Bearer ${key}" }`;
  return [
    'Keys, to paste into the headers; they end with the demo, after a day at the latest:',
    line(operatorName, 'starts executions', operatorKey),
    line(reviewerName, 'decides approvals', reviewerKey),
  ].join('\n');
}

function nextSteps({ executionId, agentId, environmentId, directory }: Closing): string {
  return `
Try: what each step did, and what the gate decided about it

${paint(
  'cyan',
  `query {
  execution(id: "${executionId}") {
    status
    steps { stepId status attempts { number status } approval { status decidedBy { name } } }
    decisions(first: 20) { edges { node { action stepId effect reasons } } }
  }
}`,
)}

Or run it once more (add ERROR lines to the log files first); ${reviewerName} finds its approval in \`approvals(filter: { status: PENDING })\` and answers with \`decideApproval\`

${paint(
  'cyan',
  `mutation {
  startExecution(input: { agentId: "${agentId}", environmentId: "${environmentId}", inputs: { directory: ${JSON.stringify(directory)} } }) {
    ... on StartExecutionSuccess { execution { id status } }
    ... on Error { code message }
  }
}`,
)}
`;
}
