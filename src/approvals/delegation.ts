// Delegations of deciding: periods, and the loops they must not form. Pure; time is passed in.

export interface Delegation {
  readonly id: string;
  readonly fromPrincipalId: string;
  readonly toPrincipalId: string;
  readonly startsAt: Date;
  readonly endsAt: Date;
}

export const maxDelegationDays = 365;

type Period = Pick<Delegation, 'startsAt' | 'endsAt'>;

const common = (a: Period, b: Period): Period | null => {
  const startsAt = a.startsAt > b.startsAt ? a.startsAt : b.startsAt;
  const endsAt = a.endsAt < b.endsAt ? a.endsAt : b.endsAt;
  return startsAt < endsAt ? { startsAt, endsAt } : null;
};

/**
 * The people of a loop that `added` would close at some moment, beginning and ending with whoever delegates; null when there is none.
 * Delegates of delegates decide, too, so any chain back to its beginning is a loop.
 */
export function loopOf(existing: readonly Delegation[], added: Omit<Delegation, 'id'>): string[] | null {
  const from = Map.groupBy(existing, ({ fromPrincipalId }) => fromPrincipalId);
  const search = (person: string, period: Period, path: readonly string[]): string[] | null => {
    for (const next of from.get(person) ?? []) {
      const both = common(period, next);
      if (!both) continue;
      if (next.toPrincipalId === added.fromPrincipalId) return [...path, next.toPrincipalId];
      // What exists has no loop; at another moment the same person may come again, which leads nowhere new.
      if (path.includes(next.toPrincipalId)) continue;
      const found = search(next.toPrincipalId, both, [...path, next.toPrincipalId]);
      if (found) return found;
    }
    return null;
  };
  return search(added.toPrincipalId, added, [added.fromPrincipalId, added.toPrincipalId]);
}
