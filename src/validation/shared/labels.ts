import type { FieldPath } from "../../diagnostics/finding.ts";
import type { LabelSelector, WorkloadSelector } from "../../gen/schema-types.ts";
import type { Report } from "../rule.ts";

const NAME = /^(?:[A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$/;
const PREFIX = /^[a-zA-Z0-9](?:[-a-zA-Z0-9]*[a-zA-Z0-9])?(?:\.[a-zA-Z0-9](?:[-a-zA-Z0-9]*[a-zA-Z0-9])?)*$/;

type Labels = Readonly<Record<string, string>>;

/** What is wrong with the key of a label, or undefined. */
function keyProblem(key: string): string | undefined {
  const slash = key.indexOf("/");
  const prefix = slash === -1 ? undefined : key.slice(0, slash);
  const name = key.slice(slash + 1);
  if (!NAME.test(name)) return `"${key}" is no key of a label`;
  if (name.length > 63) return `the name of label ${key} has more than 63 characters`;
  if (prefix === undefined) return undefined;
  if (prefix.length > 253 || !PREFIX.test(prefix)) return `the prefix of label ${key} is no DNS name`;
  return undefined;
}

/** Reports labels that Kubernetes would not take. */
export function checkLabels(labels: Labels | undefined, path: FieldPath, report: Report): void {
  if (labels === undefined) return;
  for (const [key, value] of Object.entries(labels)) {
    const problem = keyProblem(key);
    if (problem !== undefined) report([...path, key], problem, "Use letters, digits, -, _ and dots.");
    if (value !== "" && !NAME.test(value))
      report([...path, key], `"${value}" is no value of a label`, "Use letters, digits, -, _ and dots.");
  }
}

/** Reports keys that are empty and wildcards: labels are compared as they are. */
export function checkSelectorLabels(labels: Labels | undefined, path: FieldPath, report: Report): void {
  if (labels === undefined) return;
  for (const [key, value] of Object.entries(labels)) {
    if (key === "") report(path, "a label without a key", "Write the label's key.");
    if (value.includes("*") || key.includes("*"))
      report([...path, key], `labels are compared as they are, got "${key}=${value}"`, "Write the whole value.");
  }
}

/** Reports labels of `selector` that can match nothing. */
export function checkSelector(selector: LabelSelector | undefined, report: Report, field = "selector"): void {
  checkSelectorLabels(selector?.matchLabels, [field, "matchLabels"], report);
}

/** Reports labels of `workloadSelector` that can match nothing. */
export function checkWorkloadSelector(selector: WorkloadSelector | undefined, report: Report): void {
  checkSelectorLabels(selector?.labels, ["workloadSelector", "labels"], report);
}

/** Reports a selector without labels: it selects every workload of the namespace. */
export function checkSelectorEmpty(labels: Labels | undefined, path: FieldPath, report: Report): void {
  if (Object.keys(labels ?? {}).length === 0)
    report(path, "no labels: every workload of the namespace is selected", "Add labels, or leave the selector out.");
}
