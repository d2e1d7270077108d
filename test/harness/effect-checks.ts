// What a receiver and the stored attempts must say of each other after faults: every effect delivered, repeated only under its own
// key and at most once for each attempt, each attempt delivered and committed at most once.
import assert from 'node:assert/strict';
import type { Delivery } from './effect-receiver.ts';
import type { TestDatabase } from './database.ts';

/** An effect that has to come: `execution` is what its deliveries name themselves after. */
export interface ExpectedEffect {
  readonly executionId: string;
  readonly execution: string;
  readonly step: string;
  readonly item: number | null;
}

export interface EffectCounts {
  readonly effects: number;
  readonly deliveries: number;
  /** Attempts that lost their process. */
  readonly abandoned: number;
}

const nameOf = (execution: string, step: string, item: number | null | undefined): string =>
  JSON.stringify([execution, step, item ?? null]);

export async function checkEffects(
  engine: { readonly db: Pick<TestDatabase, 'database'>; readonly tenantId: string },
  deliveries: readonly Delivery[],
  expected: readonly ExpectedEffect[],
): Promise<EffectCounts> {
  const keys = new Map<string, string>();
  const count = new Map<string, number>();
  for (const { key, body } of deliveries) {
    const name = nameOf(body.execution, body.step, body.item);
    assert.ok(key, `${name} was delivered without an Idempotency-Key`);
    assert.equal(keys.get(name) ?? key, key, `${name} was delivered under two keys`);
    keys.set(name, key);
    count.set(name, (count.get(name) ?? 0) + 1);
  }
  assert.equal(new Set(keys.values()).size, keys.size, 'two effects share a key');
  const named = deliveries.filter(({ attempt }) => attempt !== null).map(({ key, attempt }) => `${key}@${attempt}`);
  assert.equal(new Set(named).size, named.length, 'an attempt was delivered twice');

  const rows = await engine.db.database.read(engine.tenantId, (uow) =>
    uow.rows<{ slot: string; succeeded: number; abandoned: number; all: number }>(
      `select execution_id || ' ' || step_id || ' ' || item_index as slot, count(*)::int as all,
         count(*) filter (where status = 'succeeded')::int as succeeded, count(*) filter (where status = 'abandoned')::int as abandoned
       from attempts where tenant_id = $1 group by 1`,
      [engine.tenantId],
    ),
  );
  const attempts = new Map(rows.map((row) => [row.slot, row]));
  for (const { executionId, execution, step, item } of expected) {
    const name = nameOf(execution, step, item);
    const delivered = count.get(name) ?? 0;
    assert.ok(delivered > 0, `${name} never came`);
    const of = attempts.get(`${executionId} ${step} ${item ?? -1}`);
    assert.equal(of?.succeeded, 1, `${name} has not one attempt that was committed`);
    assert.equal(of.all, of.succeeded + of.abandoned, `${name} failed`);
    assert.ok(delivered <= of.all, `${name} was delivered ${delivered} times by ${of.all} attempts`);
  }
  assert.equal(keys.size, expected.length, 'effects that nobody asked for');
  assert.equal(rows.length, expected.length, 'attempts of something else');
  return { effects: keys.size, deliveries: deliveries.length, abandoned: rows.reduce((sum, row) => sum + row.abandoned, 0) };
}
