// A stdio MCP server that misbehaves on request: its tools crash, hang, babble, change. Speaks raw JSON-RPC, so that it can break the protocol.
// Options: --definition FILE (description of the tool `versioned`, read at each start), --mute (never answers),
// --babble (prints text before the handshake), --stay (ignores the end of stdin and SIGTERM), --pid FILE (appends its pid).
import { appendFileSync, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';

const option = (name: string) => (process.argv.includes(name) ? (process.argv[process.argv.indexOf(name) + 1] ?? '') : null);
const send = (message: object) => process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
const text = (value: unknown) => ({ content: [{ type: 'text', text: String(value) }] });
const cancelled: unknown[] = [];
let suffix = '';

interface Request {
  readonly id?: number;
  readonly method?: string;
  readonly params?: { readonly name?: string; readonly arguments?: Record<string, unknown>; readonly requestId?: number };
}

const pidFile = option('--pid');
if (pidFile) appendFileSync(pidFile, `${process.pid}\n`);
if (process.argv.includes('--babble')) process.stdout.write('Listening on stdio…\n{"not":"mcp"}\n');
if (process.argv.includes('--stay')) {
  process.on('SIGTERM', () => {});
  setInterval(() => {}, 1_000);
}
process.stderr.write('the misbehaving server is up\n');

function tools() {
  const definition = option('--definition');
  const describe = (name: string, description: string, extra: object = {}) => ({
    name,
    description,
    inputSchema: { type: 'object' },
    ...extra,
  });
  return [
    describe('echo', 'Answers with its arguments', {
      inputSchema: { type: 'object', required: ['say'], properties: { say: { type: 'string' } }, additionalProperties: false },
      annotations: { readOnlyHint: true },
    }),
    describe('append', 'Adds', { annotations: { destructiveHint: false } }),
    describe('put', 'Replaces', { annotations: { idempotentHint: true } }),
    describe('versioned', (definition ? readFileSync(definition, 'utf8') : 'stable') + suffix),
    ...[
      'crash',
      'hang',
      'slow',
      'babble',
      'flood',
      'huge',
      'endless',
      'fail',
      'refuse',
      'nonsense',
      'meta',
      'environment',
      'cancelled',
      'mixed',
      'change',
    ].map((name) => describe(name, `Does ${name}`)),
    { name: 'broken description', inputSchema: 'none' },
    { name: 'bad name!', inputSchema: { type: 'object' } },
  ];
}

const answers: Record<string, (request: Request) => object | undefined> = {
  echo: ({ params }) => text(JSON.stringify(params?.arguments)),
  versioned: () => text('called'),
  append: () => text('appended'),
  put: () => text('put'),
  crash: () => process.exit(3),
  hang: () => {
    for (;;);
  },
  slow: ({ id }) => void setTimeout(() => send({ id, result: text('late') }), 300),
  babble: () => {
    process.stdout.write('warning: this is not JSON\n');
    return text('answered anyway');
  },
  flood: () => {
    process.stdout.write('noise\n'.repeat(5_000));
    return undefined;
  },
  huge: ({ params }) => text('x'.repeat(Number(params?.arguments?.['bytes']))),
  endless: () => {
    process.stdout.write('x'.repeat(2 * 1024 * 1024));
    return undefined;
  },
  fail: () => ({ ...text('the disk is full'), isError: true }),
  nonsense: () => ({ content: 'not a list' }),
  meta: ({ params }) => text(JSON.stringify((params as { _meta?: unknown })._meta)),
  environment: () => text(JSON.stringify(process.env)),
  cancelled: () => text(cancelled.length),
  mixed: () => ({
    content: [
      { type: 'text', text: 'one' },
      { type: 'image', data: 'AAAA', mimeType: 'image/png' },
      { type: 'text', text: 'two' },
    ],
    structuredContent: { count: 2 },
  }),
  change: () => {
    suffix = ', changed while running';
    send({ method: 'notifications/tools/list_changed' });
    return text('changed');
  },
};

createInterface({ input: process.stdin }).on('line', (line) => {
  const request = JSON.parse(line) as Request;
  if (process.argv.includes('--mute')) return;
  switch (request.method) {
    case 'initialize':
      return send({
        id: request.id,
        result: {
          protocolVersion: '2025-06-18',
          capabilities: { tools: { listChanged: true } },
          serverInfo: { name: 'misbehaving', version: '1' },
        },
      });
    case 'ping':
      return send({ id: request.id, result: {} });
    case 'tools/list':
      return send({ id: request.id, result: { tools: tools() } });
    case 'notifications/cancelled':
      return cancelled.push(request.params?.requestId);
    case 'tools/call': {
      const name = request.params?.name ?? '';
      if (name === 'refuse') return send({ id: request.id, error: { code: -32602, message: 'say: expected a string' } });
      const result = answers[name]?.(request);
      return result && send({ id: request.id, result });
    }
    default:
      return undefined;
  }
});
