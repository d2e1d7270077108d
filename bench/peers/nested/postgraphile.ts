// PostGraphile as a peer of the nested read: its own schema of the same tables, on node's own HTTP server. Keys are looked up as Signalbox does.
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { NestedSetup } from '../../nested/operation.ts';
import { serveContender } from '../../protocol.ts';
import { processorMs, readers } from './reader.ts';

interface Instance {
  createServ(grafserv: unknown): { addTo(server: Server): Promise<void> };
  release(): Promise<void>;
}
interface RequestContext {
  readonly node?: { readonly req: IncomingMessage };
}

const packageName: string = 'postgraphile';

serveContender(async (setup: NestedSetup) => {
  const { postgraphile } = (await import(packageName)) as { postgraphile(preset: object): Instance };
  const { PostGraphileAmberPreset: amber } = (await import(`${packageName}/presets/amber`)) as { PostGraphileAmberPreset: object };
  const { makePgService } = (await import(`${packageName}/adaptors/pg`)) as { makePgService(settings: object): object };
  const { grafserv } = (await import(`${packageName}/grafserv/node`)) as { grafserv: unknown };
  const { pgSmartTags } = (await import(`${packageName}/utils`)) as { pgSmartTags(rules: readonly object[]): object };
  const { open, close } = readers(setup);
  // These tables have no foreign keys: checking them would lock rows that everybody writes to.
  const relation = (name: string, column: string, to: string) => ({
    ...{ kind: 'class', match: `public.${name}` },
    tags: { foreignKey: `(${column}) references public.${to} (id)` },
  });
  const relations = pgSmartTags([
    relation('executions', 'agent_id', 'agents'),
    relation('approvals', 'execution_id', 'executions'),
    relation('execution_events', 'execution_id', 'executions'),
  ]);
  const instance = postgraphile({
    extends: [amber],
    plugins: [relations],
    pgServices: [makePgService({ connectionString: setup.appUrl, schemas: ['public'] })],
    grafserv: { graphqlPath: '/graphql', graphiql: false, watch: false, websockets: false },
    grafast: {
      explain: false,
      async context({ node }: RequestContext) {
        const reader = await open(node?.req.headers.authorization);
        await reader.close();
        return { pgSettings: { 'app.tenant_id': reader.tenantId } };
      },
    },
  });
  const server = createServer();
  await instance.createServ(grafserv).addTo(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    begin: async () => undefined,
    ask: async (question) => (question === 'url' ? `http://127.0.0.1:${(server.address() as AddressInfo).port}/graphql` : processorMs()),
    async close() {
      server.closeAllConnections();
      server.close();
      await instance.release();
      await close();
    },
  };
});
