// A real Redis for tests: frozen, killed and started again on the same port.
import { Redis } from 'ioredis';
import { freePort, startDaemon, type Daemon } from './daemon.ts';

export interface RedisServer {
  readonly url: string;
  readonly port: number;
  /** SIGSTOP and SIGCONT. */
  freeze(): void;
  thaw(): void;
  /** SIGKILL; `start` brings an empty one to the same port. */
  kill(): Promise<void>;
  start(): Promise<void>;
  /** One command on a connection of its own. */
  command(name: string, ...args: string[]): Promise<unknown>;
  close(): Promise<void>;
}

/** `args` are further ones of redis-server; those of TLS bring their own `port`. */
export async function startRedis(args: readonly string[] = []): Promise<RedisServer> {
  const port = await freePort();
  const plain = args.includes('--tls-port') ? [] : ['--port', String(port)];
  const listening = Number(args[args.indexOf('--tls-port') + 1]) || port;
  const launch = () =>
    startDaemon('redis-server', ['--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', ...plain, ...args], listening);
  let daemon: Daemon | null = await launch();
  const stop = async (signal: NodeJS.Signals) => {
    const running = daemon;
    daemon = null;
    await running?.stop(signal);
  };
  return {
    url: `redis://127.0.0.1:${listening}`,
    port: listening,
    freeze: () => daemon?.freeze(),
    thaw: () => daemon?.thaw(),
    kill: () => stop('SIGKILL'),
    async start() {
      daemon = await launch();
    },
    async command(name, ...rest) {
      const client = new Redis(listening, '127.0.0.1', { maxRetriesPerRequest: 1 });
      client.on('error', () => undefined);
      try {
        return await client.call(name, ...rest);
      } finally {
        client.disconnect();
      }
    },
    close: () => stop('SIGKILL'),
  };
}
