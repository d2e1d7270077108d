// kill -9 in every phase of the demo, with real processes: the next run goes on with the same execution, and nothing is done twice.
// `npm run test:kills` kills at every event and around every commit, not only at the sample below.
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { createSignalboxClient } from '#client/index.ts';
import { demo, nothingLeft, onlyPostgresLeft, type DemoRun, type Ended } from './harness/demo.ts';
import type { KillPoint } from './harness/demo-kill.ts';
import { assertReported, expectedReport, reportFile } from './harness/demo-records.ts';
import { eventually } from './harness/eventually.ts';

const everything = process.env['SIGNALBOX_TEST_KILLS'] === 'all';
const began = /^(started|resuming) execution ([0-9a-f-]{36})$/m;
const eventAt = (sequence: number) => new RegExp(`^ *${sequence} {2}\\d\\d:\\d\\d:`, 'm');
const lastEvent = 39;

class Folder {
  readonly path = mkdtempSync(join(tmpdir(), 'signalbox-kills-'));
  /** Its executions, in order. */
  readonly executions: string[] = [];

  /** Forgets the report, so that it is seen to be written. */
  run(args: readonly string[] = ['--yes', '--exit'], killAt?: KillPoint): DemoRun {
    rmSync(reportFile(this.path), { force: true });
    return demo(this.path, { args, killAt });
  }

  /** A run that kills itself there; null when it ended without having come there. */
  async killedAt(point: KillPoint): Promise<Ended | null> {
    const end = await this.run(undefined, point).ended;
    await onlyPostgresLeft(this.path);
    if (end.code !== 0) assert.equal(end.signal, 'SIGKILL', end.stdout + end.stderr);
    this.note(end);
    return end.code === 0 ? null : end;
  }

  /** The run after a kill: it ends, and goes on with what was begun. A kill that waits for a line comes a little later; the end may have been shown. */
  async goOn(killed: Ended): Promise<'started' | 'resuming'> {
    this.note(killed);
    const end = await demo(this.path, { args: ['--yes', '--exit'] }).ended;
    const story = `${killed.stdout}--- killed; the next run:\n${end.stdout}${end.stderr}`;
    assert.equal(end.code, 0, story);
    assert.equal(readFileSync(reportFile(this.path), 'utf8'), expectedReport(this.path), story);
    this.note(end);
    const how = began.exec(end.stdout)![1] as 'started' | 'resuming';
    if (began.test(killed.stdout) && !/^The report: /m.test(killed.stdout)) assert.equal(how, 'resuming', story);
    return how;
  }

  note({ stdout }: { stdout: string }): void {
    const id = began.exec(stdout)?.[2];
    if (id !== undefined && this.executions.at(-1) !== id) this.executions.push(id);
  }

  /** No execution besides those that were printed, each done once. */
  async check(): Promise<void> {
    await nothingLeft(this.path);
    await assertReported(this.path, this.executions);
  }
}

const used = new Folder();
after(() => rmSync(used.path, { recursive: true, force: true }));

test('killed at every moment of its first start, it sets up what is missing, and shows the admin key until it was seen', async () => {
  const folder = new Folder();
  const keys = new Set<string>();
  const note = ({ stdout }: Ended) => {
    const key = /^admin key \(shown only this once\): (\S+)$/m.exec(stdout)?.[1];
    if (key) keys.add(key);
    folder.note({ stdout });
  };
  const killAt = async (...points: readonly (KillPoint & { readonly isSampled?: false })[]) => {
    for (const { isSampled, ...point } of points) {
      if (!everything && isSampled === false) continue;
      note((await folder.killedAt(point)) ?? assert.fail(`not reached: ${JSON.stringify(point)}`));
    }
  };
  try {
    note(await folder.run().killWhen(/^ {2}first start: preparing Postgres/m));
    const starting = folder.run();
    await eventually(
      () => existsSync(join(folder.path, 'postgres', 'data', 'postmaster.pid')),
      () => 'Postgres does not start',
      60_000,
    );
    note(await starting.kill());
    if (everything) note(await folder.run().killWhen(/^ {2}Postgres is ready/m));
    await killAt(
      { sql: 'create table "runners"', when: 'after' },
      { sql: 'revoke all on runners', when: 'before', isSampled: false },
      { sql: 'insert into tenants', when: 'after', isSampled: false },
      { sql: 'insert into tenants', when: 'committed' },
    );
    if (everything) note(await folder.run().killWhen(/^ {2}tool server "files" is ready/m));
    note(await folder.run().killWhen(/^admin key/m));
    await killAt(
      { sql: 'insert into api_keys', nth: 2, when: 'after' },
      { sql: 'insert into projects', when: 'committed', isSampled: false },
      { sql: 'insert into agent_versions', when: 'after', isSampled: false },
    );
    if (everything) note(await folder.run().killWhen(/^published log-triage/m));
    const unheard = (await folder.killedAt({ sql: 'insert into executions', when: 'after' })) ?? assert.fail('not started');
    note(unheard);
    assert.equal(folder.executions.length, 0);

    const [key, ...others] = keys;
    assert.deepEqual(others, [], 'one first key');
    const last = folder.run(['--yes']);
    await last.says(/^Serving\./m);
    const [, url] = /GraphQL is ready at (\S+)/.exec(last.output())!;
    const client = createSignalboxClient({ url: url!, apiKey: key! });
    assert.equal((await client.viewer()).principal?.name, 'admin');
    await client.close();
    note(await last.stop());
    await folder.check();
  } finally {
    rmSync(folder.path, { recursive: true, force: true });
  }
});

const rarer: readonly KillPoint[] = [
  { tool: 'read_text_file', nth: 3, when: 'before' },
  { sql: 'update approvals set status = \\$3', when: 'after' },
  { sql: 'update approvals set consumed_at', when: 'committed' },
];
for (const point of [
  { sql: 'insert into executions', when: 'committed' } as const,
  ...(everything ? rarer : []),
  { sql: 'update approvals set status = \\$3', when: 'committed' },
  { tool: 'write_file', when: 'before' },
  { tool: 'write_file', when: 'after' },
] satisfies KillPoint[]) {
  const name = 'sql' in point ? `${point.when} "${point.sql}"` : `${point.when} the call of ${point.tool}`;
  test(`killed ${name}, it goes on with the same execution`, async () => {
    const file = reportFile(used.path);
    const killed =
      (await used.killedAt('tool' in point && point.when === 'after' ? { ...point, file } : point)) ?? assert.fail('not reached');
    if ('tool' in point && point.tool === 'write_file') assert.equal(existsSync(file), point.when === 'after');
    assert.equal(await used.goOn(killed), 'resuming');
  });
}

test('killed while it waits for the approval, it asks again', async () => {
  const killed = await used.run([]).killWhen(/Waiting\.\n/);
  assert.equal(await used.goOn(killed), 'resuming');
});

const sequences = Array.from({ length: lastEvent }, (_, index) => index + 1);
for (const sequence of everything ? sequences : [36]) {
  test(`killed at event ${sequence}, it ends with one report`, async () => {
    const killed = await used.run(['--yes']).killWhen(eventAt(sequence));
    await used.goOn(killed);
  });
}

test('killed again and again, at each news, it comes to its end', async () => {
  const step = everything ? 1 : 14;
  let first: string | undefined;
  for (let from = 1; from < lastEvent;) {
    const killed = await (from === 1 ? used.run(['--yes']) : demo(used.path)).killWhen(eventAt(from));
    used.note(killed);
    first ??= began.exec(killed.stdout)![2];
    assert.equal(began.exec(killed.stdout)![2], first);
    from = Math.max(...[...killed.stdout.matchAll(/^ *(\d+) {2}\d\d:\d\d:/gm)].map(([, sequence]) => Number(sequence))) + step;
  }
  const last = await demo(used.path, { args: ['--yes', '--exit'] }).ended;
  assert.equal(last.code, 0, last.stdout);
  used.note(last);
});

if (everything) {
  for (const when of ['before', 'after'] as const) {
    test(`killed ${when} each commit, it ends with one report`, async (t) => {
      for (let nth = 1; ; nth += 1) {
        const killed = await used.killedAt({ sql: '^commit', nth, when });
        t.diagnostic(`commit ${nth}: ${killed ? 'killed' : 'not reached'}`);
        if (!killed) break;
        await used.goOn(killed);
      }
    });
  }
}

test('of all these executions each was done once, and none was started besides', () => used.check());
