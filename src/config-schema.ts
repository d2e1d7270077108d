// Every setting once: its type, its default, its environment variable and what it means.
// `.env.example` is printed from here. A setting stands here only if something uses it.
import { z } from 'zod';
import {
  expect,
  group,
  httpUrl,
  integer,
  isLoopback,
  networks,
  oneOf,
  postgresUrl,
  redisUrl,
  setting,
  text,
  url,
  type About,
} from './config-fields.ts';
import { decisions } from './config-decisions.ts';
import { eventSinks } from './config-event-sinks.ts';
import { limits } from './config-limits.ts';
import { operations } from './config-operations.ts';
import { toolCalls } from './config-tool-calls.ts';
import { allowEntryForm, isAllowEntry } from './outbound/addresses.ts';
import { isSecretKey, secretKeyForm } from './platform/sealing.ts';
import { capabilities, riskClasses, serverNamePattern } from './tools/tool.ts';

const issuer = group({
  issuer: setting(
    {
      env: 'SIGNALBOX_OIDC_ISSUER',
      description: 'Issuer URL of an OpenID Connect provider whose tokens are accepted (discovery and JWKS).',
    },
    url('an https URL (http only for localhost)', ({ protocol, hostname }) => {
      return protocol === 'https:' || (protocol === 'http:' && isLoopback(hostname));
    }),
  ),
  audience: setting(
    { env: 'SIGNALBOX_OIDC_AUDIENCE', description: 'Audience (aud) that a token of this issuer must name.' },
    text('the audience that tokens must name'),
  ),
  tenantClaim: setting(
    {
      env: 'SIGNALBOX_OIDC_TENANT_CLAIM',
      description: 'Claim that holds the name or id of the tenant; a dotted path reaches into objects.',
    },
    text('the name of a claim').default('tenant'),
  ),
  rolesClaim: setting(
    { env: 'SIGNALBOX_OIDC_ROLES_CLAIM', description: 'Claim that holds the roles on the tenant: a list, or words separated by spaces.' },
    text('the name of a claim').default('roles'),
  ),
  nameClaim: setting(
    { env: 'SIGNALBOX_OIDC_NAME_CLAIM', description: 'Claim to name new people after. Unset: name, preferred_username, email or sub.' },
    text('the name of a claim').optional(),
  ),
});

const toolServer = group({
  command: text('the program to start'),
  args: z.array(z.string(expect('a text')), expect('a list of texts')).default([]),
  env: z.record(z.string(), z.string(expect('a text')), expect('variable names with their texts')).default({}),
  /** Names of Signalbox's own environment variables that the program receives; their values end up in `env`. */
  passEnv: z.array(text('the name of an environment variable'), expect('a list of variable names')).default([]),
  timeoutMs: integer(1, 3_600_000, 'milliseconds').default(60_000),
  startTimeoutMs: integer(1, 600_000, 'milliseconds').default(30_000),
  /** What the operator says of a tool, instead of what the server's annotations say. */
  tools: z
    .record(
      z.string(),
      group({ risk: oneOf(riskClasses).optional(), capability: oneOf(capabilities).optional() }),
      expect('tool names, each with risk and capability'),
    )
    .default({}),
});

const http = group({
  host: setting(
    { env: 'SIGNALBOX_HTTP_HOST', description: 'Address to listen on; 0.0.0.0 for every interface.' },
    text('an address or host name').default('127.0.0.1'),
  ),
  port: setting({ env: 'SIGNALBOX_HTTP_PORT', description: 'Port to listen on; 0 takes a free one.' }, integer(0, 65_535).default(4400)),
  publicUrl: setting(
    {
      env: 'SIGNALBOX_HTTP_PUBLIC_URL',
      description: 'Where users reach it, when that is not the address it listens on (behind a proxy).',
    },
    httpUrl().optional(),
  ),
  drainMs: setting(
    {
      env: 'SIGNALBOX_HTTP_DRAIN_MS',
      description: 'How long a gateway that stops goes on serving with /readyz at 503, so that a load balancer can notice; milliseconds.',
    },
    integer(0, 600_000, 'milliseconds').default(0),
  ),
  trustedProxies: setting(
    {
      env: 'SIGNALBOX_HTTP_TRUSTED_PROXIES',
      description: 'Addresses and networks of proxies in front, whose X-Forwarded-For tells who sends a request; separated by commas.',
    },
    networks().default([]),
  ),
  allowedOrigins: setting(
    {
      env: 'SIGNALBOX_HTTP_ALLOWED_ORIGINS',
      description: 'Web origins besides its own that may use it from a browser; separated by commas.',
    },
    z
      .array(
        z
          .string(expect('an origin such as https://app.example.com'))
          .refine(
            (value) => URL.canParse(value) && new URL(value).origin === value,
            expect('an origin such as https://app.example.com (no path, no trailing slash)'),
          ),
        expect('a list of origins'),
      )
      .default([]),
  ),
});

const database = group({
  url: setting(
    {
      env: 'DATABASE_URL',
      description: 'Postgres 15 or newer, as the role that owns the tables. Unset: Signalbox runs its own Postgres in the data folder.',
      secret: true,
    },
    postgresUrl().optional(),
  ),
  appUrl: setting(
    {
      env: 'DATABASE_APP_URL',
      description:
        'The same database as the role the application acts as (owns nothing). Unset: the owner switches to signalbox_app by SET ROLE.',
      secret: true,
    },
    postgresUrl().optional(),
  ),
  poolMax: setting(
    { env: 'SIGNALBOX_DATABASE_POOL_MAX', description: 'Connections a process opens for requests.' },
    integer(2, 1_000).default(20),
  ),
  embeddedPort: setting(
    { env: 'SIGNALBOX_DATABASE_EMBEDDED_PORT', description: "Port of Signalbox's own Postgres. Unset: a free one, kept from then on." },
    integer(1, 65_535).optional(),
  ),
});

const redis = group({
  url: setting(
    {
      env: 'REDIS_URL',
      description:
        'Redis that tells processes at once what others changed; rediss:// over TLS. It holds nothing. Unset: each process looks for changes in Postgres.',
      secret: true,
    },
    redisUrl().optional(),
  ),
});

const runner = group({
  concurrency: setting({ env: 'SIGNALBOX_RUNNER_CONCURRENCY', description: 'Jobs a process runs at once.' }, integer(1, 1_000).default(16)),
  graceMs: setting(
    { env: 'SIGNALBOX_RUNNER_GRACE_MS', description: 'How long running steps may take to finish after SIGTERM; milliseconds.' },
    integer(0, 3_600_000, 'milliseconds').default(20_000),
  ),
  takeoverCheckMs: setting(
    { env: 'SIGNALBOX_RUNNER_TAKEOVER_CHECK_MS', description: 'How often a runner looks for work of dead runners; milliseconds.' },
    integer(100, 600_000, 'milliseconds').default(2_000),
  ),
});

const outbound = group({
  allow: setting(
    {
      env: 'SIGNALBOX_OUTBOUND_ALLOW',
      description:
        'What agents may reach besides public addresses: addresses, networks and host:port, such as 10.1.0.0/16 or 127.0.0.1:9000; separated by commas.',
    },
    z
      .array(z.string(expect(allowEntryForm)).refine(isAllowEntry, expect(allowEntryForm)), expect(`a list of ${allowEntryForm}`))
      .default([]),
  ),
});

const client = group({
  url: setting(
    { env: 'SIGNALBOX_URL', description: 'The server that commands such as `signalbox policies apply` talk to.' },
    httpUrl().default('http://127.0.0.1:4400/graphql'),
  ),
  apiKey: setting(
    { env: 'SIGNALBOX_API_KEY', description: 'The API key such commands show there.', secret: true },
    text('an API key').optional(),
  ),
});

const webhooks = group({
  approvalPage: setting(
    {
      env: 'SIGNALBOX_WEBHOOKS_APPROVAL_PAGE',
      description:
        'Where people read an approval, such as https://console.example.com/approvals/{id}: the link that webhooks tell. Unset: they tell none.',
    },
    z
      .string(expect('an http or https URL with {id} in it'))
      .refine(
        (value) => /^https?:$/.test(URL.parse(value)?.protocol ?? '') && value.includes('{id}'),
        expect('an http or https URL with {id} in it'),
      )
      .optional(),
  ),
});

export const configSchema = group({
  mode: setting(
    { env: 'NODE_ENV', description: 'development serves GraphiQL at /; production does not.' },
    oneOf(['development', 'production']).default('development'),
  ),
  dataDir: setting(
    { env: 'SIGNALBOX_DATA_DIR', description: 'Folder for everything Signalbox keeps on this machine.' },
    text('a path').default('./.signalbox'),
  ),
  logLevel: setting(
    { env: 'SIGNALBOX_LOG_LEVEL', description: 'fatal, error, warn, info, debug, trace or silent.' },
    oneOf(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).default('info'),
  ),
  secretKey: setting(
    {
      env: 'SIGNALBOX_SECRET_KEY',
      description:
        'Key that seals the header values of tool servers: 32 bytes in base64 or hex, the same for every process on one database. Unset: the file secret-key in the data folder, made at the first start.',
      secret: true,
    },
    z.string(expect(secretKeyForm)).refine(isSecretKey, expect(secretKeyForm)).optional(),
  ),
  http: http.prefault({}),
  database: database.prefault({}),
  redis: redis.prefault({}),
  runner: runner.prefault({}),
  limits: limits.prefault({}),
  operations: operations.prefault({}),
  outbound: outbound.prefault({}),
  decisions: decisions.prefault({}),
  toolCalls: toolCalls.prefault({}),
  client: client.prefault({}),
  webhooks: webhooks.prefault({}),
  eventSinks,
  oidc: z.array(issuer, expect('a list of issuers')).default([]),
  toolServers: z
    .record(
      z.string().regex(serverNamePattern, expect('a name of letters, digits, - and _ (tools are called <name>.<tool>)')),
      toolServer,
      expect('names of tool servers, each with its settings'),
    )
    .default({}),
});

export type Config = z.output<typeof configSchema>;

/** One setting that an environment variable can set. `*` in the path stands for one more entry of a list. */
export interface Variable extends About {
  readonly env: string;
  readonly path: readonly string[];
  readonly isNumber: boolean;
  readonly isList: boolean;
  /** As text for a variable; undefined when there is none. */
  readonly defaultText: string | undefined;
}

export const variables: readonly Variable[] = variablesOf(configSchema, []);

function variablesOf(schema: z.core.$ZodType, path: readonly string[]): Variable[] {
  const about = z.globalRegistry.get(schema) as About | undefined;
  const { inner, fallback } = unwrapped(schema);
  if (about?.env) {
    const isList = inner instanceof z.ZodArray;
    const defaultText = fallback === undefined ? undefined : String(fallback);
    return [{ ...about, env: about.env, path, isNumber: inner instanceof z.ZodNumber, isList, defaultText }];
  }
  if (inner instanceof z.ZodArray) return variablesOf(inner.element, [...path, '*']);
  if (inner instanceof z.ZodObject) return Object.entries(inner.shape).flatMap(([key, child]) => variablesOf(child, [...path, key]));
  return [];
}

function unwrapped(schema: z.core.$ZodType): { inner: z.core.$ZodType; fallback?: unknown } {
  if (schema instanceof z.ZodDefault) return { inner: unwrapped(schema.def.innerType).inner, fallback: schema.def.defaultValue };
  if (schema instanceof z.ZodPrefault || schema instanceof z.ZodOptional) return unwrapped(schema.def.innerType);
  return { inner: schema };
}
