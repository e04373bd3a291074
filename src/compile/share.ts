const MILLION = 1_000_000;

/** A Percent in millionths, as fine as Envoy takes it; `fallback` (millionths) where none is said. */
export function shareOf(percentage: { readonly value?: number } | undefined, fallback: number): number {
  if (percentage === undefined) return fallback;
  return Math.round(Math.min(100, Math.max(0, percentage.value ?? 0)) * (MILLION / 100));
}
