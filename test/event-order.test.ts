// The tenant's feed keeps the order of each execution, whichever transaction began first.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createEventService } from '#src/events/event-service.ts';
import { createHints } from '#src/events/hints.ts';
import { newId } from '#src/platform/ids.ts';
import { testDatabase, type TestDatabase } from './harness/database.ts';
import { eventually } from './harness/eventually.ts';

let db: TestDatabase;
before(async () => {
  db = await testDatabase();
});
after(() => db.close());

const events = createEventService({ clock: { now: () => new Date() }, hints: createHints() });
const start = { transactionId: '0', executionId: '00000000-0000-0000-0000-000000000000', sequence: 0 };

for (const how of ['append', 'appendToEach'] as const) {
  test(`a transaction that began to write before the one it waited for comes behind it: ${how}`, async () => {
    const [tenantId, executionId] = [newId(), newId()];
    const append = (sequence: number) =>
      db.database.write(tenantId, (uow) => events.append(uow, executionId, sequence, [{ type: 'execution.started', data: {} }]));
    await append(1);
    await db.database.write(tenantId, async (early) => {
      await early.rows('select pg_current_xact_id()');
      await append(2);
      const event = { type: 'execution.waiting', data: {} } as const;
      if (how === 'append') await events.append(early, executionId, 3, [event]);
      else await events.appendToEach(early, [{ executionId, sequence: 3 }], event, new Date());
    });
    await append(4);
    // Transactions of other test files on the server hold the feed back for a moment.
    const feed = () => db.database.read(tenantId, (uow) => events.changedAfter(uow, start, 10));
    await eventually(async () => (await feed()).length >= 4);
    assert.deepEqual(
      (await feed()).map(({ position }) => position.sequence),
      [1, 2, 3, 4],
    );
  });
}
