// The reference server of the Model Context Protocol as a process of its own, over streamable HTTP.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

export interface Everything {
  readonly port: number;
  readonly url: string;
  /** Resolves with the next line of its output from now on that matches. */
  says(pattern: RegExp): Promise<string>;
  signal(name: NodeJS.Signals): void;
  kill(): Promise<void>;
  /** On the same port; knows no session. */
  start(): Promise<void>;
}

const script = fileURLToPath(import.meta.resolve('@modelcontextprotocol/server-everything/dist/index.js'));

export async function everythingServer(): Promise<Everything> {
  const port = await freePort();
  const listeners = new Set<(line: string) => void>();
  let child: ChildProcess;
  const server: Everything = {
    port,
    url: `http://127.0.0.1:${port}/mcp`,
    says: (pattern) =>
      new Promise((resolve) => {
        const look = (line: string) => {
          if (!pattern.test(line)) return;
          listeners.delete(look);
          resolve(line);
        };
        listeners.add(look);
      }),
    signal: (name) => void child.kill(name),
    async kill() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill('SIGKILL');
      await once(child, 'exit');
    },
    async start() {
      child = spawn(process.execPath, [script, 'streamableHttp'], { env: { PORT: String(port) }, stdio: ['ignore', 'pipe', 'pipe'] });
      for (const output of [child.stdout!, child.stderr!]) {
        createInterface({ input: output }).on('line', (line) => {
          for (const listener of listeners) listener(line);
        });
      }
      await server.says(/listening on port/);
    },
  };
  await server.start();
  return server;
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, 'close');
  return port;
}
