// Follows an execution over Server-Sent Events as a browser would: comes back after every loss with the id of the last event it got.
import { setTimeout as sleep } from 'node:timers/promises';

export interface SeenEvent {
  readonly sequence: number;
  readonly type: string;
  readonly occurredAt: string;
  /** Of events about steps. */
  readonly stepId?: string | null;
  readonly itemIndex?: number | null;
}

interface Follow {
  /** Base of the gateway, without a path. */
  readonly url: string;
  readonly apiKey: string;
  readonly executionId: string;
  onEvents(events: readonly SeenEvent[]): void;
  onInterrupted(): void;
}

const query =
  'subscription ($id: ID!) { executionEvents(executionId: $id) { cursor events { sequence type occurredAt ... on StepEvent { stepId itemIndex } } } }';

/** Resolves after the event `complete`; rejects when the server refuses it for good. */
export async function followBySse({ url, apiKey, executionId, onEvents, onInterrupted }: Follow): Promise<void> {
  let lastEventId = '';
  for (;;) {
    try {
      const answer = await fetch(new URL('/graphql/stream', url), {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          accept: 'text/event-stream',
          authorization: `Bearer ${apiKey}`,
          ...(lastEventId && { 'last-event-id': lastEventId }),
        },
        body: JSON.stringify({ query, variables: { id: executionId } }),
      });
      let text = '';
      for await (const chunk of answer.body!.pipeThrough(new TextDecoderStream())) {
        const messages = `${text}${chunk}`.split('\n\n');
        text = messages.pop()!;
        for (const message of messages) {
          const fields = new Map(message.split('\n').map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)]));
          if (fields.get('event') === 'complete') return;
          if (fields.get('event') !== 'next') continue;
          const { data, errors } = JSON.parse(fields.get('data')!) as { data?: { executionEvents: { events: [] } }; errors?: unknown };
          if (errors || !data) throw new Refused(JSON.stringify(errors));
          lastEventId = fields.get('id') ?? lastEventId;
          onEvents(data.executionEvents.events);
        }
      }
    } catch (error) {
      if (error instanceof Refused) throw error;
    }
    onInterrupted();
    await sleep(20);
  }
}

class Refused extends Error {}
