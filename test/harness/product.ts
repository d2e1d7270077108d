// The product as its users run it: `signalbox start` with its own Postgres in a data folder, and a small tenant: agents with effects that
// an HTTP receiver counts, somebody who operates and somebody who approves.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { stringify } from 'yaml';
import type { SignalboxClient } from '#client/index.ts';
import { setUpTenant } from './product-tenant.ts';
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

const poster = fileURLToPath(new URL('./mcp/poster.ts', import.meta.url));
export const effect = (step: string, needs: readonly string[] = []) => ({
  id: step,
  tool: 'effects.post',
  with: { execution: '${{ inputs.name }}', step },
  ...(needs.length > 0 && { needs }),
});
export const effectServer = (receiverUrl: string) => ({
  effects: { command: process.execPath, args: [poster], env: { RECEIVER_URL: receiverUrl }, startTimeoutMs: 120_000 },
});
const tools = ['effects.post'];
const approval = { id: 'sign', approval: { title: 'go on?', risk: 'low', expiresIn: '1h' } };

export async function startProduct(folder: string, receiverUrl: string, env: Readonly<Record<string, string>> = {}): Promise<Product> {
  const config = join(folder, 'signalbox.yaml');
  const toolServers = effectServer(receiverUrl);
  writeFileSync(config, stringify({ dataDir: join(folder, 'data'), http: { port: 0 }, runner: { takeoverCheckMs: 250 }, toolServers }));
  const started = signalbox('start', { SIGNALBOX_CONFIG: config, SIGNALBOX_LOG_LEVEL: 'warn', ...env });
  const [, adminKey] = await started.says(/^admin key .*: (\S+)$/m);
  const [, url] = await started.says(/GraphQL at (\S+)$/m);
  await started.says(/^runner: /m);
  const tenant = await setUpTenant(url!, adminKey!);
  const postgres = join(folder, 'data', 'postgres');
  return {
    process: started,
    operator: tenant.client(await tenant.person('operator', 'OPERATOR')),
    reviewer: tenant.client(await tenant.person('reviewer', 'REVIEWER')),
    environmentId: tenant.environmentId,
    plainAgent: await tenant.agent('plain', [effect('one'), effect('two', ['one'])], { tools }),
    governedAgent: await tenant.agent('governed', [approval, effect('one', ['sign']), effect('two', ['one'])], { tools }),
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
    close: () => tenant.close(),
  };
}
