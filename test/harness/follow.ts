// Watches a live stream alone, without a gateway.
import type { LiveBatch, LiveStream } from '#src/events/live-stream.ts';

/** What a stream begins with or what lies after a place, then what happens. */
export async function* follow<Batch extends LiveBatch>(stream: LiveStream<Batch>, after: string | null): AsyncGenerator<Batch, void, void> {
  const head = await stream.head();
  yield* stream.history(after, head);
  yield* stream.live(head);
}
