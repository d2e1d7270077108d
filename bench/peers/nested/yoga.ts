// GraphQL Yoga as a peer of the nested read: node's own HTTP server, dataloader, its caches of parsed and validated documents.
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import DataLoader from 'dataloader';
import type { NestedSetup } from '../../nested/operation.ts';
import { serveContender } from '../../protocol.ts';
import { approvalPage, executionPage, leafResolvers, processorMs, readers, typeDefs, type Reader, type Row } from './reader.ts';

interface Yoga {
  createSchema(settings: object): unknown;
  createYoga(settings: object): RequestListener;
}

interface Context {
  readonly reader: Reader;
  readonly agents: DataLoader<unknown, Row | null>;
  readonly approvals: DataLoader<unknown, Row[]>;
  readonly events: DataLoader<unknown, Row[]>;
}

const packageName: string = 'graphql-yoga';

serveContender(async (setup: NestedSetup) => {
  const { createSchema, createYoga } = (await import(packageName)) as Yoga;
  const { open, close } = readers(setup);
  const resolvers = {
    ...leafResolvers,
    Query: { executions: (_root: unknown, _args: unknown, { reader }: Context) => executionPage(reader) },
    Execution: {
      ...leafResolvers.Execution,
      agent: (row: Row, _args: unknown, { agents }: Context) => agents.load(row['agentId']),
      approvals: async (row: Row, _args: unknown, { approvals }: Context) => approvalPage(await approvals.load(row['id'])),
      lastEvents: (row: Row, _args: unknown, { events }: Context) => events.load(row['id']),
    },
  };
  const yoga = createYoga({
    ...{ schema: createSchema({ typeDefs, resolvers }), logging: false, graphiql: false, landingPage: false },
    async context({ request }: { request: Request }): Promise<Context> {
      const reader = await open(request.headers.get('authorization') ?? undefined);
      return {
        reader,
        agents: new DataLoader((ids) => reader.agents(ids)),
        approvals: new DataLoader((ids) => reader.approvals(ids)),
        events: new DataLoader((ids) => reader.events(ids)),
      };
    },
    plugins: [
      {
        onExecute: () => ({ onExecuteDone: ({ args }: { args: { contextValue: Context } }) => args.contextValue.reader.close() }),
      },
    ],
  });
  const server = createServer(yoga);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    begin: async () => undefined,
    ask: async (question) => (question === 'url' ? `http://127.0.0.1:${(server.address() as AddressInfo).port}/graphql` : processorMs()),
    async close() {
      server.closeAllConnections();
      server.close();
      await close();
    },
  };
});
