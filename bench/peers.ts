// The peers: installed into bench/peers on first use, and Restate's own server, on loopback with its files in a folder of the benchmark.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const folder = fileURLToPath(new URL('./peers', import.meta.url));

/** A port that was free a moment ago. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** Runs `npm ci` in bench/peers unless what its lock file names is there already. */
export async function installPeers(say: (line: string) => void): Promise<void> {
  if (isInstalled()) return;
  say('installing the peers of bench/peers (once)');
  // Without install scripts: none of the peers needs one, and one of their dependencies would report to its maker.
  const npm = spawn('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] });
  const [code] = (await once(npm, 'exit')) as [number | null];
  if (code !== 0) throw new Error(`"npm ci" in bench/peers ended with ${code}; --no-peers leaves the peers out`);
}

function isInstalled(): boolean {
  const { devDependencies } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { devDependencies: Record<string, string> };
  return Object.entries(devDependencies).every(([name, version]) => {
    const file = join(folder, 'node_modules', name, 'package.json');
    return existsSync(file) && (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version === version;
  });
}

export interface RestateServer {
  readonly adminUrl: string;
  readonly ingressUrl: string;
  readonly pid: number;
  stop(): Promise<void>;
}

const startMs = 30_000;
const stopMs = 10_000;

export async function startRestate(dataFolder: string): Promise<RestateServer> {
  const [ingress, admin, node] = [await freePort(), await freePort(), await freePort()];
  const program = join(
    folder,
    'node_modules',
    '@restatedev',
    `restate-server-${process.platform}-${process.arch}`,
    'bin',
    'restate-server',
  );
  if (!existsSync(program))
    throw new Error(`npm has no restate-server for ${process.platform}-${process.arch}; --no-peers leaves the peers out`);
  const server = spawn(program, ['--no-logo', '--base-dir', dataFolder, '--node-name', 'bench', '--listen-mode', 'tcp'], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: {
      PATH: '/usr/sbin:/usr/bin:/sbin:/bin',
      HOME: dataFolder,
      RESTATE_DISABLE_TELEMETRY: 'true',
      RESTATE_LOG_FILTER: 'error',
      RESTATE_ADMIN__DISABLE_WEB_UI: 'true',
      RESTATE_BIND_ADDRESS: `127.0.0.1:${node}`,
      RESTATE_ADVERTISED_ADDRESS: `http://127.0.0.1:${node}`,
      RESTATE_ADMIN__BIND_ADDRESS: `127.0.0.1:${admin}`,
      RESTATE_INGRESS__BIND_ADDRESS: `127.0.0.1:${ingress}`,
    },
  });
  const exited = once(server, 'exit');
  const stop = async () => {
    server.kill('SIGTERM');
    const timer = setTimeout(() => server.kill('SIGKILL'), stopMs);
    await exited;
    clearTimeout(timer);
  };
  process.once('exit', () => server.kill('SIGKILL'));
  const adminUrl = `http://127.0.0.1:${admin}`;
  const until = performance.now() + startMs;
  while (
    !(await fetch(new URL('/health', adminUrl)).then(
      ({ ok }) => ok,
      () => false,
    ))
  ) {
    if (server.exitCode !== null) throw new Error(`restate-server ended with ${server.exitCode}`);
    if (performance.now() > until) {
      await stop();
      throw new Error(`restate-server was not ready after ${startMs / 1_000} s`);
    }
    await delay(100);
  }
  return { adminUrl, ingressUrl: `http://127.0.0.1:${ingress}`, pid: server.pid!, stop };
}
