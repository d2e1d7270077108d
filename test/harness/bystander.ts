// Somebody who asks a gateway for something small again and again, from a process of its own: how long each answer takes is the
// gateway's doing, not that of whoever attacks it from the test.
import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { setTimeout as delay } from 'node:timers/promises';

interface Asking {
  readonly url: string;
  readonly key: string;
  readonly seconds: number;
  readonly pauseMs: number;
}

export interface Bystander {
  /** Milliseconds of each answer. Fails when one is not what it should be. */
  ask(asking: Asking): Promise<readonly number[]>;
  close(): Promise<void>;
}

const file = fileURLToPath(import.meta.url);

export function bystander(): Bystander {
  const child = fork(file, { execArgv: [] });
  return {
    async ask(asking) {
      child.send(asking);
      const [answer] = (await once(child, 'message')) as [{ waits?: number[]; error?: string }];
      assert.equal(answer.error, undefined);
      return answer.waits!;
    },
    async close() {
      const ended = once(child, 'exit');
      child.disconnect();
      await ended;
    },
  };
}

async function waitsOf({ url, key, seconds, pauseMs }: Asking): Promise<number[]> {
  const waits: number[] = [];
  const end = performance.now() + seconds * 1_000;
  while (performance.now() < end || waits.length < 10) {
    const from = performance.now();
    const response = await fetch(`${url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${key}` },
      body: '{"query":"{ viewer { __typename } }"}',
    });
    const { data } = (await response.json()) as { data?: unknown };
    assert.deepEqual([response.status, data], [200, { viewer: { __typename: 'Viewer' } }]);
    waits.push(performance.now() - from);
    await delay(pauseMs);
  }
  return waits;
}

if (process.argv[1] === file) {
  process.on('message', (asking: Asking) => {
    waitsOf(asking).then(
      (waits) => process.send!({ waits }),
      (error: unknown) => process.send!({ error: String(error) }),
    );
  });
}
