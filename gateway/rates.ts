// Token buckets: so much at once, so much per second after that. In memory, so that nobody waits for them; what other gateways let
// through is taken from the buckets here as soon as it is heard of, and only then.
import type { Clock } from '#src/platform/clock.ts';

export interface RateSettings {
  readonly perSecond: number;
  readonly burst: number;
  readonly clock: Clock;
  /** Buckets kept; the one that was not used for longest is forgotten, which fills it. */
  readonly maxBuckets?: number;
}

export interface Rates {
  /** Takes one. 0, or when there is none: the milliseconds until there is. */
  take(key: string): number;
  /** As `take`, without taking. */
  wait(key: string): number;
  /** What has happened already, here or elsewhere: may leave a debt, of at most a whole bucket. */
  drain(key: string, tokens: number): void;
}

interface Bucket {
  tokens: number;
  /** When `tokens` was right; milliseconds. */
  at: number;
}

export function createRates({ perSecond, burst, clock, maxBuckets = 100_000 }: RateSettings): Rates {
  const buckets = new Map<string, Bucket>();

  function bucketOf(key: string): Bucket {
    const now = clock.now().getTime();
    const bucket = buckets.get(key) ?? { tokens: burst, at: now };
    // A clock that was put back gives nothing, and takes nothing away.
    bucket.tokens = Math.min(burst, bucket.tokens + (Math.max(0, now - bucket.at) * perSecond) / 1_000);
    bucket.at = now;
    buckets.delete(key); // the last one in the order of use
    buckets.set(key, bucket);
    if (buckets.size > maxBuckets) buckets.delete(buckets.keys().next().value!);
    return bucket;
  }

  const waitOf = ({ tokens }: Bucket): number => (tokens >= 1 ? 0 : Math.ceil(((1 - tokens) * 1_000) / perSecond));

  return {
    take(key) {
      const bucket = bucketOf(key);
      const wait = waitOf(bucket);
      if (wait === 0) bucket.tokens -= 1;
      return wait;
    },
    wait: (key) => waitOf(bucketOf(key)),
    drain(key, tokens) {
      const bucket = bucketOf(key);
      bucket.tokens = Math.max(-burst, bucket.tokens - tokens);
    },
  };
}
