// One call of a tool: what is asked, how it can end, and an MCP result as a step output. Pure; no I/O.
import type { CallToolResult } from '@modelcontextprotocol/sdk/types.js';

/** Output of a tool step. `text` joins the text parts; `content` holds the other parts (images, audio, resources, links). */
export interface ToolOutput {
  readonly text: string;
  readonly content: readonly unknown[];
  /** The server's `structuredContent`, when it sent one. */
  readonly structured?: Readonly<Record<string, unknown>> | undefined;
}

/** Stable codes of failed calls: part of step errors and events. */
export type ToolFailureCode =
  /** The server could not be started, ended, or broke the protocol. */
  | 'TOOL_SERVER_FAILED'
  | 'TOOL_TIMEOUT'
  /** The tool itself answered with an error. */
  | 'TOOL_ERROR'
  | 'OUTPUT_TOO_LARGE'
  /** The server no longer describes the tool as it was when the call was allowed: nothing was called. */
  | 'TOOL_CHANGED'
  | 'TOOL_UNKNOWN'
  /** The server failed several times in a row: nothing is sent to it for a while. */
  | 'CIRCUIT_OPEN'
  | 'CANCELLED';

export interface ToolFailure {
  readonly ok: false;
  readonly code: ToolFailureCode;
  readonly message: string;
  /** May another attempt succeed, as far as the retry rule of the step allows one? */
  readonly retryable: boolean;
  /** False when it is certain that the tool was not called. */
  readonly dispatched: boolean;
  /** Sooner it is no use. */
  readonly retryAfterMs?: number | undefined;
}

export type ToolOutcome = { readonly ok: true; readonly output: ToolOutput } | ToolFailure;

export interface CallOptions {
  /** Cancels the call; the server is told. */
  readonly signal?: AbortSignal | undefined;
  /** Whole time of the call, a (re)start of the server included. Default: the server's `timeoutMs`. */
  readonly timeoutMs?: number | undefined;
  /** Stable across attempts; sent as `_meta["signalbox/idempotency-key"]`. */
  readonly idempotencyKey?: string | undefined;
  /** 1…; sent as `_meta["signalbox/attempt"]`. */
  readonly attempt?: number | undefined;
  /** The description that was checked. When the server now describes the tool otherwise, nothing is called. */
  readonly digest?: string | undefined;
  /** The tool is one of this tenant's own server. */
  readonly remote?: RemoteReference | undefined;
}

/** A tenant's server, as it was registered when the call was allowed. */
export interface RemoteReference {
  readonly tenantId: string;
  readonly serverId: string;
  readonly version: number;
}

export function outcomeOf(fullName: string, result: CallToolResult, maxOutputBytes: number): ToolOutcome {
  const text = result.content.flatMap((part) => (part.type === 'text' ? [part.text] : [])).join('\n');
  if (result.isError) {
    const message = text === '' ? 'answered with an error and no text' : text.slice(0, 2_000);
    return failure('TOOL_ERROR', `${fullName}: ${message}`, { retryable: true });
  }
  const output: ToolOutput = {
    text,
    content: result.content.filter((part) => part.type !== 'text'),
    ...(result.structuredContent && { structured: result.structuredContent }),
  };
  const bytes = Buffer.byteLength(JSON.stringify(output));
  if (bytes > maxOutputBytes) {
    return failure('OUTPUT_TOO_LARGE', `${fullName}: the output is ${bytes} bytes of JSON; at most ${maxOutputBytes} are kept`);
  }
  return { ok: true, output };
}

export function failure(code: ToolFailureCode, message: string, { retryable = false, dispatched = true } = {}): ToolFailure {
  return { ok: false, code, message, retryable, dispatched };
}
