// `signalbox policies` against a real gateway: a folder is tested, checked whole, applied, listed.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, mock, test } from 'node:test';
import { OperatorError } from '#src/platform/errors.ts';
import { applyFolder } from '../cli/policies/apply.ts';
import { listFolder, listStored } from '../cli/policies/list.ts';
import { testFolder } from '../cli/policies/test.ts';
import { testServer, type TestServer } from './harness/graphql.ts';

let server: TestServer;
const folder = mkdtempSync(join(tmpdir(), 'signalbox-policies-'));
before(async () => {
  server = await testServer();
});
after(async () => {
  await server.close();
  rmSync(folder, { recursive: true, force: true });
});

const put = (name: string, text: string) => writeFileSync(join(folder, name), text);

interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}
const shown = ({ code, stdout, stderr }: Outcome): Outcome => ({
  code,
  stdout: stdout.replaceAll(folder, '.'),
  stderr: stderr.replaceAll(folder, '.'),
});

/** What the command does, without the seconds that a process takes to start. */
async function policies([command, path, option]: readonly string[], apiKey: string | undefined = server.people.operator.adminKey) {
  const lines: string[] = [];
  const log = mock.method(console, 'log', (line: string) => void lines.push(`${line}\n`));
  const client = { url: server.url, apiKey };
  try {
    await (command === 'list'
      ? path === undefined
        ? listStored(client)
        : listFolder(path)
      : command === 'test'
        ? testFolder(path!)
        : applyFolder(client, path!, { dryRun: option === '--dry-run' }));
    return shown({ code: 0, stdout: lines.join(''), stderr: '' });
  } catch (error) {
    assert.ok(error instanceof OperatorError, String(error));
    return shown({ code: 1, stdout: lines.join(''), stderr: `signalbox: ${error.message}\n` });
  } finally {
    log.mock.restore();
  }
}

/** The command as a process. */
async function signalbox(args: readonly string[], more: Record<string, string> = {}): Promise<Outcome> {
  const child = spawn(process.execPath, ['cli/signalbox.ts', 'policies', ...args], {
    cwd: join(import.meta.dirname, '..'),
    env: { PATH: process.env['PATH'], NO_COLOR: '1', SIGNALBOX_URL: server.url, ...more },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (chunk) => (stdout += String(chunk)));
  child.stderr.on('data', (chunk) => (stderr += String(chunk)));
  const [code] = (await once(child, 'close')) as [number];
  return shown({ code, stdout, stderr });
}

const ban = (rest = '') => `name: no-deletions
kind: tool_access
${rest}rules:
  - effect: deny
    tools: ['*.delete_*']
`;
const night = 'name: night\nkind: time_window\nrules: { timezone: Europe/Zurich, windows: [{ from: "08:00", to: "18:00" }] }\n';

test('cases are run without a server; one that does not hold ends it with code 1 and says what differs', async () => {
  put('ban.yaml', ban());
  put('ban.cases.json', JSON.stringify([{ name: 'deletions are refused', request: { tool: 'db.delete_rows' }, expect: { effect: 'deny' } }])); // prettier-ignore
  put('other.yml', ban().replace('no-deletions', 'other'));
  const good = await policies(['test', folder]);
  assert.deepEqual(good, {
    code: 0,
    stdout: '- ./other.yml: no cases\n✔ ./ban.yaml: deletions are refused\n1 case holds\n',
    stderr: '',
  });
  put(
    'ban.cases.json',
    JSON.stringify([{ name: 'reading too', request: { tool: 'db.select' }, expect: { effect: 'deny', reason: 'no' } }]),
  );
  const bad = await policies(['test', folder]);
  assert.equal(bad.code, 1);
  assert.match(bad.stdout, /✖ \.\/ban\.yaml: reading too\n {4}the effect is "allow", not "deny" \(No policy in scope refuses this/);
  assert.equal(bad.stderr, 'signalbox: 1 of 1 cases does not hold\n');
  put('ban.cases.json', JSON.stringify([{ name: 'x', request: { tol: 'a.b' }, expect: { effect: 'refuse' } }]));
  const wrong = await policies(['test', folder]);
  assert.match(wrong.stderr, /2 problems:\n {2}\.\/ban\.cases\.json \[0\]\.request\.tol: unknown key.*\n {2}\.\/ban\.cases\.json \[0\]\.expect\.effect: /); // prettier-ignore
});

test('apply checks every file first, with line and column, and writes nothing when one is wrong', async () => {
  put('ban.yaml', ban('mode: loud\n'));
  put('other.yml', ban('scope: { project: moon }\n').replace('no-deletions', 'other'));
  const local = await policies(['apply', folder]);
  assert.deepEqual([local.code, local.stdout], [1, '']);
  assert.match(
    local.stderr,
    /^signalbox: a problem:\n {2}\.\/ban\.yaml:3:7 mode: expected one of "observe"\|"inject"\|"enforce", got "loud"\n$/,
  );
  put('ban.yaml', ban());
  const remote = await policies(['apply', folder]);
  assert.deepEqual([remote.code, remote.stdout], [1, '']);
  assert.match(remote.stderr, /\.\/other\.yml:3:19 scope\.project: there is no project "moon", or it is not visible to you/);
  put('other.yml', ban());
  assert.match((await policies(['apply', folder])).stderr, /ban\.yaml and \.\/other\.yml are both named "no-deletions"/);
  assert.match((await policies(['list'])).stdout, /^NAME +KIND +MODE +PRIORITY +VERSION +WHERE\n$/);
});

test('apply creates, then leaves alone, then changes by name; a dry run only says so; the list shows it', async () => {
  put('other.yml', night);
  const dry = await policies(['apply', folder, '--dry-run']);
  assert.deepEqual([dry.code, dry.stdout, dry.stderr], [0, 'no-deletions: would be created\nnight: would be created\n', '']);
  const first = await policies(['apply', folder]);
  assert.equal(first.stdout, 'no-deletions: created (version 1)\nnight: created (version 1)\n', first.stderr);
  put('ban.yaml', ban('mode: observe\npriority: 7\nattachments: [{ scope: { tag: ops }, mode: enforce }]\n'));
  const change = 'mode enforce → observe, priority 100 → 7, attachments';
  const dryAgain = await policies(['apply', folder, '--dry-run']);
  assert.equal(dryAgain.stdout, `no-deletions: would be changed: ${change}\nnight: unchanged\n`);
  const second = await policies(['apply', folder]);
  assert.equal(second.stdout, `no-deletions: changed: ${change} (version 2)\nnight: unchanged (version 1)\n`);
  const list = await policies(['list']);
  assert.deepEqual(
    list.stdout.split('\n').map((line) => line.split(/ {2,}/)),
    [
      ['NAME', 'KIND', 'MODE', 'PRIORITY', 'VERSION', 'WHERE'],
      ['no-deletions', 'tool_access', 'observe', '7', '2', 'tenant and 1 more'],
      ['night', 'time_window', 'enforce', '100', '1', 'tenant'],
      [''],
    ],
  );
  put(
    'ban.yaml',
    ban('mode: observe\npriority: 7\nscope: { project: shop, tool: db.* }\nattachments: [{ scope: { tag: ops }, mode: enforce }]\n'),
  );
  const documents = await policies(['list', folder]);
  assert.deepEqual(
    documents.stdout.split('\n').map((line) => line.split(/ {2,}/)),
    [
      ['NAME', 'KIND', 'MODE', 'PRIORITY', 'WHERE', 'FILE'],
      ['no-deletions', 'tool_access', 'observe', '7', 'project shop, tool db.* and 1 more', './ban.yaml'],
      ['night', 'time_window', 'enforce', '100', 'tenant', './other.yml'],
      [''],
    ],
  );
  put('ban.yaml', ban('mode: observe\npriority: 7\nattachments: [{ scope: { tag: ops }, mode: enforce }]\n'));
});

test('as a process: it ends with code 0, or with code 1 and a sentence that says what to do', async () => {
  const [listed, good, nowhere, keyless, stranger] = await Promise.all([
    signalbox(['list', folder]),
    signalbox(['apply', folder, '--dry-run'], { SIGNALBOX_API_KEY: server.people.operator.adminKey }),
    signalbox(['test', join(folder, 'nowhere')]),
    signalbox(['list']),
    signalbox(['list'], { SIGNALBOX_API_KEY: 'sbk_nonsense' }),
  ]);
  assert.deepEqual(good, { code: 0, stdout: 'no-deletions: unchanged\nnight: unchanged\n', stderr: '' });
  assert.deepEqual([listed.code, listed.stdout.split('\n').length], [0, 4], listed.stderr);
  assert.deepEqual([nowhere.code, keyless.code, stranger.code], [1, 1, 1]);
  assert.match(nowhere.stderr, /^signalbox: \.\/nowhere cannot be read \(ENOENT\): name a folder of policy documents\n$/);
  assert.match(keyless.stderr, /^signalbox: SIGNALBOX_API_KEY is not set/);
  assert.match(stranger.stderr, /^signalbox: UNAUTHENTICATED: /);
});
