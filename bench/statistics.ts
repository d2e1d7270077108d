// The few figures the tables need.

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** Nearest rank: a value that was measured, not one between two. */
export function quantile(values: readonly number[], share: number): number {
  if (values.length === 0) throw new Error('no values were measured');
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(share * sorted.length) - 1))]!;
}
