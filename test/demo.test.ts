// The demo with real processes, as a person meets it: what it prints, who is asked, what can be pasted, how it ends.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { approvalText } from '../cli/demo/show.ts';
import { demo, hasTerminal, nothingLeft, type DemoRun } from './harness/demo.ts';
import { assertReported, expectedReport, recordsOf, reportFile } from './harness/demo-records.ts';

const dataDir = mkdtempSync(join(tmpdir(), 'signalbox-demo-'));
after(() => rmSync(dataDir, { recursive: true, force: true }));

const began = /^(?:started|resuming) execution ([0-9a-f-]{36})$/m;
const eventLine = /^ *(\d+) {2}\d\d:\d\d:\d\d\.\d{3} {2}([a-z_.]+) *(\S*)/gm;
const serving = /^GraphiQL: (http:\S+)$[^]*^Serving\. Ctrl-C stops/m;
/** Executions of the shared data folder that succeeded, in order. */
const done: string[] = [];

/** What a person pastes: an operation from the output, with the headers from it. */
async function paste(run: DemoRun, operation: RegExp, headers: RegExp, edit: (document: string) => string = (document) => document) {
  const url = /GraphQL is ready at (\S+)/.exec(run.output())![1]!;
  const [document] = operation.exec(run.output()) ?? assert.fail(`${String(operation)} is not in ${run.output()}`);
  const [, given] = headers.exec(run.output()) ?? assert.fail(String(headers));
  const response = await fetch(url, {
    method: 'POST',
    headers: { ...(JSON.parse(given!) as Record<string, string>), 'content-type': 'application/json' },
    body: JSON.stringify({ query: edit(document) }),
  });
  const answer = (await response.json()) as { data?: Record<string, Record<string, unknown>>; errors?: unknown };
  assert.equal(answer.errors, undefined, JSON.stringify(answer));
  return answer.data!;
}
const headersOf = (name: string) => new RegExp(`^ {2}${name} \\(.*\\) +(\\{ "Authorization": .* \\})$`, 'm');
const decideMutation = /^mutation \{\n {2}decideApproval[^]*?^\}$/m;
const decideHeaders = /^(\{ "Authorization": .* \})$/m;

test('the first run sets up, publishes, shows every event and what is signed, ends with report, GraphiQL and keys, and goes on serving', async () => {
  const run = demo(dataDir);
  await run.says(serving);
  const out = run.output();
  for (const line of [
    /^Signalbox demo {2}\(data folder .*\)$/m,
    /^ {2}first start: preparing Postgres \d+ in .*, which takes a few seconds$/m,
    /^ {2}Postgres is ready on 127\.0\.0\.1:\d+$/m,
    /^ {2}the database was brought to this version \(\d+ migrations\)$/m,
    /^ {2}tool server "files" is ready \(\d+ tools\)$/m,
    /^admin key \(shown only this once\): sbk_\S+$/m,
    /^published log-triage 1\.0\.0$/m,
    /^ {2}Approval wanted: Write the report$/m,
    /^ {2}approved by demo-reviewer \(--yes\)$/m,
  ])
    assert.match(out, line);
  const events = [...out.matchAll(eventLine)];
  assert.deepEqual(
    events.map(([, sequence]) => Number(sequence)),
    events.map((_, index) => index + 1),
  );
  assert.deepEqual([events[0]![2], events.at(-1)![2]], ['execution.queued', 'execution.succeeded']);
  assert.match(out, /^ +\d+ .* approval\.approved +sign_off +by demo-reviewer$/m);
  const content = expectedReport(dataDir).split('\n');
  const shown = [`  │ path: ${reportFile(dataDir)}`, '  │ content:', ...content.map((line) => `  │   ${line}`.trimEnd())].join('\n');
  assert.ok(out.includes(shown), shown);
  assert.ok(out.includes(`The report: ${reportFile(dataDir)}  (20 errors found; read back and compared)`));

  const details = await paste(run, /^query \{\n {2}execution[^]*?^\}$/m, headersOf('demo-operator'));
  assert.equal(details['execution']!['status'], 'SUCCEEDED');
  assert.equal((await fetch(serving.exec(run.output())![1]!)).headers.get('content-type'), 'text/html; charset=utf-8');
  const started = await paste(run, /^mutation \{\n {2}startExecution[^]*?^\}$/m, headersOf('demo-operator'));
  assert.equal((started['startExecution']!['execution'] as { status: string }).status, 'QUEUED');
  const cancel = (id: string) => `mutation { cancelExecution(input: { executionId: "${id}" }) { __typename } }`;
  const { id } = started['startExecution']!['execution'] as { id: string };
  await paste(run, /^mutation/m, headersOf('demo-operator'), () => cancel(id));
  assert.deepEqual(run.output().match(/sbk_/g)?.length, 3, 'admin, operator, reviewer');

  const end = await run.stop();
  assert.deepEqual({ code: end.code, stderr: end.stderr }, { code: 0, stderr: '' });
  assert.match(end.stdout, /\nStopping; a second Ctrl-C stops at once\.\n$/);
  await nothingLeft(dataDir);
  const [first, other] = await recordsOf(dataDir);
  done.push(first!.id);
  assert.equal(other!.status, 'cancelled');
  rmSync(dataDir, { recursive: true, force: true });
});

test('--exit ends with code 0', async () => {
  const end = await demo(dataDir, { args: ['--yes', '--exit'] }).ended;
  assert.deepEqual({ code: end.code, stderr: end.stderr }, { code: 0, stderr: '' });
  done.splice(0, done.length, began.exec(end.stdout)![1]!);
  assert.match(end.stdout, /^The report: /m);
  await nothingLeft(dataDir);
  await assertReported(dataDir, done);
});

test('without terminal and --yes it prints how to decide and waits; a run after success is a new execution; what is pasted ends it', async () => {
  const run = demo(dataDir, { args: [] });
  await run.says(/Waiting\.\n/);
  assert.match(run.output(), /There is no terminal to ask on\. Decide in GraphiQL at http:/);
  assert.doesNotMatch(run.output(), /published|admin key|migrations/);
  done.push(/^started execution (\S+)$/m.exec(run.output())![1]!);
  const wrong = await paste(run, decideMutation, decideHeaders, (text) => text.replace(/expectedDigest: "./, 'expectedDigest: "x'));
  assert.notEqual(wrong['decideApproval']!['code'], undefined, 'a digest that was not shown signs nothing');
  const decided = await paste(run, decideMutation, decideHeaders);
  assert.deepEqual(decided['decideApproval'], { approval: { status: 'APPROVED' } });
  await run.says(serving);
  assert.equal((await run.stop('SIGINT')).code, 0);
  await assertReported(dataDir, done);
});

test('two demos at once on one data folder share Postgres and the execution, and each can be stopped', async () => {
  const first = demo(dataDir, { args: [] });
  const [, id] = await first.says(began);
  await first.says(/Waiting\.\n/);
  const second = demo(dataDir);
  assert.deepEqual((await second.says(/^resuming execution (\S+)$/m))[1], id);
  await Promise.all([first.says(serving), second.says(serving)]);
  await paste(first, /^query \{\n {2}execution[^]*?^\}$/m, headersOf('demo-operator'));
  assert.equal((await second.stop()).code, 0);
  await paste(first, /^query \{\n {2}execution[^]*?^\}$/m, headersOf('demo-operator'));
  assert.equal((await first.stop()).code, 0);
  done.push(id!);
  await nothingLeft(dataDir);
  await assertReported(dataDir, done);
});

test('two demos that begin at the same moment on a new data folder do so, too', async () => {
  const fresh = mkdtempSync(join(tmpdir(), 'signalbox-demo-'));
  try {
    const runs = [demo(fresh), demo(fresh)];
    const ids = await Promise.all(runs.map(async (run) => (await run.says(began))[1]!));
    await Promise.all(runs.map((run) => run.says(serving)));
    for (const run of runs) assert.equal((await run.stop()).code, 0, run.output());
    await nothingLeft(fresh);
    await assertReported(fresh, [...new Set(ids)].sort());
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
});

test('a port that is taken is one clear sentence', async () => {
  const taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  const { port } = taken.address() as AddressInfo;
  const end = await demo(dataDir, { env: { SIGNALBOX_HTTP_PORT: String(port) } }).ended;
  taken.close();
  assert.equal(end.code, 1);
  assert.equal(
    end.stderr,
    `signalbox: listen EADDRINUSE: address already in use 127.0.0.1:${port}: stop what listens there, or change SIGNALBOX_HTTP_HOST and SIGNALBOX_HTTP_PORT\n`,
  );
  await nothingLeft(dataDir);
});

test(
  'on a terminal it asks: Ctrl-C leaves the question open, n rejects, and the report stays unwritten',
  { skip: !hasTerminal },
  async () => {
    const before = readFileSync(reportFile(dataDir), 'utf8');
    const asked = demo(dataDir, { args: [], terminal: true });
    await asked.says(/Approve as demo-reviewer\? \[y\/n\] /);
    asked.type('\x03');
    assert.equal((await asked.ended).code, 0);
    const again = demo(dataDir, { args: ['--exit'], terminal: true });
    await again.says(/resuming execution [^]*Approve as demo-reviewer\? \[y\/n\] /);
    again.type('perhaps\r');
    await again.says(/perhaps\s[^]*Approve as demo-reviewer\? \[y\/n\] /);
    again.type('n\r');
    const end = await again.ended;
    assert.equal(end.code, 0, end.stdout);
    assert.match(end.stdout, /^ {2}rejected by demo-reviewer$/m);
    assert.match(end.stdout, /^Rejected by demo-reviewer: the execution ended blocked, no report was written\.$/m);
    assert.equal(readFileSync(reportFile(dataDir), 'utf8'), before);
    await nothingLeft(dataDir);
    assert.deepEqual((await recordsOf(dataDir)).at(-1)!.status, 'blocked');
  },
);

test('on a terminal y approves; closing the terminal ends it and its Postgres', { skip: !hasTerminal }, async () => {
  const run = demo(dataDir, { args: [], terminal: true });
  await run.says(/Approve as demo-reviewer\? \[y\/n\] /);
  run.type('y\r');
  await run.says(serving);
  assert.match(run.output(), /approved by demo-reviewer\n/);
  process.kill(run.pid, 'SIGKILL'); // the terminal, not the demo
  await nothingLeft(dataDir);
});

test('an approval that somebody else decides withdraws the question', { skip: !hasTerminal }, async () => {
  const run = demo(dataDir, { args: [], terminal: true });
  await run.says(/Approve as demo-reviewer\? \[y\/n\] /);
  const other = demo(dataDir, { args: ['--yes', '--exit'] });
  assert.equal((await other.ended).code, 0);
  await run.says(serving);
  run.type('\x03');
  assert.equal((await run.ended).code, 0, run.output());
  await nothingLeft(dataDir);
});

test('what is signed is shown whole, and what could deceive the eye as its code', () => {
  const text = approvalText({
    title: 'Pay\x1b[2K',
    reason: 'because',
    risk: 'HIGH',
    digest: 'd1',
    expiresAt: '2026-11-22T00:00:00.000Z',
    arguments: { path: '/tmp/\u202Etxt.exe', content: 'one\r\n\ttwo\u200B\nthree', amounts: [1, { 'to\u0007': 'you' }] },
  });
  assert.equal(
    text,
    `
  Approval wanted: Pay<U+001B>[2K
  because Risk high; open until 2026-11-22T00:00:00.000Z.
  │ path: /tmp/<U+202E>txt.exe
  │ content:
  │   one<U+000D>
  │   <U+0009>two<U+200B>
  │   three
  │ amounts: [1,{"to\\u0007":"you"}]
  digest d1
`,
  );
});
