// The nested read in PostGraphile's own schema, and its answer in the words of Signalbox's.
import { toGlobalId } from '#schema/ids.ts';
import { cursorOf } from '#src/platform/page.ts';

export const document = `query Executions($first: Int!, $after: Cursor!) {
  allExecutions(first: $first, after: $after, orderBy: [PRIMARY_KEY_DESC]) {
    edges {
      cursor
      node {
        rowId status inputs labels createdAt startedAt finishedAt
        agentByAgentId { rowId name tags status }
        approvalsByExecutionId(first: 5, orderBy: [PRIMARY_KEY_DESC]) {
          edges { node { rowId status risk title createdAt expiresAt decidedAt } }
        }
        executionEventsByExecutionId(first: 5, orderBy: [SEQUENCE_DESC]) { nodes { sequence type occurredAt } }
      }
    }
    pageInfo { hasNextPage endCursor }
  }
}`;

/** Asks for the cursor of the row behind so many. */
export const cursorDocument = `query Cursor($offset: Int!) {
  allExecutions(first: 1, offset: $offset, orderBy: [PRIMARY_KEY_DESC]) { edges { cursor } }
}`;

type Row = Record<string, unknown>;
interface Edges {
  readonly edges: readonly { readonly node: Row }[];
}

export const cursorIn = (answer: unknown): string =>
  (answer as { allExecutions: { edges: { cursor: string }[] } }).allExecutions.edges[0]!.cursor;

export function asSignalbox(answer: unknown): unknown {
  const { edges, pageInfo } = (answer as { allExecutions: Edges & { pageInfo: { hasNextPage: boolean } } }).allExecutions;
  const cursor = ({ rowId }: Row) => cursorOf('executions', rowId as string);
  return {
    executions: {
      edges: edges.map(({ node }) => ({ cursor: cursor(node), node: execution(node) })),
      pageInfo: { hasNextPage: pageInfo.hasNextPage, endCursor: cursor(edges.at(-1)!.node) },
    },
  };
}

function execution({ agentByAgentId, approvalsByExecutionId, executionEventsByExecutionId, ...row }: Row): unknown {
  const { nodes } = executionEventsByExecutionId as { nodes: Row[] };
  return {
    ...renamed('Execution', row),
    agent: renamed('Agent', agentByAgentId as Row),
    approvals: { edges: (approvalsByExecutionId as Edges).edges.map(({ node }) => ({ node: renamed('Approval', node) })) },
    lastEvents: nodes.map((node) => renamed('ExecutionEvent', node)).reverse(),
  };
}

/** Ids, moments and constants as this API writes them. */
function renamed(type: string, row: Row): Row {
  const entries = Object.entries(row).map(([name, value]): [string, unknown] => {
    if (name === 'rowId') return ['id', toGlobalId(type, value as string)];
    if (name.endsWith('At')) return [name, value === null ? null : new Date(value as string).toISOString()];
    if (['status', 'risk', 'type'].includes(name)) return [name, (value as string).toUpperCase().replaceAll('.', '_')];
    return [name, value];
  });
  return Object.fromEntries(entries);
}
