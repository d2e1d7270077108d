// Sinks of the event bus that the operator configures, for all tenants or named ones. Secrets come from environment variables by name.
import { z } from 'zod';
import { expect, group, httpUrl, integer, oneOf, text, url } from './config-fields.ts';
import { eventTypes, type EventType } from './events/catalogue.ts';
import { sinkDefaults, sinkLimits } from './eventbus/event-sink.ts';
import type { OperatorSink, Target } from './eventbus/operator-sink.ts';

const saslMechanisms = ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512'] as const;

const typeForm = `an event type such as execution.succeeded, or execution.* for all that begin so`;
const typesOf = (pattern: string): EventType[] =>
  eventTypes.filter((type) => (pattern.endsWith('.*') ? type.startsWith(pattern.slice(0, -1)) : type === pattern));

const hostAndPort = /^(\[[0-9a-f:]+\]|[^\s:/]+):\d{1,5}$/i;
const hosts = (example: string) =>
  z
    .array(
      z.string(expect(`host:port, such as ${example}`)).regex(hostAndPort, expect(`host:port, such as ${example}`)),
      expect(`a list of host:port, such as ${example}`),
    ) // prettier-ignore
    .min(1, expect(`a list of host:port, such as ${example}`));
/** Its value is read from this variable of the environment of Signalbox. */
const variable = () => text('the name of an environment variable');

const common = {
  /** Names; without it, all tenants, those made later included. */
  tenants: z.array(text('the name of a tenant'), expect('a list of names of tenants')).optional(),
  types: z
    .array(
      z.string(expect(typeForm)).refine((pattern) => typesOf(pattern).length > 0, expect(typeForm)),
      expect(`a list of ${typeForm}`),
    )
    .default([]),
  from: oneOf(['now', 'beginning']).default('now'),
  maxAttempts: integer(1, sinkLimits.maxAttempts).default(sinkDefaults.maxAttempts),
  maxAgeSeconds: integer(sinkLimits.minAgeSeconds, sinkLimits.maxAgeSeconds, 'seconds').default(sinkDefaults.maxAgeSeconds),
};

const kinds = ['webhook', 'redis', 'nats', 'kafka'] as const;
const sink = z.discriminatedUnion(
  'kind',
  [
    group({ kind: z.literal('webhook'), ...common, url: httpUrl(), secretEnv: variable(), previousSecretEnv: variable().optional() }),
    group({
      kind: z.literal('redis'),
      ...common,
      url: url('a URL such as redis://redis:6379/0 (rediss: with TLS) without user and password', ({ protocol, username, password }) => {
        return ['redis:', 'rediss:'].includes(protocol) && username === '' && password === '';
      }),
      username: text('the name of a user').optional(),
      passwordEnv: variable().optional(),
      stream: text('the key of a stream'),
      maxLength: integer(1, 1_000_000_000, 'entries').optional(),
    }),
    group({
      kind: z.literal('nats'),
      ...common,
      servers: hosts('nats:4222'),
      subject: z.string(expect('a subject such as signalbox.events')).regex(/^[\w-]+(\.[\w-]+)*$/, expect('a subject such as signalbox.events, without wildcards')), // prettier-ignore
      user: text('the name of a user').optional(),
      passwordEnv: variable().optional(),
      tokenEnv: variable().optional(),
      tls: z.boolean(expect('true or false')).default(false),
    }),
    group({
      kind: z.literal('kafka'),
      ...common,
      brokers: hosts('kafka:9092'),
      topic: z.string(expect('the name of a topic')).regex(/^[\w.-]{1,249}$/, expect('the name of a topic')),
      tls: z.boolean(expect('true or false')).default(false),
      sasl: group({ mechanism: oneOf(saslMechanisms), username: text('the name of a user'), passwordEnv: variable() }).optional(),
    }),
  ],
  expect(`a sink whose kind is one of ${kinds.join(', ')}`),
);

const namePattern = /^[a-z0-9][a-z0-9_-]{0,62}$/;
export const eventSinks = z
  .record(
    z.string().regex(namePattern, expect('a name of lower-case letters, digits, - and _')),
    sink,
    expect('names of event sinks, each with its settings'),
  )
  .default({});

type Configured = z.output<typeof sink>;

/** `secret` gives the value of the variable that a setting names. */
export function operatorSinksOf(
  configured: Readonly<Record<string, Configured>>,
  secret: (path: readonly string[], variable: string) => string,
): OperatorSink[] {
  return Object.entries(configured).map(([name, settings]) => {
    const { tenants, types, from, maxAttempts, maxAgeSeconds } = settings;
    const of = (key: string, variable: string | undefined) =>
      variable === undefined ? undefined : secret(['eventSinks', name, key], variable);
    return { name, tenants, types: [...new Set(types.flatMap(typesOf))], from, maxAttempts, maxAgeSeconds, target: targetOf(settings, of) };
  });
}

function targetOf(settings: Configured, of: (key: string, variable: string | undefined) => string | undefined): Target {
  switch (settings.kind) {
    case 'webhook': {
      const secrets = [of('secretEnv', settings.secretEnv), of('previousSecretEnv', settings.previousSecretEnv)];
      return { kind: 'webhook', url: settings.url, secrets: secrets.filter((each) => each !== undefined) };
    }
    case 'redis': {
      const { kind, url: address, username, stream, maxLength } = settings;
      return { kind, url: address, username, password: of('passwordEnv', settings.passwordEnv), stream, maxLength };
    }
    case 'nats': {
      const { kind, servers, subject, user, tls } = settings;
      return {
        kind,
        servers,
        subject,
        user,
        password: of('passwordEnv', settings.passwordEnv),
        token: of('tokenEnv', settings.tokenEnv),
        tls,
      };
    }
    case 'kafka': {
      const { kind, brokers, topic, tls, sasl } = settings;
      const { mechanism, username, passwordEnv } = sasl ?? {};
      return {
        ...{ kind, brokers, topic, tls },
        sasl: mechanism && { mechanism, username: username!, password: of('sasl.passwordEnv', passwordEnv)! },
      };
    }
  }
}
