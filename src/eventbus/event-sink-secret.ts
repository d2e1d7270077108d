// The secrets of tenants' sinks as they are stored: sealed, and bound to their sink.
import type { Sealer } from '../platform/sealing.ts';
import type { Secrets } from '../webhooks/webhook.ts';

interface Sink {
  readonly tenantId: string;
  readonly id: string;
}

const placeOf = ({ tenantId, id }: Sink) => `event sink ${tenantId} ${id}`;

export const sealSecrets = (sealer: Sealer, sink: Sink, secrets: Secrets): string => sealer.seal(JSON.stringify(secrets), placeOf(sink));

export const openSecrets = (sealer: Sealer, sink: Sink, sealed: string): Secrets =>
  JSON.parse(sealer.open(sealed, placeOf(sink))) as Secrets;
