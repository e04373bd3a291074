const UNIT_MS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};

/** Milliseconds of a duration as Kubernetes and Envoy write it: `1.5s`, `250ms`, `1h30m`, `0`; undefined when it is none. */
export function durationMs(text: string): number | undefined {
  if (text === "0") return 0;
  // one number and unit: nearly all of them
  const simple = /^(\d+)(ms|s|m|h)$/.exec(text);
  if (simple !== null) return Number(simple[1]) * (UNIT_MS[simple[2] ?? ""] ?? 0);
  if (!/^([0-9]+(\.[0-9]+)?(ns|us|µs|ms|s|m|h))+$/.test(text)) return undefined;
  let total = 0;
  for (const [, amount, unit] of text.matchAll(/([0-9.]+)([a-zµ]+)/g)) {
    total += Number(amount) * (UNIT_MS[unit ?? ""] ?? 0);
  }
  return total;
}
