// What every hand-written peer of the nested read does for a request: one read-only transaction as the application's role in one tenant,
// in which it looks whose key it is given and sends the statements of Signalbox. And how their rows look in the answer.
import { createHash, timingSafeEqual } from 'node:crypto';
import pg from 'pg';
import { first, type NestedSetup, type SentStatement } from '../../nested/operation.ts';

// Moments as text, as Postgres sends them: only those that are asked for become dates.
pg.types.setTypeParser(pg.types.builtins.TIMESTAMPTZ, (text) => text);

export type Row = Record<string, unknown>;

export interface Reader {
  readonly tenantId: string;
  executions(): Promise<Row[]>;
  agents(ids: readonly unknown[]): Promise<(Row | null)[]>;
  approvals(executionIds: readonly unknown[]): Promise<Row[][]>;
  events(executionIds: readonly unknown[]): Promise<Row[][]>;
  close(): Promise<void>;
}

/** Throws when the key is nobody's. */
export type OpenReader = (authorization: string | undefined) => Promise<Reader>;

export function readers({ appUrl, ...sent }: NestedSetup): { open: OpenReader; close(): Promise<void> } {
  const pool = new pg.Pool({ connectionString: appUrl, max: 10 });

  return {
    async open(authorization) {
      const [, address = '', secret = ''] = /^Bearer sbk_([\w-]{43})_([\w-]{43})$/.exec(authorization ?? '') ?? [];
      const hex = Buffer.from(address, 'base64url').toString('hex');
      const [tenantId, keyId] = [hex.slice(0, 32), hex.slice(32)];
      const client = await pool.connect();
      let last: Promise<unknown> = Promise.resolve();
      // One after the other: the driver warns of statements that wait in it.
      const rows = ({ text }: SentStatement, values: readonly unknown[]): Promise<Row[]> => {
        const result = last.then(async () => (await client.query<Row>(text, [...values])).rows);
        last = result.catch(() => undefined);
        return result;
      };
      const end = async () => {
        await client.query('commit');
        client.release();
      };
      try {
        await client.query(`begin isolation level repeatable read read only; select set_config('app.tenant_id', '${tenantId}', true)`);
        const [identity] = await rows(sent.identity, [tenantId, null, keyId]);
        const hash = createHash('sha256').update(Buffer.from(secret, 'base64url')).digest();
        const isKnown = identity && timingSafeEqual(identity['secretHash'] as Buffer, hash);
        if (!isKnown || identity['revokedAt'] !== null || identity['disabledAt'] !== null) throw new Error('the API key is not valid');
      } catch (error) {
        await end();
        throw error;
      }
      const of = ({ values }: SentStatement, ids: readonly unknown[]) => values.map((value, index) => (index === 1 ? [...ids] : value));
      const grouped = (found: readonly Row[], ids: readonly unknown[], order: (a: Row, b: Row) => number) => {
        const byExecution = Map.groupBy(found, (row) => row['executionId']);
        return ids.map((id) => (byExecution.get(id) ?? []).sort(order));
      };
      return {
        tenantId,
        executions: () => rows(sent.executions, sent.executions.values),
        async agents(ids) {
          const found = new Map((await rows(sent.agents, of(sent.agents, [...new Set(ids)]))).map((row) => [row['id'], row]));
          return ids.map((id) => found.get(id) ?? null);
        },
        approvals: async (ids) =>
          grouped(await rows(sent.approvals, of(sent.approvals, ids)), ids, (a, b) => ((a['id'] as string) < (b['id'] as string) ? 1 : -1)),
        events: async (ids) =>
          grouped(await rows(sent.events, of(sent.events, ids)), ids, (a, b) => (a['sequence'] as number) - (b['sequence'] as number)),
        close: end,
      };
    },
    close: () => pool.end(),
  };
}

const globalId = (type: string, id: unknown) => Buffer.from(`${type}:${id as string}`).toString('base64');
const moment = (value: unknown) => (value === null ? null : new Date(value as string).toISOString());
const constant = (value: unknown) => (value as string).toUpperCase().replaceAll('.', '_');

export const typeDefs = `
  scalar JSON
  type Query { executions(first: Int!, after: String!): ExecutionConnection! }
  type ExecutionConnection { edges: [ExecutionEdge!]! pageInfo: PageInfo! }
  type ExecutionEdge { cursor: String! node: Execution! }
  type PageInfo { hasNextPage: Boolean! endCursor: String }
  type Execution {
    id: ID! status: String! inputs: JSON! labels: JSON! createdAt: String! startedAt: String finishedAt: String
    agent: Agent approvals(first: Int!): ApprovalConnection! lastEvents(count: Int!): [ExecutionEvent!]!
  }
  type Agent { id: ID! name: String! tags: [String!]! status: String! }
  type ApprovalConnection { edges: [ApprovalEdge!]! }
  type ApprovalEdge { node: Approval! }
  type Approval { id: ID! status: String! risk: String! title: String! createdAt: String! expiresAt: String! decidedAt: String }
  type ExecutionEvent { sequence: Int! type: String! occurredAt: String! }`;

export const leafResolvers = {
  Execution: {
    id: (row: Row) => globalId('Execution', row['id']),
    status: (row: Row) => constant(row['status']),
    createdAt: (row: Row) => moment(row['createdAt']),
    startedAt: (row: Row) => moment(row['startedAt']),
    finishedAt: (row: Row) => moment(row['finishedAt']),
  },
  Agent: { id: (row: Row) => globalId('Agent', row['id']), status: (row: Row) => constant(row['status']) },
  Approval: {
    id: (row: Row) => globalId('Approval', row['id']),
    status: (row: Row) => constant(row['status']),
    risk: (row: Row) => constant(row['risk']),
    createdAt: (row: Row) => moment(row['createdAt']),
    expiresAt: (row: Row) => moment(row['expiresAt']),
    decidedAt: (row: Row) => moment(row['decidedAt']),
  },
  ExecutionEvent: { type: (row: Row) => constant(row['type']), occurredAt: (row: Row) => moment(row['occurredAt']) },
};

/** The statement asks for one row more than the page has. */
export async function executionPage(reader: Reader) {
  const rows = await reader.executions();
  const edges = rows
    .slice(0, first)
    .map((node) => ({ node, cursor: Buffer.from(`executions:${node['id'] as string}`).toString('base64url') }));
  return { edges, pageInfo: { hasNextPage: rows.length > first, endCursor: edges.at(-1)?.cursor ?? null } };
}

export const approvalPage = (rows: readonly Row[]) => ({ edges: rows.slice(0, 5).map((node) => ({ node })) });

export const processorMs = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
};
