// Asks a server the same again and again, over a few connections that are kept alive, from a process of its own.
import { Agent, request } from 'node:http';
import type { Asking } from '../nested/operation.ts';
import { serveContender } from '../protocol.ts';

export interface AskerSetup {
  readonly connections: number;
}

serveContender(async ({ connections }: AskerSetup) => {
  const agent = new Agent({ keepAlive: true, maxSockets: connections });

  function ask({ url, key, body }: Asking): Promise<string> {
    const text = JSON.stringify(body);
    const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) };
    return new Promise((resolve, reject) => {
      const asking = request(url, { method: 'POST', agent, headers }, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => {
          const answer = Buffer.concat(chunks).toString();
          if (response.statusCode === 200 && !answer.includes('"errors":')) resolve(answer);
          else reject(new Error(`${url} answered ${response.statusCode}: ${answer.slice(0, 500)}`));
        });
      });
      asking.on('error', reject);
      asking.end(text);
    });
  }

  return {
    begin: async () => undefined,
    /** `one` gives an answer; `many` how many were given in at least so long, and at least so many, and how long it took. */
    async ask(question, input) {
      if (question === 'one') return ask(input as Asking);
      const { asking, windowMs, atLeast } = input as { asking: Asking; windowMs: number; atLeast: number };
      const startedAt = performance.now();
      let answered = 0;
      await Promise.all(
        Array.from({ length: connections }, async () => {
          while (answered < atLeast || performance.now() - startedAt < windowMs) {
            await ask(asking);
            answered += 1;
          }
        }),
      );
      return { answered, elapsedMs: performance.now() - startedAt };
    },
    close: async () => agent.destroy(),
  };
});
