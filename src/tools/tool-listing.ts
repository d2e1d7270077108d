// `tools/list` of any MCP server: every page, each tool checked by itself, so that one broken description hides no other.
import type { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { PaginatedResultSchema, ToolSchema } from '@modelcontextprotocol/sdk/types.js';
import type { Logger } from 'pino';
import { z } from 'zod';
import { toolNamePattern, type DescribedTool } from './tool.ts';

export interface ListOptions {
  /** For each page. */
  readonly timeoutMs: number;
  readonly logger: Logger;
  readonly signal?: AbortSignal | undefined;
  /** More than this rejects the list as a whole. */
  readonly maxTools?: number | undefined;
  readonly maxBytes?: number | undefined;
  /** Takes out what must not be repeated. */
  readonly clean?: (<T>(value: T) => T) | undefined;
}

const maxPages = 100;
const page = PaginatedResultSchema.extend({ tools: z.array(z.unknown()) });

/** Tools that break the protocol are left out and logged. */
export async function listTools(client: Client, options: ListOptions): Promise<DescribedTool[]> {
  const { timeoutMs, logger, signal, maxTools, maxBytes, clean = (value) => value } = options;
  const found = new Map<string, DescribedTool>();
  let bytes = 0;
  let cursor: string | undefined;
  for (let count = 0; count < maxPages; count++) {
    const limits = { timeout: timeoutMs, ...(signal && { signal }) };
    const result = clean(await client.request({ method: 'tools/list', params: { cursor } }, page, limits));
    if (maxBytes !== undefined) bytes += Buffer.byteLength(JSON.stringify(result.tools));
    if (bytes > (maxBytes ?? bytes)) throw new Error(`it describes its tools in more than ${maxBytes} bytes`);
    for (const raw of result.tools) {
      const tool = readTool(raw, logger);
      if (tool && !found.has(tool.name)) found.set(tool.name, tool);
    }
    if (found.size > (maxTools ?? found.size)) throw new Error(`it describes more than ${maxTools} tools`);
    cursor = result.nextCursor;
    if (cursor === undefined) break;
  }
  return [...found.values()];
}

function readTool(raw: unknown, logger: Logger): DescribedTool | null {
  const parsed = ToolSchema.safeParse(raw);
  const name = (raw as { name?: unknown } | null)?.name;
  if (!parsed.success) {
    logger.warn({ tool: name, err: parsed.error }, 'tool left out: its description breaks the protocol');
    return null;
  }
  if (!toolNamePattern.test(parsed.data.name)) {
    logger.warn({ tool: name }, 'tool left out: its name has other characters than letters, digits, "_", "-", "." and "/"');
    return null;
  }
  if (parsed.data.execution?.taskSupport === 'required') {
    logger.warn({ tool: name }, 'tool left out: it only runs as an MCP task, which is not supported');
    return null;
  }
  const { description, inputSchema, annotations } = parsed.data;
  return { name: parsed.data.name, description, inputSchema, annotations };
}
