// The senders of a process: one for each sink of the operator, whose connections are kept while it is used; those of tenants' webhooks hold
// nothing and are made for each turn.
import type { Outbound } from '../outbound/outbound.ts';
import type { Clock } from '../platform/clock.ts';
import type { Sealer } from '../platform/sealing.ts';
import { validSecrets } from '../webhooks/webhook.ts';
import { openSecrets } from './event-sink-secret.ts';
import { openSender, type OperatorSink } from './operator-sink.ts';
import { webhookSender } from './send-webhook.ts';
import type { Sender } from './sender.ts';
import type { SinkState } from './turn.ts';

export interface Senders {
  of(sink: SinkState): Sender;
  close(): Promise<void>;
}

/** Connections that were not used for so long are closed. */
const idleMs = 60_000;

export interface SenderDependencies {
  readonly clock: Clock;
  readonly outbound: Pick<Outbound, 'fetch'>;
  readonly sealer: Sealer;
}

export function createSenders(deps: SenderDependencies, operatorSinks: readonly OperatorSink[]): Senders {
  const targets = new Map(operatorSinks.map(({ name, target }) => [name, target]));
  const open = new Map<string, { sender: Sender; idle: NodeJS.Timeout }>();

  function kept(name: string): Sender {
    const known = open.get(name);
    if (known) {
      known.idle.refresh();
      return known.sender;
    }
    const sender = openSender(targets.get(name)!, deps);
    const idle = setTimeout(() => {
      open.delete(name);
      void sender.close();
    }, idleMs).unref();
    open.set(name, { sender, idle });
    return sender;
  }

  return {
    of(sink) {
      if (sink.origin === 'operator') return kept(sink.name);
      const secrets = validSecrets(openSecrets(deps.sealer, sink, sink.secret!), deps.clock.now());
      return webhookSender({ url: sink.url, secrets }, deps);
    },
    async close() {
      for (const { sender, idle } of open.values()) {
        clearTimeout(idle);
        await sender.close();
      }
      open.clear();
    },
  };
}
