// Restate as a contender: its own server (log on disk, as it comes) and a service of three journaled steps, called through its ingress.
// The packages are installed by the benchmark's first run only, so their types are named here as far as they are used.
import { once } from 'node:events';
import { createServer } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { serveContender } from '../protocol.ts';

export interface RestateSetup {
  readonly adminUrl: string;
  readonly ingressUrl: string;
  /** Differs between processes. */
  readonly service: string;
}

interface Context {
  run<Output>(name: string, step: () => Promise<Output>): Promise<Output>;
}
type Handlers = { readonly three: (context: Context, number: number) => Promise<unknown> };
interface Sdk {
  service(definition: { name: string; handlers: Handlers }): object;
  createEndpointHandler(options: { services: object[] }): Parameters<typeof createServer>[1];
}
interface Clients {
  connect(options: { url: string }): { serviceClient(service: object): { three(number: number): Promise<unknown> } };
}

const sdkName: string = '@restatedev/restate-sdk';
const clientsName: string = '@restatedev/restate-sdk-clients';

serveContender(async ({ adminUrl, ingressUrl, service: name }: RestateSetup, finished) => {
  const sdk = (await import(sdkName)) as Sdk;
  const clients = (await import(clientsName)) as Clients;
  const work = (number: number) => Promise.resolve({ text: '', content: [], structured: { number: number + 1 } });
  const service = sdk.service({
    name,
    handlers: {
      async three(context, number) {
        const one = await context.run('one', () => work(number));
        const two = await context.run('two', () => work(one.structured.number));
        return context.run('three', () => work(two.structured.number));
      },
    },
  });
  const server = createServer({}, sdk.createEndpointHandler({ services: [service] }));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const answer = await fetch(new URL('/deployments', adminUrl), {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ uri: `http://127.0.0.1:${port}` }),
  });
  if (!answer.ok) throw new Error(`Restate did not take the service: ${answer.status} ${await answer.text()}`);
  const client = clients.connect({ url: ingressUrl }).serviceClient(service);
  return {
    async begin() {
      await client.three(1);
      finished();
    },
    close() {
      server.close();
      return Promise.resolve();
    },
  };
});
