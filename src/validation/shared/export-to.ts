import type { FieldPath } from "../../diagnostics/finding.ts";
import type { Report } from "../rule.ts";
import { isLabel } from "./hosts.ts";

const PATH: FieldPath = ["exportTo"];

/** Reports namespaces of exportTo that are none, given twice, or that contradict each other. `none`: `~` is taken, alone. */
export function checkExportTo(
  exportTo: readonly string[] | undefined,
  namespace: string,
  none: "none" | "no none",
  report: Report,
): void {
  if (exportTo === undefined || exportTo.length === 0) return;
  const seen = new Set<string>();
  for (const [index, entry] of exportTo.entries()) {
    const name = entry === "." ? namespace : entry;
    if (!isNamespace(entry, none))
      report([...PATH, index], `"${entry}" is no namespace`, "Write a namespace, or . for this one, or * for all.");
    if (seen.has(name)) report([...PATH, index], `${entry} is given twice`, "Remove one of them.");
    seen.add(name);
  }
  for (const [alone, words] of ALONE)
    if (seen.has(alone) && exportTo.length > 1) report(PATH, words, `Keep "${alone}", or the namespaces.`);
}

function isNamespace(entry: string, none: "none" | "no none"): boolean {
  return entry === "." || entry === "*" || (entry === "~" && none === "none") || isLabel(entry);
}

const ALONE = [
  ["*", "* exports to every namespace: the others say nothing"],
  ["~", "~ exports to nobody: there can be no others"],
] as const;
