// What a receiver and the stored attempts must say of each other after faults: every effect delivered, repeated only under its own
// key, each attempt delivered and committed at most once.
import assert from 'node:assert/strict';
import type { Delivery } from './effect-receiver.ts';
import type { Engine } from './engine.ts';

export interface EffectCounts {
  readonly effects: number;
  readonly deliveries: number;
  /** Attempts that lost their process. */
  readonly abandoned: number;
}

const nameOf = ({ body }: Delivery): string => JSON.stringify([body.execution, body.step, body.item ?? null]);

/** `expected`: execution, step and item of every effect, as `nameOf` writes them. */
export async function checkEffects(engine: Engine, deliveries: readonly Delivery[], expected: readonly string[]): Promise<EffectCounts> {
  const keys = new Map<string, string>();
  for (const delivery of deliveries) {
    const name = nameOf(delivery);
    assert.ok(delivery.key, `${name} was delivered without an Idempotency-Key`);
    assert.equal(keys.get(name) ?? delivery.key, delivery.key, `${name} was delivered under two keys`);
    keys.set(name, delivery.key);
  }
  assert.equal(new Set(keys.values()).size, keys.size, 'two effects share a key');
  assert.deepEqual(
    expected.filter((name) => !keys.has(name)),
    [],
    'effects that never came',
  );
  assert.equal(keys.size, expected.length, 'effects that nobody asked for');
  const attempts = deliveries.map(({ key, attempt }) => `${key}@${attempt}`);
  assert.equal(new Set(attempts).size, attempts.length, 'an attempt was delivered twice');

  const rows = await engine.db.database.read(engine.tenantId, (uow) =>
    uow.rows<{ succeeded: number; abandoned: number; other: number }>(
      `select count(*) filter (where status = 'succeeded')::int as succeeded, count(*) filter (where status = 'abandoned')::int as abandoned,
         count(*) filter (where status not in ('succeeded', 'abandoned'))::int as other
       from attempts where tenant_id = $1 group by execution_id, step_id, item_index`,
      [engine.tenantId],
    ),
  );
  assert.equal(rows.length, expected.length, 'slots with attempts');
  for (const row of rows) assert.deepEqual([row.succeeded, row.other], [1, 0], 'each slot has one attempt that was committed');
  const abandoned = rows.reduce((sum, row) => sum + row.abandoned, 0);
  assert.ok(deliveries.length <= rows.length + abandoned, 'no more deliveries than attempts');
  return { effects: keys.size, deliveries: deliveries.length, abandoned };
}

export const effectName = (execution: string, step: string, item: number | null = null): string => JSON.stringify([execution, step, item]);
