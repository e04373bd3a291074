/** How many values were at most `le`; the last bucket's `le` is Infinity. Cumulative, as Prometheus has them, sorted by `le`. */
export interface Bucket {
  readonly le: number;
  readonly count: number;
}

/**
 * The value below which a share of all lies, as Prometheus' histogram_quantile has it: evenly spread within its bucket. The upper
 * bound of the last finite bucket for what lies beyond it; undefined where nothing was counted.
 */
export function percentile(buckets: readonly Bucket[], share: number): number | undefined {
  const total = buckets.at(-1)?.count ?? 0;
  if (total <= 0) return undefined;
  const rank = share * total;
  const at = buckets.findIndex(({ count }) => count >= rank);
  const { le, count } = buckets[at] ?? { le: Number.POSITIVE_INFINITY, count: total };
  const below = buckets[at - 1] ?? { le: 0, count: 0 };
  if (le === Number.POSITIVE_INFINITY) return below.le;
  return count === below.count ? le : below.le + ((le - below.le) * (rank - below.count)) / (count - below.count);
}

/** Buckets of two histograms as one; the bounds of a mesh's proxies are the same. */
export function addBuckets(one: readonly Bucket[], other: readonly Bucket[]): readonly Bucket[] {
  if (one.length === 0) return other;
  if (other.length === 0) return one;
  const bounds = [...new Set([...one, ...other].map(({ le }) => le))].toSorted((a, b) => a - b);
  return bounds.map((le) => ({ le, count: countUpTo(one, le) + countUpTo(other, le) }));
}

/** What was counted since `before`; a histogram that began anew counts whole. */
export function subtractBuckets(now: readonly Bucket[], before: readonly Bucket[]): readonly Bucket[] {
  const rows = now.map(({ le, count }) => ({ le, count: count - countUpTo(before, le) }));
  return rows.some(({ count }) => count < 0) ? now : rows;
}

function countUpTo(buckets: readonly Bucket[], bound: number): number {
  let count = 0;
  for (const bucket of buckets) if (bucket.le <= bound) count = bucket.count;
  return count;
}
