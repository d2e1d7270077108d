// The mock cluster built into librdkafka, kept alive by a kcat that consumes from it: one broker, nothing on disk.
import { spawn } from 'node:child_process';

export interface KafkaMock {
  /** host:port of the broker. */
  readonly broker: string;
  /** What kcat has read: key, content type and value of each record. */
  readonly records: readonly { readonly key: string; readonly contentType: string; readonly value: string }[];
  /** SIGSTOP and SIGCONT. */
  freeze(): void;
  thaw(): void;
  stop(): Promise<void>;
}

export async function kafkaMock(topic: string): Promise<KafkaMock> {
  // The broker that -b names is replaced by the mock; asking for the topic's metadata makes it.
  const args = [
    '-b',
    '127.0.0.1:1',
    '-X',
    'test.mock.num.brokers=1',
    '-X',
    'debug=mock',
    '-C',
    '-u',
    '-t',
    topic,
    '-o',
    'beginning',
    '-f',
    '%k\t%h\t%s\n',
  ];
  const child = spawn('kcat', args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const killed = () => void child.kill('SIGKILL');
  process.once('exit', killed);
  const gone = new Promise<void>((resolve, reject) => {
    child.once('exit', () => resolve());
    child.once('error', reject);
  });
  const records: KafkaMock['records'][number][] = [];
  let rest = '';
  child.stdout.on('data', (chunk: Buffer) => {
    const lines = `${rest}${String(chunk)}`.split('\n');
    rest = lines.pop()!;
    for (const line of lines) {
      const [key = '', headers = '', value = ''] = line.split('\t');
      records.push({ key, contentType: headers.replace(/^content-type=/, ''), value });
    }
  });
  let said = '';
  const address = new Promise<string>((resolve) => {
    child.stderr.on('data', (chunk: Buffer) => {
      if (said.length < 20_000) said += String(chunk);
      const [, found] = /bootstrap\.servers=(\S+)/.exec(said) ?? [];
      if (found && said.includes(`Created topic "${topic}"`)) resolve(found);
    });
  });
  const broker = await Promise.race([address, gone.then(() => Promise.reject(new Error(`kcat ended:\n${said}`)))]);
  return {
    broker,
    records,
    freeze: () => void child.kill('SIGSTOP'),
    thaw: () => void child.kill('SIGCONT'),
    async stop() {
      process.off('exit', killed);
      child.kill('SIGTERM');
      await gone;
    },
  };
}
