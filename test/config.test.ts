// Configuration: where values come from, and that every problem is reported at once with its place.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { test } from 'node:test';
import { ConfigError, loadConfig } from '#src/config.ts';
import { variables } from '#src/config-schema.ts';
import { newSecret } from '#src/webhooks/webhook.ts';
import { envExample } from '../scripts/env-example.ts';

function problemsOf(env: Record<string, string>, yaml = ''): string[] {
  try {
    loadConfig({ env, readFile: () => yaml });
  } catch (error) {
    assert.ok(error instanceof ConfigError, String(error));
    return error.message
      .split('\n')
      .slice(1)
      .map((line) => line.trim());
  }
  return [];
}

const withFile = { SIGNALBOX_CONFIG: 'signalbox.yaml' };

test('without any setting everything has a default and nothing is secret', () => {
  const config = loadConfig({ env: {} });
  assert.equal(config.dataDir, resolve('.signalbox'));
  assert.equal(config.mode, 'development');
  assert.deepEqual(config.http, { host: '127.0.0.1', port: 4400, drainMs: 0, trustedProxies: [], allowedOrigins: [] });
  assert.deepEqual(config.database, { poolMax: 20 });
  assert.deepEqual(config.runner, { concurrency: 16, graceMs: 20_000, takeoverCheckMs: 2_000 });
  assert.equal(config.limits.bodyBytes, 2 * 1024 * 1024);
  assert.deepEqual([config.oidc, config.toolServers], [[], {}]);
});

test('a variable wins over the file, the file over the default, and an empty variable counts as unset', () => {
  const yaml = 'http: { host: 0.0.0.0, port: 5000 }\nrunner: { concurrency: 3 }\n';
  const config = loadConfig({ env: { ...withFile, SIGNALBOX_HTTP_PORT: '6000', SIGNALBOX_RUNNER_CONCURRENCY: '' }, readFile: () => yaml });
  assert.deepEqual(config.http, { host: '0.0.0.0', port: 6000, drainMs: 0, trustedProxies: [], allowedOrigins: [] });
  assert.equal(config.runner.concurrency, 3);
});

test('lists are separated by commas; the issuer of the variables comes after those of the file', () => {
  const env = {
    ...withFile,
    SIGNALBOX_HTTP_ALLOWED_ORIGINS: 'https://a.example, http://localhost:3000',
    SIGNALBOX_OIDC_ISSUER: 'http://localhost:9000',
    SIGNALBOX_OIDC_AUDIENCE: 'signalbox',
    SIGNALBOX_OIDC_TENANT_CLAIM: 'org',
  };
  const config = loadConfig({ env, readFile: () => 'oidc: [{ issuer: https://login.example, audience: api }]' });
  assert.deepEqual(config.http.allowedOrigins, ['https://a.example', 'http://localhost:3000']);
  assert.deepEqual(config.oidc, [
    { issuer: 'https://login.example', audience: 'api', tenantClaim: 'tenant', rolesClaim: 'roles' },
    { issuer: 'http://localhost:9000', audience: 'signalbox', tenantClaim: 'org', rolesClaim: 'roles' },
  ]);
});

test('tool servers come from the file and receive the variables they name', () => {
  const yaml = `toolServers:
  files: { command: npx, args: [server], env: { A: b }, passEnv: [TOKEN], timeoutMs: 5, tools: { read: { risk: low, capability: read } } }`;
  const { toolServers } = loadConfig({ env: { ...withFile, TOKEN: 's3cret' }, readFile: () => yaml });
  assert.deepEqual(toolServers['files'], {
    command: 'npx',
    args: ['server'],
    env: { A: 'b', TOKEN: 's3cret' },
    passEnv: ['TOKEN'],
    timeoutMs: 5,
    startTimeoutMs: 30_000,
    tools: { read: { risk: 'low', capability: 'read' } },
  });
  assert.deepEqual(problemsOf(withFile, yaml), [
    'signalbox.yaml:2:67 toolServers.files.passEnv[0]: got "TOKEN", expected a variable that is set in the environment of Signalbox',
  ]);
});

test('every problem is reported at once: variables by name, the file by line and column', () => {
  const yaml = `http: { hots: x }
runner: 5
limits: { queryDepth: deep }
oidc: [{ issuer: http://login.example, audience: a }]
toolServers: { Files.X: { command: npx }, ok: { args: [] } }`;
  const env = {
    ...withFile,
    NODE_ENV: 'staging',
    SIGNALBOX_HTTP_PORT: '65536',
    SIGNALBOX_HTTP_PROT: '1',
    SIGNALBOX_RUNNER_GRACE_MS: '2s',
    SIGNALBOX_OIDC_ISSUER: 'https://login.example',
    SIGNALBOX_HTTP_ALLOWED_ORIGINS: 'https://a.example/path',
  };
  assert.deepEqual(problemsOf(env, yaml), [
    'SIGNALBOX_HTTP_PROT: got an unknown variable, expected one of those in .env.example',
    'NODE_ENV: got "staging", expected one of development, production',
    'SIGNALBOX_HTTP_PORT: got 65536, expected a whole number from 0 to 65535',
    'SIGNALBOX_HTTP_ALLOWED_ORIGINS: got "https://a.example/path", expected an origin such as https://app.example.com (no path, no trailing slash)',
    'signalbox.yaml:1:15 http.hots: got an unknown key, expected one of host, port, publicUrl, drainMs, trustedProxies, allowedOrigins',
    'signalbox.yaml:2:9 runner: got 5, expected a mapping of concurrency, graceMs, takeoverCheckMs',
    'signalbox.yaml:3:23 limits.queryDepth: got "deep", expected a whole number from 1 to 100',
    'signalbox.yaml:4:18 oidc[0].issuer: got "http://login.example", expected an https URL (http only for localhost)',
    'SIGNALBOX_OIDC_AUDIENCE: got nothing, expected the audience that tokens must name',
    'signalbox.yaml:5:25 toolServers.Files.X: expected a name of letters, digits, - and _ (tools are called <name>.<tool>)',
    'signalbox.yaml:5:47 toolServers.ok.command: got nothing, expected the program to start',
  ]);
});

test('REDIS_URL is a URL of Redis, with or without TLS; its password is never shown', () => {
  for (const url of ['redis://h', 'redis://h:6379/2', 'rediss://user:p%40ss@h:6380', 'redis://[::1]:6379/'])
    assert.equal(loadConfig({ env: { REDIS_URL: url } }).redis.url, url);
  for (const url of ['h:6379', 'http://:hunter2@h', 'redis://', 'redis://h/name', 'redis://:hunter2@h/1/2'])
    assert.deepEqual(problemsOf({ REDIS_URL: url }), [
      'REDIS_URL: expected a URL such as redis://user:password@host:6379/0, or rediss:// over TLS',
    ]);
});

test('a secret never appears in a problem', () => {
  const problems = problemsOf({ DATABASE_URL: 'mysql://u:hunter2@h/d', DATABASE_APP_URL: 'hunter2' });
  assert.equal(problems.length, 2);
  assert.ok(!problems.join().includes('hunter2'));
  const inFile = problemsOf(withFile, 'toolServers: { a: { command: x, env: { TOKEN: [hunter2] } } }');
  assert.match(inFile[0]!, /^signalbox.yaml:1:47 toolServers.a.env.TOKEN: expected a text$/);
});

test('settings that exclude each other are named', () => {
  assert.match(problemsOf({ DATABASE_APP_URL: 'postgres://app@h/d' })[0]!, /^DATABASE_APP_URL: expected DATABASE_URL beside it/);
  const same = problemsOf({
    DATABASE_URL: 'postgres://a:x@h/d',
    DATABASE_APP_URL: 'postgres://a:y@h/d',
    SIGNALBOX_DATABASE_EMBEDDED_PORT: '5432',
  });
  assert.match(same[0]!, /^DATABASE_APP_URL: expected another user/);
  assert.match(same[1]!, /^SIGNALBOX_DATABASE_EMBEDDED_PORT: got 5432, expected to be unset/);
});

test('a file that is absent, broken or no mapping is one clear problem', () => {
  assert.throws(
    () => loadConfig({ env: { SIGNALBOX_CONFIG: '/nowhere.yaml' } }),
    /SIGNALBOX_CONFIG: got "\/nowhere.yaml", expected a YAML file that can be read \(ENOENT/,
  );
  assert.match(problemsOf(withFile, 'http: [\nport: {')[0]!, /^signalbox.yaml:2:1: expected YAML without errors/);
  assert.match(problemsOf(withFile, 'a: 1\na: 2')[0]!, /^signalbox.yaml:2:1: expected YAML without errors \(Map keys must be unique/);
  assert.deepEqual(problemsOf(withFile, '- 1'), ['signalbox.yaml: expected a mapping of settings at the top']);
});

test('.env.example lists exactly the variables that are read, each with its default and a description', () => {
  const text = readFileSync(new URL('../.env.example', import.meta.url), 'utf8');
  const listed = [...text.matchAll(/^([A-Z_]+)=(.*)$/gm)].map(([, name, value]) => [name, value]);
  assert.deepEqual(listed, [['SIGNALBOX_CONFIG', ''], ...variables.map(({ env, defaultText }) => [env, defaultText ?? ''])]);
  assert.ok(variables.every(({ description }) => description.length > 10));
  assert.equal(text, envExample(), 'run `npm run generate`');
  assert.deepEqual(loadConfig({ env: Object.fromEntries(listed) }), loadConfig({ env: {} }));
});

test('what agents may reach besides public addresses is a list of addresses, networks and host:port', () => {
  const allow = ['10.1.0.0/16', '::1', '[fd12::1]:8443', '127.0.0.1:9000', 'internal.example.com:443', '0.0.0.0/0'];
  assert.deepEqual(loadConfig({ env: { SIGNALBOX_OUTBOUND_ALLOW: allow.join(', ') } }).outbound, { allow });
  for (const entry of [
    'internal.example.com',
    '10.1.0.0/33',
    '10.1',
    '127.1:80',
    '0x7f000001:80',
    'http://a.example',
    '::1/129',
    'a.example:0',
    'fe80::1%eth0',
    '',
  ]) {
    const problems = problemsOf(withFile, JSON.stringify({ outbound: { allow: [entry] } }));
    assert.match(problems.join(), /outbound\.allow.*expected addresses and host:port, such as 10\.1\.0\.0\/16/, entry);
  }
});

test('what becomes of calls that could not be judged is checked, and is a refusal unless said otherwise', () => {
  assert.deepEqual(loadConfig({ env: {} }).toolCalls, { timeoutMs: 5_000, onError: 'deny' });
  const env = { SIGNALBOX_TOOL_CALLS_ON_ERROR: 'allow', SIGNALBOX_TOOL_CALLS_TIMEOUT_MS: '60000' };
  assert.deepEqual(loadConfig({ env }).toolCalls, { timeoutMs: 60_000, onError: 'allow' });
  const problems = problemsOf({ SIGNALBOX_TOOL_CALLS_ON_ERROR: 'warn', SIGNALBOX_TOOL_CALLS_TIMEOUT_MS: '49' });
  assert.match(problems.join('\n'), /TIMEOUT_MS: got 49, expected a whole number of milliseconds[^]*ON_ERROR: got "warn", expected/);
  assert.equal(problems.length, 2);
});

test('how long decision records are kept and what is left out of them is checked', () => {
  const env = { SIGNALBOX_DECISIONS_REDACT: 'arguments.**.password, output.token', SIGNALBOX_DECISIONS_RETENTION_DAYS: '30' };
  assert.deepEqual(loadConfig({ env }).decisions, { redact: ['arguments.**.password', 'output.token'], retentionDays: 30 });
  assert.deepEqual(loadConfig({ env: {} }).decisions, { redact: [] });
  const problems = problemsOf({ SIGNALBOX_DECISIONS_REDACT: 'tool.risk', SIGNALBOX_DECISIONS_RETENTION_DAYS: '0' });
  assert.equal(problems.length, 2);
  assert.match(
    problems.join('\n'),
    /"tool\.risk", expected a path such as arguments\.password[^]*expected a whole number of days from 1 to 36500/,
  );
});

test('event sinks of the operator: each kind with its settings, secrets from the environment, and every problem with its place', () => {
  const yaml = `eventSinks:
  hook: { kind: webhook, url: 'https://hooks.example.com/', secretEnv: HOOK, previousSecretEnv: OLD, types: [execution.*], tenants: [acme] }
  cache: { kind: redis, url: 'rediss://redis:6379/0', username: bus, passwordEnv: PASS, stream: events, maxLength: 1000, from: beginning }
  mesh: { kind: nats, servers: ['nats:4222'], subject: signalbox.events, tokenEnv: PASS }
  lake: { kind: kafka, brokers: ['kafka:9092'], topic: events, sasl: { mechanism: PLAIN, username: bus, passwordEnv: PASS }, maxAttempts: 7 }`;
  const env = { ...withFile, HOOK: newSecret(), OLD: newSecret(), PASS: 's3cret' };
  const [hook, cache, mesh, lake] = loadConfig({ env, readFile: () => yaml }).eventSinks;
  assert.deepEqual(hook!.target, { kind: 'webhook', url: 'https://hooks.example.com/', secrets: [env.HOOK, env.OLD] });
  assert.ok(hook!.types.includes('execution.started') && hook!.types.every((type) => type.startsWith('execution.')));
  assert.deepEqual(
    [hook!.tenants, hook!.from, cache!.tenants, cache!.from, lake!.maxAttempts],
    [['acme'], 'now', undefined, 'beginning', 7],
  );
  assert.deepEqual([cache!.target, mesh!.target, lake!.target], [
    { kind: 'redis', url: 'rediss://redis:6379/0', username: 'bus', password: 's3cret', stream: 'events', maxLength: 1_000 },
    { kind: 'nats', servers: ['nats:4222'], subject: 'signalbox.events', user: undefined, password: undefined, token: 's3cret', tls: false },
    { kind: 'kafka', brokers: ['kafka:9092'], topic: 'events', tls: false, sasl: { mechanism: 'PLAIN', username: 'bus', password: 's3cret' } },
  ]); // prettier-ignore
  const wrong = `eventSinks:
  Big: { kind: nats, servers: ['nats:4222'], subject: a }
  mesh: { kind: nats, servers: [nats], subject: 'a.>' }
  one: { kind: sqs }
  two: { kind: redis, url: 'redis://u:p@redis', stream: events, types: [execution.*, nothing.*] }`;
  const problems = problemsOf(withFile, wrong).join('\n');
  for (const part of ['a name of lower-case letters', 'host:port, such as nats:4222', 'a subject such as signalbox.events', 'kind is one of webhook, redis, nats, kafka', 'without user and password', 'an event type such as execution.succeeded']) assert.ok(problems.includes(part), `${part} in\n${problems}`); // prettier-ignore
  assert.ok(!problems.includes('u:p'));
  assert.match(problemsOf({ ...withFile, HOOK: 'x', OLD: '' }, yaml).join('\n'), /secretEnv: got "HOOK", expected a variable that holds whsec_[^]*previousSecretEnv: got "OLD", expected a variable that is set[^]*eventSinks\.lake\.sasl/); // prettier-ignore
});
