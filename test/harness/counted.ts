// What rate limits have counted, kept by a trigger: the product forgets it once it has left the window.
import pg from 'pg';

export interface Counted {
  /** In order, by the counter's time; milliseconds since the epoch. */
  momentsOf(policyId: string): Promise<number[]>;
  /** Places in line that are kept. */
  places(policyId: string): Promise<number>;
  forget(): Promise<void>;
  close(): Promise<void>;
}

export async function keepCounted({ ownerUrl, tenantId }: { readonly ownerUrl: string; readonly tenantId: string }): Promise<Counted> {
  const owner = new pg.Client({ connectionString: ownerUrl });
  await owner.connect();
  await owner.query(`set app.tenant_id = '${tenantId}'`);
  await owner.query(`create table counted (policy_id uuid, key text, at timestamptz);
    create function keep_counted() returns trigger language plpgsql security definer as
      'begin insert into public.counted values (new.policy_id, new.key, new.at); return new; end';
    create trigger keep after insert or update on rate_entries for each row when (new.asked_at is null) execute function keep_counted()`);
  return {
    async momentsOf(policyId) {
      const { rows } = await owner.query<{ at: Date }>('select at from counted where policy_id = $1 order by at', [policyId]);
      return rows.map(({ at }) => at.getTime());
    },
    async places(policyId) {
      const { rowCount } = await owner.query('select from rate_entries where policy_id = $1 and asked_at is not null', [policyId]);
      return rowCount ?? 0;
    },
    forget: async () => void (await owner.query('truncate counted')),
    close: () => owner.end(),
  };
}

/** The most that any stretch of `windowMs` holds. */
export function mostWithin(moments: readonly number[], windowMs: number): number {
  let most = 0;
  for (let first = 0, last = 0; last < moments.length; last += 1) {
    while (moments[last]! - moments[first]! >= windowMs) first += 1;
    most = Math.max(most, last - first + 1);
  }
  return most;
}
