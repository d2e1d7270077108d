// The product as its users run it: `signalbox start` with its own Postgres in a data folder, and a small tenant set up through the
// published client: an agent with effects that an HTTP receiver counts, somebody who operates and somebody who approves.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { stringify } from 'yaml';
import { createSignalboxClient, type SignalboxClient } from '#client/index.ts';
import { parseGlobalId } from '#schema/ids.ts';
import { signalbox, type SignalboxProcess } from './signalbox-process.ts';

export interface Product {
  readonly process: SignalboxProcess;
  readonly operator: SignalboxClient;
  readonly reviewer: SignalboxClient;
  readonly environmentId: string;
  /** Calls the tool `effects.post` for each name, one after the other. */
  readonly plainAgent: string;
  /** The same, after an approval. */
  readonly governedAgent: string;
  /** The process id of the Postgres that runs in its folder. */
  postmaster(): number;
  /** Rows as the superuser sees them, of the database of the product. */
  rows<Row extends object>(sql: string, params?: readonly unknown[]): Promise<Row[]>;
  close(): Promise<void>;
}

export const keyOf = (globalId: string): string => parseGlobalId(globalId)!.id;

const poster = fileURLToPath(new URL('./mcp/poster.ts', import.meta.url));
const effect = (step: string, needs: readonly string[]) => ({
  id: step,
  tool: 'effects.post',
  with: { execution: '${{ inputs.name }}', step },
  ...(needs.length > 0 && { needs }),
});
const steps = { plain: [effect('one', []), effect('two', ['one'])] };
const approval = { id: 'sign', approval: { title: 'go on?', risk: 'low', expiresIn: '1h' } };

export async function startProduct(folder: string, receiverUrl: string, env: Readonly<Record<string, string>> = {}): Promise<Product> {
  const config = join(folder, 'signalbox.yaml');
  const toolServers = { effects: { command: process.execPath, args: [poster], env: { RECEIVER_URL: receiverUrl } } };
  writeFileSync(config, stringify({ dataDir: join(folder, 'data'), http: { port: 0 }, runner: { takeoverCheckMs: 250 }, toolServers }));
  const started = signalbox('start', { SIGNALBOX_CONFIG: config, SIGNALBOX_LOG_LEVEL: 'warn', ...env });
  const [, adminKey] = await started.says(/^admin key .*: (\S+)$/m);
  const [, url] = await started.says(/GraphQL at (\S+)$/m);
  await started.says(/^runner: /m);
  const clients: SignalboxClient[] = [];
  const client = (apiKey: string) => {
    const made = createSignalboxClient({ url: url!, apiKey, timeoutMs: 10_000 });
    clients.push(made);
    return made;
  };
  const admin = client(adminKey!);
  const { project } = await admin.createProject({ input: { name: 'faults' } });
  const { environment } = await admin.createEnvironment({ input: { projectId: project.id, name: 'dev', kind: 'DEVELOPMENT' } });
  async function person(name: string, role: 'OPERATOR' | 'REVIEWER'): Promise<SignalboxClient> {
    const { principal } = await admin.createPrincipal({ input: { kind: 'USER', name } });
    await admin.grantRole({ input: { granteeId: principal.id, role, scopeId: project.id } });
    return client((await admin.createApiKey({ input: { principalId: principal.id, name, roles: [role] } })).token);
  }
  async function agent(name: string, own: readonly object[]): Promise<string> {
    const { agent: made } = await admin.createAgent({ input: { projectId: project.id, name } });
    const definition = stringify({
      apiVersion: 'signalbox/v1',
      kind: 'Agent',
      metadata: { name, project: 'faults' },
      spec: {
        version: '1.0.0',
        owner: 'ops@example.com',
        capabilities: { read: true, write: true },
        tools: ['effects.post'],
        inputs: { type: 'object', required: ['name'], properties: { name: { type: 'string' } } },
        steps: own,
      },
    });
    await admin.publishAgentVersion({ input: { agentId: made.id, definition } });
    await admin.activateAgent({ input: { agentId: made.id } });
    await admin.promoteAgentVersion({ input: { agentId: made.id, environmentId: environment.id, version: '1.0.0' } });
    return made.id;
  }
  const postgres = join(folder, 'data', 'postgres');
  return {
    process: started,
    operator: await person('operator', 'OPERATOR'),
    reviewer: await person('reviewer', 'REVIEWER'),
    environmentId: environment.id,
    plainAgent: await agent('plain', steps.plain),
    governedAgent: await agent('governed', [approval, effect('one', ['sign']), effect('two', ['one'])]),
    postmaster: () => Number(readFileSync(join(postgres, 'data', 'postmaster.pid'), 'utf8').split('\n')[0]),
    async rows<Row extends object>(sql: string, params: readonly unknown[] = []) {
      const { superuserPassword, port } = JSON.parse(readFileSync(join(postgres, 'credentials.json'), 'utf8')) as Record<string, string>;
      const connection = new pg.Client({ connectionString: `postgres://postgres:${superuserPassword}@127.0.0.1:${port}/signalbox` });
      await connection.connect();
      try {
        return (await connection.query<Row>(sql, [...params])).rows;
      } finally {
        await connection.end();
      }
    },
    async close() {
      for (const each of clients) await each.close();
    },
  };
}
