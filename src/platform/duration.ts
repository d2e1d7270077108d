// Durations as people write them: a whole number and a unit. Pure.
const unitMs = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

export const durationPattern = /^(\d{1,12})(ms|s|m|h|d)$/;

/** Milliseconds of `"500ms"`, `"30s"`, `"15m"`, `"24h"`, `"7d"`; null for any other text. */
export function parseDuration(text: string): number | null {
  const match = durationPattern.exec(text);
  return match ? Number(match[1]) * unitMs[match[2] as keyof typeof unitMs] : null;
}
