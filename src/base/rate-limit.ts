/** How often something may happen: `burst` times at once, `perSecond` times a second in the long run. */
export interface Rate {
  readonly burst: number;
  readonly perSecond: number;
}

/** Counts per client. */
export interface RateLimit {
  /** Whether this client may once more; if so, it has. */
  take(client: string): boolean;
}

/** Clients that are remembered. Of more, those that were seen longest ago are forgotten and start anew. */
const CLIENTS = 20_000;

/** A token bucket for each client, in memory that does not grow with their number. `now` is in milliseconds. */
export function createRateLimit({ burst, perSecond }: Rate, now: () => number = () => performance.now()): RateLimit {
  const buckets = new Map<string, { readonly left: number; readonly at: number }>();
  return {
    take(client) {
      const at = now();
      const before = buckets.get(client) ?? { left: burst, at };
      const left = Math.min(burst, before.left + ((at - before.at) / 1000) * perSecond);
      // set anew at the end: the order of the map is that of last use
      buckets.delete(client);
      buckets.set(client, { left: left < 1 ? left : left - 1, at });
      if (buckets.size > CLIENTS) for (const [oldest] of buckets) if (buckets.delete(oldest)) break;
      return left >= 1;
    },
  };
}
