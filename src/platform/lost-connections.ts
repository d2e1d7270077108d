// A pool forgets a connection only when its holder gives it back. Whoever holds one that dies may never do so (Kysely keeps it when
// `begin` fails), and a restart of Postgres would use up the pool for good. So a connection that dies goes back by itself.
import type pg from 'pg';

export function releaseLostConnections(pool: pg.Pool): void {
  const held = new WeakMap<pg.PoolClient, () => void>();
  pool.on('connect', (client) => {
    const lost = () => held.get(client)?.();
    client.on('error', lost);
    client.on('end', lost);
  });
  pool.on('acquire', (client) => {
    // The pool sets `release` right after this event, and its holder goes on in a later microtask.
    queueMicrotask(() => {
      const giveBack = client.release.bind(client);
      let isGivenBack = false;
      client.release = (destroy) => {
        if (isGivenBack) return;
        isGivenBack = true;
        held.delete(client);
        giveBack(destroy);
      };
      held.set(client, () => client.release(true));
    });
  });
}
