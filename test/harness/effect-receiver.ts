// A service outside of Signalbox that effects reach over HTTP: a process of its own, never killed, which writes down every delivery
// with its Idempotency-Key before it answers. Run as a program it is that process; imported it starts and asks it.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { fileURLToPath } from 'node:url';

export interface Delivery {
  readonly key: string | null;
  readonly body: { readonly execution: string; readonly step: string; readonly item: number | null };
  /** The attempt, where the sender says so: a tool does, a plain HTTP request cannot. */
  readonly attempt: number | null;
  /** The process that runs the step, likewise. */
  readonly runner: number | null;
}

export interface EffectReceiver {
  readonly url: string;
  /** Every delivery, in order. */
  deliveries(): Promise<Delivery[]>;
  /** Holds back the answers from now on; what is delivered is written down all the same. */
  hold(): Promise<void>;
  /** Answers what is held back, and everything after it at once. */
  release(): Promise<void>;
  close(): Promise<void>;
}

export async function startReceiver(): Promise<EffectReceiver> {
  const child = fork(fileURLToPath(import.meta.url), { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  const [port] = (await once(child, 'message')) as [number];
  const url = `http://127.0.0.1:${port}`;
  const tell = async (path: string) => {
    const answer = await fetch(`${url}${path}`);
    if (!answer.ok) throw new Error(`the receiver answered ${answer.status}`);
    return answer;
  };
  return {
    url: `${url}/effects`,
    deliveries: async () => (await (await tell('/deliveries')).json()) as Delivery[],
    hold: async () => void (await tell('/hold')),
    release: async () => void (await tell('/release')),
    async close() {
      const exited = once(child, 'exit');
      child.kill();
      await exited;
    },
  };
}

/** Takes a little, differently for each delivery: so that kills also hit while an effect is on its way. */
const maxDelayMs = 80;

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const deliveries: Delivery[] = [];
  const numberIn = (header: string | string[] | undefined) => (header === undefined ? null : Number(header));
  let held: (() => void)[] | null = null;
  const server = createServer((request, response) => {
    const answer = (value: object) => response.setHeader('content-type', 'application/json').end(JSON.stringify(value));
    if (request.url === '/deliveries') return void answer(deliveries);
    if (request.url === '/hold') held ??= [];
    if (request.url === '/release') {
      for (const go of held ?? []) go();
      held = null;
    }
    if (request.url !== '/effects') return void answer({});
    let text = '';
    request.on('data', (chunk) => (text += String(chunk)));
    request.on('end', () => {
      const { headers } = request;
      deliveries.push({
        key: headers['idempotency-key']?.toString() ?? null,
        body: JSON.parse(text) as Delivery['body'],
        attempt: numberIn(headers['x-attempt']),
        runner: numberIn(headers['x-runner']),
      });
      const receipt = { receipt: deliveries.length };
      if (held) held.push(() => answer(receipt));
      else setTimeout(answer, (deliveries.length * 7) % maxDelayMs, receipt);
    });
  });
  server.listen(0, '127.0.0.1', () => process.send!((server.address() as { port: number }).port));
}
