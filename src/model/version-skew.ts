/** Numbers of a version such as `v1.36.3-k3s1` or `0.2.0`; undefined when it is none. */
function numbersOf(text: string): readonly [major: number, minor: number, patch: number] | undefined {
  const parts = /^[^\d]*(\d+)\.(\d+)(?:\.(\d+))?/.exec(text);
  return parts === null ? undefined : [Number(parts[1]), Number(parts[2]), Number(parts[3] ?? 0)];
}

/**
 * Why an installation of one version cannot be upgraded to another: `problem` is undefined when it can. Upgrades go from one minor
 * version to the next, as Istio supports them; not back, for objects may hold what the older version does not know. Undefined when
 * one of the two is no version that can be compared.
 */
export function upgradeStep(from: string, to: string): { readonly problem: string | undefined } | undefined {
  const [before, after] = [numbersOf(from), numbersOf(to)];
  if (before === undefined || after === undefined) return undefined;
  return { problem: problemOf(from, to, { before, after }) };
}

type Numbers = readonly [number, number, number];

function problemOf(
  from: string,
  to: string,
  { before, after }: { readonly before: Numbers; readonly after: Numbers },
): string | undefined {
  if (before[0] !== after[0]) return `${from} is another major version than ${to}`;
  const minors = after[1] - before[1];
  if (minors < 0 || (minors === 0 && before[2] > after[2])) return `${from} is newer than ${to}`;
  return minors > 1 ? `${from} is ${minors} minor versions behind ${to}` : undefined;
}
