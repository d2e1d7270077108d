// The shared live stream (Topic) under any interleaving of what can happen to it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import { List, quiet, Watcher } from './harness/growing-list.ts';

type Command =
  | { do: 'append'; count: number; wake: boolean }
  | { do: 'join'; back: number; runs: boolean }
  | { do: 'leave'; who: number }
  | { do: 'take'; who: number }
  | { do: 'release'; which: number }
  | { do: 'skip'; count: number }
  | { do: 'wake' }
  | { do: 'fail' };

/** Rows come up to `rows` at a time; watchers begin up to `back` places before the end. */
function scripts({ rows, back, length }: { rows: number; back: number; length: number }): fc.Arbitrary<Command[]> {
  const places = (max: number) =>
    fc.oneof({ weight: 3, arbitrary: fc.integer({ min: 0, max: Math.min(max, 6) }) }, fc.integer({ min: 0, max }));
  const command = fc.oneof(
    { weight: 5, arbitrary: fc.record({ do: fc.constant('append' as const), count: places(rows), wake: fc.boolean() }) },
    { weight: 3, arbitrary: fc.record({ do: fc.constant('join' as const), back: places(back), runs: fc.boolean() }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('skip' as const), count: places(Math.min(rows, 20)) }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('leave' as const, 'take' as const), who: fc.nat() }) },
    { weight: 8, arbitrary: fc.record({ do: fc.constant('release' as const), which: fc.nat() }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('wake' as const, 'fail' as const) }) },
  );
  return fc.array(command, { minLength: 3, maxLength: length, size: 'max' });
}

const sizes = {
  'many rows: pages, and queues that overflow': { runs: 200, commands: scripts({ rows: 900, back: 2_000, length: 60 }) },
  'few rows: who joins, leaves and reads at the same moment': { runs: 1_500, commands: scripts({ rows: 3, back: 4, length: 12 }) },
};

for (const [name, { runs, commands }] of Object.entries(sizes)) {
  test(`whatever happens in whatever order: no gap, no duplicate, in order, and an end to reading (${name})`, async () => {
    await fc.assert(
      fc.asyncProperty(commands, fc.boolean(), async (script: Command[], seenAtStart) => {
        const list = new List();
        Object.assign(list, { hold: true, seenAtStart });
        const watchers: { watcher: Watcher; left: boolean }[] = [];
        for (const command of script) {
          if (command.do === 'append' && command.wake) list.append(command.count);
          else if (command.do === 'append') list.length += command.count;
          else if (command.do === 'skip') list.skip(command.count);
          else if (command.do === 'wake') void list.topic.wake().catch(() => undefined);
          else if (command.do === 'fail') list.failures += 1;
          else if (command.do === 'release') list.release(command.which);
          else if (command.do === 'join') {
            const watcher = new Watcher(list, Math.max(list.length - command.back, 0));
            watchers.push({ watcher, left: false });
            if (command.runs) void watcher.run();
            else void watcher.take();
          } else if (watchers.length > 0) {
            const chosen = watchers[command.who % watchers.length]!;
            if (command.do === 'take') void chosen.watcher.take();
            else {
              chosen.left = true;
              chosen.watcher.leave();
            }
          }
          await turn();
          for (const { watcher } of watchers) watcher.check();
        }
        list.failures = 0;
        for (const { watcher } of watchers) void watcher.run();
        await quiet(list);
        void list.topic.wake(); // the poll
        await quiet(list);
        for (const { watcher, left } of watchers) {
          watcher.check();
          if (!left && !watcher.error) assert.deepEqual(watcher.rows, list.rows(watcher.from));
          watcher.leave();
        }
        await quiet(list);
        assert.ok(list.reads.length < 2_000, 'nobody reads on and on');
        assert.deepEqual([list.topic.isIdle, list.topic.head], [true, null]);
        for (const { watcher } of watchers) assert.deepEqual([watcher.ended, watcher.listeners], [true, 0]);
      }),
      { numRuns: runs },
    );
  });
}
