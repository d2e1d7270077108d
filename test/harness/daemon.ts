// Real servers from Debian packages for tests (redis-server, nats-server, haproxy, kcat): private ports, ended by pid, and by the test's end.
import { spawn, type ChildProcess } from 'node:child_process';
import { createServer, connect } from 'node:net';

export interface Daemon {
  readonly pid: number;
  /** What it printed so far, both outputs. */
  output(): string;
  /** SIGSTOP and SIGCONT: alive, but answers nothing. */
  freeze(): void;
  thaw(): void;
  /** Ends it and waits until it is gone. Default SIGTERM; frozen ones want SIGKILL. */
  stop(signal?: NodeJS.Signals): Promise<void>;
}

/** Starts `command` and waits until something accepts connections on `port` of loopback. */
export async function startDaemon(command: string, args: readonly string[], port: number): Promise<Daemon> {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let text = '';
  const keep = (chunk: Buffer) => (text = `${text}${String(chunk)}`.slice(-20_000));
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  const gone = exitOf(child, command);
  const killed = () => void child.kill('SIGKILL');
  process.once('exit', killed);
  void gone.catch(() => undefined).finally(() => process.off('exit', killed));
  await Promise.race([accepting(port, child), gone.then((code) => Promise.reject(new Error(`${command} ended with ${code}:\n${text}`)))]);
  return {
    pid: child.pid!,
    output: () => text,
    freeze: () => void child.kill('SIGSTOP'),
    thaw: () => void child.kill('SIGCONT'),
    async stop(signal = 'SIGTERM') {
      child.kill(signal);
      await gone;
    },
  };
}

function exitOf(child: ChildProcess, command: string): Promise<number | null> {
  return new Promise((resolve, reject) => {
    child.once('exit', resolve);
    child.once('error', (error: NodeJS.ErrnoException) => {
      const missing = `${command} is not installed; tests need: apt-get install redis-server nats-server haproxy kcat`;
      reject(error.code === 'ENOENT' ? new Error(missing) : error);
    });
  });
}

async function accepting(port: number, child: ChildProcess): Promise<void> {
  while (child.exitCode === null && child.signalCode === null) {
    const isOpen = await new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1', () => {
        socket.destroy();
        resolve(true);
      });
      socket.once('error', () => resolve(false));
    });
    if (isOpen) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** A port of loopback that nobody listens on just now. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}
