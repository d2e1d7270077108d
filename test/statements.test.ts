// How the statements of a transaction travel: writes without an answer, errors that belong to the right statement, prepared texts.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import type pg from 'pg';
import type { UnitOfWork } from '#src/platform/database.ts';
import { newId } from '#src/platform/ids.ts';
import { openTransaction } from '#src/platform/statements.ts';
import { testDatabase, type TestDatabase } from '#test/harness/database.ts';

let db: TestDatabase;
const tenantId = newId();
const insert = `insert into projects (id, tenant_id, name, created_at) values ($1, $2, $3, now())`;
const add = (uow: UnitOfWork, name: string) => uow.write(insert, [newId(), tenantId, name]);
const names = (uow: UnitOfWork) =>
  uow
    .rows<{ name: string }>('select name from projects where tenant_id = $1 order by name', [tenantId])
    .then((rows) => rows.map(({ name }) => name));
const stored = () => db.database.read(tenantId, names);

before(async () => {
  db = await testDatabase();
  await db.database.write(tenantId, async (uow) => {
    uow.write('insert into tenants (id, tenant_id, name, created_at) values ($1, $1, $2, now())', [tenantId, 'statements']);
  });
});
after(() => db.close());

describe('a write whose answer nobody needs', () => {
  it('is done before the statement after it, in the order given, and is there after the commit', async () => {
    const seen = await db.database.write(tenantId, async (uow) => {
      add(uow, 'a');
      uow.write(`update projects set name = 'b' where tenant_id = $1 and name = 'a'`, [tenantId]);
      const before = await names(uow);
      add(uow, 'c');
      return before;
    });
    assert.deepEqual(seen, ['b']);
    assert.deepEqual(await stored(), ['b', 'c']);
  });

  it('fails the transaction with its own error when it fails, whether a statement or the commit comes next', async () => {
    const taken = (uow: UnitOfWork) => {
      add(uow, 'lost');
      add(uow, 'b');
    };
    for (const next of [(uow: UnitOfWork) => names(uow), () => Promise.resolve([])]) {
      const failing = db.database.write(tenantId, (uow) => {
        taken(uow);
        return next(uow);
      });
      await assert.rejects(failing, (error: { code: string }) => error.code === '23505');
    }
    assert.deepEqual(await stored(), ['b', 'c']);
  });

  it('is not sent when the work throws before it', async () => {
    await assert.rejects(
      db.database.write(tenantId, async (uow) => {
        add(uow, 'never');
        throw new Error('changed my mind');
      }),
      /changed my mind/,
    );
    assert.deepEqual(await stored(), ['b', 'c']);
  });

  it('is refused by Postgres in a reader', async () => {
    await assert.rejects(
      db.database.read(tenantId, async (uow) => add(uow, 'read only')),
      (error: { code: string }) => error.code === '25006',
    );
  });
});

describe('a transaction', () => {
  it('is not taken for committed when the error of one of its statements was caught', async () => {
    const hints: string[] = [];
    await assert.rejects(
      db.database.write(tenantId, async (uow) => {
        add(uow, 'half');
        uow.afterCommit(() => hints.push('committed'));
        await uow.rows('select 1 / 0').catch(() => undefined);
      }),
      /nothing was committed/,
    );
    assert.deepEqual([await stored(), hints], [['b', 'c'], []]);
  });

  it('gives statements that were sent together their own answers, and the first error', async () => {
    const answers = await db.database.read(tenantId, (uow) =>
      Promise.all([1, 2, 3].map(async (n) => (await uow.rows<{ n: number }>('select $1::int as n', [n]))[0]!.n)),
    );
    assert.deepEqual(answers, [1, 2, 3]);
    const failing = db.database.read(tenantId, (uow) =>
      Promise.all([uow.rows('select 1'), uow.rows('select 1 / 0'), uow.rows('select 2')]),
    );
    await assert.rejects(failing, (error: { code: string }) => error.code === '22012');
  });

  it('with a value that cannot be sent fails with the reason, does nothing, and gives its connection back', async () => {
    const circular: Record<string, unknown> = {};
    circular['self'] = circular;
    const failing = db.database.write(tenantId, async (uow) => {
      add(uow, 'before');
      uow.write('select $1::jsonb', [circular]);
      add(uow, 'after');
      return names(uow);
    });
    await assert.rejects(failing, /circular/);
    assert.deepEqual(await stored(), ['b', 'c']);
  });

  it('that fails gives its connection back: more fail than the pool has connections, and the next one works', async () => {
    for (let n = 0; n < 25; n += 1) await assert.rejects(db.database.write(tenantId, (uow) => uow.rows('select 1 / 0')));
    assert.deepEqual(await stored(), ['b', 'c']);
  });

  it('sees no row of its tenant after another one has used the connection', async () => {
    const other = newId();
    assert.deepEqual(await db.database.read(other, (uow) => uow.rows('select name from projects')), []);
    assert.equal((await db.database.read(tenantId, (uow) => uow.rows('select name from projects'))).length, 2);
  });
});

describe('statements of one turn', () => {
  it('travel together, however many promises they come after', async () => {
    const journeys: unknown[] = [];
    const client = { query: (batch: unknown) => journeys.push(batch) } as unknown as pg.ClientBase;
    const { rows } = openTransaction(client, tenantId, { readOnly: true, isLeft: false });
    const later = async (promises: number): Promise<void> => (promises > 0 ? later(promises - 1) : undefined);
    for (const promises of [0, 1, 9]) void later(promises).then(() => rows('select 1', []));
    await setImmediate();
    assert.equal(journeys.length, 1);
  });
});

describe('a text that comes again', () => {
  const prepared = (uow: UnitOfWork, text: string) =>
    uow.rows<{ name: string }>('select name from pg_prepared_statements where statement = $1', [text]);

  it('is prepared in a writer from its sixth use on', async () => {
    const text = 'select $1::int + 61 as sum';
    const counts = await db.database.write(tenantId, async (uow) => {
      const found: number[] = [];
      for (let n = 1; n <= 8; n += 1) {
        const [row] = await uow.rows<{ sum: number }>(text, [n]);
        assert.equal(row!.sum, n + 61);
        found.push((await prepared(uow, text)).length);
      }
      return found;
    });
    assert.deepEqual(counts, [0, 0, 0, 0, 0, 1, 1, 1]);
  });

  it('is prepared in a look-up, too, which cannot write', async () => {
    const text = 'select $1::int + 64 as sum';
    for (let n = 1; n <= 8; n += 1) await db.database.lookUp(tenantId, (uow) => uow.rows(text, [n]));
    assert.equal((await db.database.read(tenantId, (uow) => prepared(uow, text))).length, 1);
    await assert.rejects(
      db.database.lookUp(tenantId, async (uow) => [await uow.rows(text, [1]), await uow.rows(text, [2])]),
      /a look-up asks for one thing/,
    );
    await assert.rejects(
      db.database.lookUp(tenantId, async (uow) => add(uow, 'looked up')),
      (error: { code: string }) => error.code === '25006',
    );
  });

  it('is planned for its values each time in a reader', async () => {
    const text = 'select $1::int + 62 as sum';
    const found = await db.database.read(tenantId, async (uow) => {
      for (let n = 1; n <= 8; n += 1) await uow.rows(text, [n]);
      return prepared(uow, text);
    });
    assert.deepEqual(found, []);
  });

  it('is prepared again where its first time was in a transaction that had failed', async () => {
    const text = 'select $1::int + 63 as sum';
    const failing = db.database.write(tenantId, async (uow) => {
      await uow.rows('select 1 / 0').catch(() => undefined);
      for (let n = 1; n <= 8; n += 1) await uow.rows(text, [n]).catch(() => undefined);
    });
    await assert.rejects(failing, /nothing was committed/);
    const [row] = await db.database.write(tenantId, (uow) => uow.rows<{ sum: number }>(text, [1]));
    assert.equal(row!.sum, 64);
  });
});
