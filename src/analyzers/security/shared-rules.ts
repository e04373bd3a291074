import type { FieldPath } from "../../diagnostics/finding.ts";
import type { KindTypes } from "../../resources/kinds.ts";

/** The object, with its spec. */
export type AuthorizationPolicy = KindTypes["AuthorizationPolicy"];
type Rule = NonNullable<NonNullable<AuthorizationPolicy["spec"]>["rules"]>[number];

/** A list of values in a rule, whether of a source, an operation or a condition. */
export interface RuleValues {
  /** `principals`, `notPaths`, or a condition's key such as `source.principal`. */
  readonly field: string;
  readonly values: readonly string[];
  /** Whether the rule holds when none of the values does. */
  readonly negative: boolean;
  readonly path: FieldPath;
}

/** All lists of values of one rule; `at` is the rule's path. */
export function ruleValues(rule: Rule, at: FieldPath): readonly RuleValues[] {
  const lists: RuleValues[] = [];
  rule.from?.forEach(({ source }, index) => addLists(source, [...at, "from", index, "source"], lists));
  rule.to?.forEach(({ operation }, index) => addLists(operation, [...at, "to", index, "operation"], lists));
  rule.when?.forEach(({ key, values = [], notValues = [] }, index) => {
    if (values.length > 0) lists.push({ field: key, values, negative: false, path: [...at, "when", index, "values"] });
    if (notValues.length > 0)
      lists.push({ field: key, values: notValues, negative: true, path: [...at, "when", index, "notValues"] });
  });
  return lists;
}

function addLists(part: object | undefined, path: FieldPath, lists: RuleValues[]): void {
  for (const [field, values] of Object.entries((part ?? {}) as Readonly<Record<string, unknown>>))
    if (Array.isArray(values))
      lists.push({ field, values: values.map(String), negative: field.startsWith("not"), path: [...path, field] });
}

/** Rules of a policy with their paths. */
export function rulesOf({ spec }: AuthorizationPolicy): readonly { readonly rule: Rule; readonly at: FieldPath }[] {
  return (spec?.rules ?? []).map((rule, index) => ({ rule: rule ?? {}, at: ["spec", "rules", index] }));
}

/** What a policy does with requests that match. */
export function actionOf({ spec }: AuthorizationPolicy): "ALLOW" | "DENY" | "AUDIT" | "CUSTOM" {
  return spec?.action ?? "ALLOW";
}

/** Whether a rule matches every request. */
export function matchesEverything({ from = [], to = [], when = [] }: Rule): boolean {
  return from.length + to.length + when.length === 0;
}

/** Whether a policy is only tried out: it decides nothing. */
export function isDryRun({ metadata }: AuthorizationPolicy): boolean {
  return metadata.annotations?.["istio.io/dry-run"] === "true";
}
