// What an MCP server's answer means when it is no result. Pure; no I/O.
import { failure, type ToolOutcome } from './tool-call.ts';

const invalidParams = -32602;

/** The server answered, but with a JSON-RPC error or something that is no tool result. */
export function protocolFailure(fullName: string, error: Error & { code?: unknown }): ToolOutcome | null {
  if (error.name.includes('ZodError'))
    return failure('TOOL_ERROR', `${fullName}: the answer is not an MCP tool result`, { retryable: true });
  if (typeof error.code !== 'number') return null;
  const text = error.message.replace(/^MCP error -?\d+: /, '').slice(0, 2_000);
  return failure('TOOL_ERROR', `${fullName}: ${text}`, { retryable: error.code !== invalidParams });
}

export function abortable<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = () => reject(signal.reason as Error);
    signal.addEventListener('abort', stop, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop));
  });
}
