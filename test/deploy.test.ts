// deploy/ as far as it can be checked without a container engine: the services and what they refer to, secrets without defaults, variables
// that exist, HAProxy's own look at its configuration, and the files that the image is made of.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { globSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import ipaddr from 'ipaddr.js';
import { parse } from 'yaml';
import { loadConfig } from '#src/config.ts';
import { variables } from '#src/config-schema.ts';

const root = join(import.meta.dirname, '..');
const read = (file: string) => readFileSync(join(root, file), 'utf8');

interface Service {
  readonly image: string;
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly volumes?: readonly string[];
  readonly ports?: readonly string[];
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly stop_grace_period?: string;
  readonly build?: { readonly context: string; readonly dockerfile: string };
  readonly networks?: { readonly default?: { readonly ipv4_address?: string } };
}
const compose = parse(read('deploy/compose.yaml'), { merge: true }) as {
  services: Record<string, Service>;
  volumes: Record<string, unknown>;
  networks: { default: { ipam: { config: { subnet: string; gateway?: string; ip_range?: string }[] } } };
};
const { services } = compose;
const ours = Object.entries(services).filter(([, { image }]) => image === 'signalbox');

test('compose has the topology of the cluster, and everything a service refers to is there', () => {
  assert.deepEqual(Object.keys(services), ['postgres', 'redis', 'gateway-1', 'gateway-2', 'worker-1', 'worker-2', 'haproxy']);
  const volumes: string[] = [];
  for (const { depends_on: needs = {}, volumes: mounted = [], build } of Object.values(services)) {
    for (const name of Object.keys(needs)) assert.ok(services[name], name);
    for (const source of mounted.map((text) => text.split(':')[0]!)) {
      if (source.startsWith('./')) assert.ok(statSync(join(root, 'deploy', source)).isFile(), source);
      else volumes.push(source);
    }
    if (build) assert.ok(statSync(join(root, 'deploy', build.context, build.dockerfile)).isFile());
  }
  assert.deepEqual(volumes.sort(), Object.keys(compose.volumes).sort());
  const dockerfile = read('deploy/Dockerfile');
  const commands = ours.map(([name, { command }]) => [name.replace(/-\d$/, ''), command]);
  for (const [name, command] of commands) assert.deepEqual(command, [name]);
  assert.match(dockerfile, /^USER node$/m);
  assert.match(dockerfile, /^EXPOSE 4400$/m);
  assert.equal(statSync(join(root, 'deploy/postgres-owner.sh')).mode & 0o111, 0o111, 'the image of Postgres runs it');
});

test('gateways and runners wait for Postgres, and not for Redis, which they can do without', () => {
  for (const [name, { depends_on: needs }] of ours)
    assert.deepEqual(needs, { postgres: { condition: 'service_healthy' }, redis: { condition: 'service_started' } }, name);
});

test('gateways believe HAProxy alone about who a client is: its address is its own, and no other comes by it', () => {
  const trusted = services['haproxy']!.networks?.default?.ipv4_address;
  assert.ok(trusted !== undefined, 'HAProxy has a fixed address');
  for (const [name, { environment }] of ours) {
    assert.equal(environment!['SIGNALBOX_HTTP_TRUSTED_PROXIES'], name.startsWith('gateway') ? trusted : undefined, name);
  }
  const [{ subnet, gateway: bridge, ip_range: others = subnet } = { subnet: '' }, ...more] = compose.networks.default.ipam.config;
  assert.equal(more.length, 0);
  const address = ipaddr.parse(trusted);
  assert.ok(address.match(ipaddr.parseCIDR(subnet)), 'in the network');
  assert.ok(!address.match(ipaddr.parseCIDR(others)), 'not one that Docker gives to another container');
  // Clients that come by way of docker-proxy seem to have it.
  assert.equal(bridge, subnet.replace(/\d+\/.*/, '1'));
  assert.notEqual(trusted, bridge);
  for (const [name, { networks }] of Object.entries(services)) if (name !== 'haproxy') assert.equal(networks, undefined, name);
  assert.match(read('deploy/haproxy.cfg'), /^ +option forwardfor$/m);
});

test('secrets have no defaults, and every variable is one of Signalbox', () => {
  const asked = [...read('deploy/compose.yaml').matchAll(/\$\{(\w+)(:[?-])/g)].map(([, name, how]) => ({ name: name!, how }));
  const withoutDefault = new Set(asked.filter(({ how }) => how === ':?').map(({ name }) => name));
  const secrets = [
    'POSTGRES_PASSWORD',
    'REDIS_PASSWORD',
    'SIGNALBOX_DATABASE_PASSWORD',
    'SIGNALBOX_HTTP_PUBLIC_URL',
    'SIGNALBOX_SECRET_KEY',
  ];
  assert.deepEqual([...withoutDefault].sort(), secrets);
  assert.deepEqual(
    asked.filter(({ how }) => how === ':-').map(({ name }) => name),
    ['SIGNALBOX_PORT'],
  );
  const known = new Set(variables.map(({ env }) => env));
  for (const [name, { environment }] of ours) {
    for (const variable of Object.keys(environment!)) assert.ok(known.has(variable), `${name} sets ${variable}`);
  }
  for (const [, variable] of read('deploy/Dockerfile').matchAll(/(SIGNALBOX_\w+)=/g)) assert.ok(known.has(variable!), variable);
});

test('what compose gives the processes is a configuration, and they are given the time to stop that it asks for', () => {
  for (const [name, { environment, stop_grace_period: period }] of ours) {
    const env = Object.fromEntries(
      Object.entries(environment!).map(([key, value]) => [
        key,
        value.replaceAll(/\$\{SIGNALBOX_SECRET_KEY:.*?\}/g, '0'.repeat(64)).replaceAll(/\$\{SIGNALBOX_HTTP_PUBLIC_URL:.*?\}/g, 'http://localhost:4400').replaceAll(/\$\{.*?\}/g, 'abc123'), // prettier-ignore
      ]),
    );
    const { http, runner } = loadConfig({ env });
    // gateway/server.ts: two seconds for sockets, ten for requests; cli/run.ts: fifteen to close everything else.
    const needsMs = name.startsWith('gateway') ? http.drainMs + 12_000 : runner.graceMs + 15_000;
    assert.ok(Number.parseInt(period!, 10) * 1_000 >= needsMs, `${name}: ${period} for ${needsMs} ms`);
  }
});

test('HAProxy accepts its configuration, which names the gateways of compose where they listen', () => {
  const servers = [...read('deploy/haproxy.cfg').matchAll(/^ +server (\S+) (\S+)$/gm)].map(([, name, address]) => ({ name, address }));
  const gateways = Object.keys(services).filter((name) => name.startsWith('gateway'));
  assert.deepEqual(
    servers,
    gateways.map((name) => ({ name, address: `${name}:4400` })),
  );
  const env = { PATH: `${process.env['PATH']}:/usr/sbin` };
  const { status, stderr } = spawnSync('haproxy', ['-c', '-f', 'deploy/haproxy.cfg'], { cwd: root, env, encoding: 'utf8' });
  assert.equal(status, 0, stderr);
  const port = Number(/:(\d+)/.exec(services['haproxy']!.ports![0]!.split('}').at(-1)!)?.[1]);
  assert.match(read('deploy/haproxy.cfg'), new RegExp(`^ +bind .*:${port}\\}?"$`, 'm'));
});

test('the image gets every folder that the server imports, and nothing that only tests need', () => {
  const taken = read('.dockerignore')
    .split('\n')
    .filter((line) => line.startsWith('!'))
    .map((line) => line.slice(1));
  const imported = new Set<string>();
  for (const file of globSync('{cli,gateway,resolvers,schema,src,client,migrations}/**/*.ts', { cwd: root })) {
    for (const [, folder] of read(file).matchAll(/from '#(\w+)\//g)) imported.add(folder!);
    for (const [, path] of read(file).matchAll(/from '\.\.\/(\w+\.json)'/g)) imported.add(path!);
  }
  for (const path of [...imported, 'cli', 'migrations', 'package-lock.json']) assert.ok(taken.includes(path), path);
  for (const path of ['test', 'scripts', 'bench', 'node_modules', '.git', '.signalbox']) assert.ok(!taken.includes(path), path);
});
