// What one request, operation, socket or principal may ask of a gateway.
import { group, integer, setting } from './config-fields.ts';

export const limits = group({
  requestsPerSecond: setting(
    {
      env: 'SIGNALBOX_LIMIT_REQUESTS_PER_SECOND',
      description: 'Operations a principal may send each second once its burst is used up; over all gateways where they share a Redis.',
    },
    integer(1, 1_000_000).default(200),
  ),
  requestBurst: setting(
    { env: 'SIGNALBOX_LIMIT_REQUEST_BURST', description: 'Operations a principal may send at once after a while of quiet.' },
    integer(1, 10_000_000).default(5_000),
  ),
  failedSignInsPerMinute: setting(
    {
      env: 'SIGNALBOX_LIMIT_FAILED_SIGN_INS_PER_MINUTE',
      description:
        'Wrong credentials that are looked up for an address each minute; credentials that were good not long ago pass all the same.',
    },
    integer(1, 1_000_000).default(60),
  ),
  httpHeaderBytes: setting(
    { env: 'SIGNALBOX_LIMIT_HTTP_HEADER_BYTES', description: 'Largest head of a request, its URL included; bytes.' },
    integer(1_024, 1_048_576, 'bytes').default(16_384),
  ),
  httpHeadersTimeoutMs: setting(
    { env: 'SIGNALBOX_LIMIT_HTTP_HEADERS_TIMEOUT_MS', description: 'How long the head of a request may take to arrive; milliseconds.' },
    integer(100, 600_000, 'milliseconds').default(10_000),
  ),
  httpRequestTimeoutMs: setting(
    {
      env: 'SIGNALBOX_LIMIT_HTTP_REQUEST_TIMEOUT_MS',
      description: 'How long a whole request may take to arrive, at least as long as its head; milliseconds.',
    },
    integer(100, 3_600_000, 'milliseconds').default(60_000),
  ),
  bodyBytes: setting(
    { env: 'SIGNALBOX_LIMIT_BODY_BYTES', description: 'Largest request body; bytes.' },
    integer(1_024, 1_073_741_824, 'bytes').default(2_097_152),
  ),
  queryLength: setting(
    { env: 'SIGNALBOX_LIMIT_QUERY_LENGTH', description: 'Longest document; characters.' },
    integer(1_000, 10_000_000, 'characters').default(262_144),
  ),
  queryDepth: setting(
    { env: 'SIGNALBOX_LIMIT_QUERY_DEPTH', description: 'Deepest nesting of fields in an operation.' },
    integer(1, 100).default(15),
  ),
  queryAliases: setting(
    { env: 'SIGNALBOX_LIMIT_QUERY_ALIASES', description: 'Most aliases in a document.' },
    integer(0, 10_000).default(50),
  ),
  queryDirectives: setting(
    { env: 'SIGNALBOX_LIMIT_QUERY_DIRECTIVES', description: 'Most directives in a document.' },
    integer(0, 10_000).default(50),
  ),
  queryDefinitions: setting(
    { env: 'SIGNALBOX_LIMIT_QUERY_DEFINITIONS', description: 'Most operations and fragments in a document.' },
    integer(1, 10_000).default(100),
  ),
  queryFields: setting(
    {
      env: 'SIGNALBOX_LIMIT_QUERY_FIELDS',
      description: 'Most fields in a document with its fragments spread out; n fields of one name beside each other count n(n+1)/2.',
    },
    integer(1, 10_000_000).default(10_000),
  ),
  queryTokens: setting(
    { env: 'SIGNALBOX_LIMIT_QUERY_TOKENS', description: 'Most tokens in a document.' },
    integer(100, 1_000_000).default(2_000),
  ),
  queryCost: setting(
    {
      env: 'SIGNALBOX_LIMIT_QUERY_COST',
      description:
        'Highest cost of an operation: one for each field, times the page size of the lists around it, or 10 where a list has no page; 10000 for each __schema and __type.',
    },
    integer(1, 10_000_000).default(50_000),
  ),
  documentCacheBytes: setting(
    {
      env: 'SIGNALBOX_LIMIT_DOCUMENT_CACHE_BYTES',
      description: 'Memory for parsed documents, so that the same text or hash need not be parsed again; bytes.',
    },
    integer(1_048_576, 17_179_869_184, 'bytes').default(67_108_864),
  ),
  wsMaxUninitialized: setting(
    { env: 'SIGNALBOX_LIMIT_WS_MAX_UNINITIALIZED', description: 'Most WebSockets of a gateway that have not introduced themselves.' },
    integer(1, 1_000_000).default(5_000),
  ),
  wsMaxUninitializedPerAddress: setting(
    {
      env: 'SIGNALBOX_LIMIT_WS_MAX_UNINITIALIZED_PER_ADDRESS',
      description:
        'Most of those from one address; behind a proxy that is not among http.trustedProxies all share the address of the proxy.',
    },
    integer(1, 1_000_000).default(2_000),
  ),
  wsMaxIdlePerPrincipal: setting(
    {
      env: 'SIGNALBOX_LIMIT_WS_MAX_IDLE_PER_PRINCIPAL',
      description:
        'Most WebSockets of a principal and gateway without an open operation; one more closes the one that was idle for longest.',
    },
    integer(1, 1_000_000).default(1_000),
  ),
  wsMessagesPerSecond: setting(
    {
      env: 'SIGNALBOX_LIMIT_WS_MESSAGES_PER_SECOND',
      description: 'Messages and pings a WebSocket may send each second once its burst is used up; 16 KiB of a message count as one more.',
    },
    integer(1, 1_000_000).default(100),
  ),
  wsMessageBurst: setting(
    { env: 'SIGNALBOX_LIMIT_WS_MESSAGE_BURST', description: 'Messages and pings a WebSocket may send at once after a while of quiet.' },
    integer(1, 10_000_000).default(1_000),
  ),
  wsInitTimeoutMs: setting(
    { env: 'SIGNALBOX_LIMIT_WS_INIT_TIMEOUT_MS', description: 'How long a WebSocket may take to introduce itself; milliseconds.' },
    integer(100, 600_000, 'milliseconds').default(10_000),
  ),
  wsMaxSubscriptions: setting(
    { env: 'SIGNALBOX_LIMIT_WS_MAX_SUBSCRIPTIONS', description: 'Most operations open at once on a WebSocket.' },
    integer(1, 100_000).default(100),
  ),
  wsMaxMessageBytes: setting(
    { env: 'SIGNALBOX_LIMIT_WS_MAX_MESSAGE_BYTES', description: 'Largest message a client may send on a WebSocket; bytes.' },
    integer(1_024, 1_073_741_824, 'bytes').default(1_048_576),
  ),
  sseMaxStreamsPerPrincipal: setting(
    {
      env: 'SIGNALBOX_LIMIT_SSE_MAX_STREAMS_PER_PRINCIPAL',
      description: 'Most subscriptions that a principal has open at once on a gateway over event streams, each of which is a connection.',
    },
    integer(1, 1_000_000).default(1_000),
  ),
  streamQueueBytes: setting(
    {
      env: 'SIGNALBOX_LIMIT_STREAM_QUEUE_BYTES',
      description: 'Most that may wait for a connection which reads its live streams too slowly, before it is closed; bytes.',
    },
    integer(65_536, 1_073_741_824, 'bytes').default(4_194_304),
  ),
  streamStallMs: setting(
    {
      env: 'SIGNALBOX_LIMIT_STREAM_STALL_MS',
      description: 'How long a connection may take nothing of what it was sent, before it is closed; milliseconds.',
    },
    integer(1_000, 3_600_000, 'milliseconds').default(30_000),
  ),
});
