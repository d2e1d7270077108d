// `signalbox worker` processes on the database of a test engine, whose tool server delivers effects to a receiver.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';
import type { EffectReceiver } from './effect-receiver.ts';
import type { Engine } from './engine.ts';
import { killLeftProcesses, signalbox, type SignalboxProcess } from './signalbox-process.ts';

export interface Worker extends SignalboxProcess {
  /** It has begun to take jobs. */
  readonly isReady: boolean;
  readonly ready: Promise<void>;
}

export interface WorkerFleet {
  start(): Worker;
  close(): Promise<void>;
}

const poster = fileURLToPath(new URL('./mcp/poster.ts', import.meta.url));
export const effectTool = 'effects.post';

export function createWorkerFleet(engine: Engine, receiver: EffectReceiver, runner: { concurrency?: number } = {}): WorkerFleet {
  const folder = mkdtempSync(join(tmpdir(), 'signalbox-workers-'));
  const config = join(folder, 'signalbox.yaml');
  const server = { command: process.execPath, args: [poster], env: { RECEIVER_URL: receiver.url }, startTimeoutMs: 120_000 };
  const settings = {
    runner: { takeoverCheckMs: 250, graceMs: 10_000, ...runner },
    toolServers: { effects: server },
    outbound: { allow: [new URL(receiver.url).host] },
  };
  writeFileSync(config, stringify(settings));
  const url = new URL(engine.db.ownerUrl);
  const env = { SIGNALBOX_CONFIG: config, SIGNALBOX_DATA_DIR: folder, DATABASE_URL: url.href, SIGNALBOX_LOG_LEVEL: 'warn' };
  return {
    start() {
      const process = signalbox('worker', env);
      const isReady = /^runner: /m;
      const ready = process.says(isReady).then(() => undefined);
      // A worker that is killed while it starts is no surprise here; who waits for it hears of it.
      ready.catch(() => undefined);
      return Object.create(process, { isReady: { get: () => isReady.test(process.output()) }, ready: { value: ready } }) as Worker;
    },
    async close() {
      await killLeftProcesses();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
