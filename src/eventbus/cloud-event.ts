// The envelope that events leave in: CloudEvents 1.0, structured mode, JSON. Ids are those of the API. Pure; no I/O.
import { nodeTypeOf } from '../events/catalogue.ts';
import { apiId } from '../webhooks/webhook.ts';

/** An event with where it happened, as the relay reads it. */
export interface FeedEvent {
  readonly tenantId: string;
  readonly executionId: string;
  readonly sequence: number;
  readonly type: string;
  readonly data: Readonly<Record<string, unknown>>;
  readonly occurredAt: Date;
  readonly transactionId: string;
  readonly projectId: string | null;
  readonly environmentId: string | null;
}

/** What is sent: an id by which receivers know what they have seen, and the text. */
export interface Envelope {
  readonly id: string;
  readonly tenantId: string;
  readonly executionId: string;
  /** Of Signalbox, without the prefix. */
  readonly type: string;
  readonly body: string;
}

export const cloudEventContentType = 'application/cloudevents+json; charset=utf-8';
const typePrefix = 'dev.signalbox.';

/** Stable, and without a dot, which Standard Webhooks keeps for itself. */
export const eventIdOf = ({ executionId, sequence }: Pick<FeedEvent, 'executionId' | 'sequence'>): string => `${executionId}:${sequence}`;

/** As the API shows it: global ids, and null where no step or no item is meant. */
function shown(name: string, value: unknown): unknown {
  const type = nodeTypeOf(name);
  if (type !== null && typeof value === 'string') return apiId(type, value);
  return (name === 'itemIndex' && value === -1) || (name === 'stepId' && value === '') ? null : value;
}

export function envelopeOf(event: FeedEvent): Envelope {
  const { tenantId, executionId, sequence, type, projectId, environmentId } = event;
  const id = eventIdOf(event);
  const own = Object.fromEntries(Object.entries(event.data).map(([name, value]) => [name, shown(name, value)]));
  const body = JSON.stringify({
    specversion: '1.0',
    id,
    source: `/tenants/${tenantId}`,
    type: `${typePrefix}${type}`,
    subject: `executions/${executionId}`,
    time: event.occurredAt.toISOString(),
    datacontenttype: 'application/json',
    // Of the CloudEvents extension "partitioning": what has the same key is in order.
    partitionkey: executionId,
    tenantid: apiId('Tenant', tenantId),
    ...(projectId !== null && { projectid: apiId('Project', projectId) }),
    ...(environmentId !== null && { environmentid: apiId('Environment', environmentId) }),
    data: { executionId: apiId('Execution', executionId), sequence, ...own },
  });
  return { id, tenantId, executionId, type, body };
}
