// The server that `signalbox policies` talks to, through the published client.
import { createSignalboxClient, SignalboxClientError, type SignalboxClient } from '#client/index.ts';
import type { Config } from '#src/config.ts';
import { OperatorError } from '#src/platform/errors.ts';

/** What the server refuses, the person at the terminal can mend: a sentence instead of a stack. */
export async function withServer<Result>(
  { url, apiKey }: Config['client'],
  work: (client: SignalboxClient) => Promise<Result>,
): Promise<Result> {
  if (apiKey === undefined) throw new OperatorError('SIGNALBOX_API_KEY is not set: it is the key that the server knows you by');
  const client = createSignalboxClient({ url, apiKey });
  try {
    return await work(client);
  } catch (error) {
    throw error instanceof SignalboxClientError ? new OperatorError(`${error.code}: ${error.message}`, { cause: error }) : error;
  } finally {
    await client.close();
  }
}
