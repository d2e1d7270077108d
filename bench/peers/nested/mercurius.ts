// Mercurius with graphql-jit as a peer of the nested read: fastify, loaders, everything compiled on first use.
import fastify, { type FastifyReply } from 'fastify';
import type { NestedSetup } from '../../nested/operation.ts';
import { serveContender } from '../../protocol.ts';
import { approvalPage, executionPage, leafResolvers, processorMs, readers, typeDefs, type Reader, type Row } from './reader.ts';

interface Context {
  readonly reply: FastifyReply;
  readonly reader: Reader;
}
type Queries = readonly { readonly obj: Row }[];

const packageName: string = 'mercurius';

serveContender(async (setup: NestedSetup) => {
  const { default: mercurius } = (await import(packageName)) as { default: never };
  const { open, close } = readers(setup);
  const app = fastify();
  const opened = new WeakMap<object, Reader>();
  const opts = { cache: false }; // of one request, by the JSON of each object: dearer than what it saves
  const loader = (load: (queries: Queries, context: Context) => Promise<unknown>) => ({ loader: load, opts });
  await app.register(mercurius, {
    ...{ schema: typeDefs, jit: 1, graphiql: false },
    async context(request: { readonly raw: object; readonly headers: { readonly authorization?: string } }) {
      const reader = await open(request.headers.authorization);
      opened.set(request.raw, reader);
      return { reader };
    },
    resolvers: { Query: { executions: (_root: unknown, _args: unknown, { reader }: Context) => executionPage(reader) }, ...leafResolvers },
    loaders: {
      Execution: {
        agent: loader((queries, { reader }) => reader.agents(queries.map(({ obj }) => obj['agentId']))),
        approvals: loader(async (queries, { reader }) => (await reader.approvals(queries.map(({ obj }) => obj['id']))).map(approvalPage)),
        lastEvents: loader((queries, { reader }) => reader.events(queries.map(({ obj }) => obj['id']))),
      },
    },
  } as never);
  app.addHook('preSerialization', async (request, _reply, payload) => {
    await opened.get(request.raw)?.close();
    return payload;
  });
  const url = await app.listen({ host: '127.0.0.1', port: 0 });
  return {
    begin: async () => undefined,
    ask: async (question) => (question === 'url' ? `${url}/graphql` : processorMs()),
    async close() {
      await app.close();
      await close();
    },
  };
});
