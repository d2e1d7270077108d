// A stdio MCP server whose only tool `post` delivers its arguments to an effect receiver (RECEIVER_URL) over HTTP, with the
// Idempotency-Key that Signalbox gave it. Raw JSON-RPC: it is started hundreds of times, and must be up at once.
import { createInterface } from 'node:readline';

const send = (message: object) => process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);

interface Request {
  readonly id?: number;
  readonly method?: string;
  readonly params?: { readonly arguments?: Record<string, unknown>; readonly _meta?: Record<string, unknown> };
}

const post = {
  name: 'post',
  description: 'Delivers its arguments',
  inputSchema: {
    type: 'object',
    required: ['execution', 'step'],
    properties: { execution: { type: 'string' }, step: { type: 'string' }, item: { type: 'integer' } },
    additionalProperties: false,
  },
  // The receiver knows a repeated delivery by its key.
  annotations: { idempotentHint: true },
};

async function deliver({ id, params }: Request): Promise<void> {
  const { 'signalbox/idempotency-key': key, 'signalbox/attempt': attempt } = params?._meta ?? {};
  const answer = await fetch(process.env['RECEIVER_URL']!, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(typeof key === 'string' && { 'idempotency-key': key }),
      'x-attempt': String(attempt),
      'x-runner': String(process.ppid),
    },
    body: JSON.stringify(params?.arguments),
  });
  send({ id, result: { content: [{ type: 'text', text: await answer.text() }] } });
}

createInterface({ input: process.stdin }).on('line', (line) => {
  const request = JSON.parse(line) as Request;
  if (request.method === 'initialize') {
    const serverInfo = { name: 'poster', version: '1' };
    return send({ id: request.id, result: { protocolVersion: '2025-06-18', capabilities: { tools: {} }, serverInfo } });
  }
  if (request.method === 'tools/list') return send({ id: request.id, result: { tools: [post] } });
  if (request.method === 'tools/call') {
    return void deliver(request).catch((error: unknown) => send({ id: request.id, error: { code: -32000, message: String(error) } }));
  }
  return request.id === undefined ? undefined : send({ id: request.id, result: {} });
});
