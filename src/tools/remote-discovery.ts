// A look at a server, for the one who registers it: connect, list its tools, go. No call, no circuit, no retry.
import type { Logger } from 'pino';
import type { Outbound } from '../outbound/outbound.ts';
import { connectRemote, RemoteError } from './remote-connection.ts';
import type { Endpoint } from './remote.ts';
import type { DescribedTool } from './tool.ts';

export type Discovery =
  | { readonly ok: true; readonly tools: readonly DescribedTool[] }
  /** One sentence without secrets. */
  | { readonly ok: false; readonly reason: string };

export type Discover = (endpoint: Endpoint) => Promise<Discovery>;

export interface DiscoveryDependencies {
  readonly outbound: Pick<Outbound, 'session'>;
  readonly logger: Logger;
  /** Whole time of a look; somebody waits for it. Default: 10 s. */
  readonly timeoutMs?: number | undefined;
  readonly maxMessageBytes?: number | undefined;
}

export const defaultMaxMessageBytes = 10 * 1024 * 1024;

export function createDiscovery({
  outbound,
  logger,
  timeoutMs = 10_000,
  maxMessageBytes = defaultMaxMessageBytes,
}: DiscoveryDependencies): Discover {
  return async (endpoint) => {
    const signal = AbortSignal.timeout(timeoutMs);
    try {
      const connection = await connectRemote({ outbound, endpoint, maxMessageBytes, logger, signal, onToolsChanged: () => undefined });
      try {
        return { ok: true, tools: await connection.list(signal) };
      } finally {
        await connection.close();
      }
    } catch (error) {
      if (signal.aborted) return { ok: false, reason: `it did not answer as an MCP server within ${timeoutMs} ms` };
      if (!(error instanceof RemoteError) && !(error instanceof Error && 'code' in error)) throw error;
      return { ok: false, reason: error.message };
    }
  };
}
