import type { LabelSelector } from "./shapes.ts";

type Labels = Readonly<Record<string, string>> | undefined;

/** Whether all pairs are among the labels: the plain selectors of Services. An empty selector selects nothing. */
export function hasLabels(selector: Labels, labels: Labels): boolean {
  const wanted = Object.entries(selector ?? {});
  return wanted.length > 0 && wanted.every(([key, value]) => labels?.[key] === value);
}

/** Whether a LabelSelector of apps/v1 selects the labels; unknown operators select nothing. */
export function selects(selector: LabelSelector, labels: Labels): boolean {
  const pairs = Object.entries(selector.matchLabels ?? {});
  const expressions = selector.matchExpressions ?? [];
  if (pairs.length === 0 && expressions.length === 0) return false;
  return (
    pairs.every(([key, value]) => labels?.[key] === value) &&
    expressions.every(({ key, operator, values }) => matches(labels?.[key], operator, values ?? []))
  );
}

function matches(value: string | undefined, operator: string, values: readonly string[]): boolean {
  if (operator === "In") return value !== undefined && values.includes(value);
  if (operator === "NotIn") return value === undefined || !values.includes(value);
  if (operator === "Exists") return value !== undefined;
  return operator === "DoesNotExist" && value === undefined;
}
