import type { FieldPath } from "../../diagnostics/finding.ts";
import type { Report } from "../rule.ts";
import { isAddress } from "./addresses.ts";

const LABEL = /^[a-zA-Z0-9](?:[-a-zA-Z0-9]*[a-zA-Z0-9])?$/;
/** Names without a wildcard that are right whatever is asked: each label at most 63, the last one begins with a letter. */
const PLAIN = /^(?:[a-zA-Z0-9](?:[-a-zA-Z0-9]{0,61}[a-zA-Z0-9])?\.)*[a-zA-Z](?:[-a-zA-Z0-9]{0,61}[a-zA-Z0-9])?$/;
const FIRST_LABEL = /^(?:\*|(?:\*-?)?[a-zA-Z0-9](?:[-a-zA-Z0-9]*[a-zA-Z0-9])?)$/;

/** True for a DNS label: letters, digits and `-` inside, at most 63. Names of ports, subsets and namespaces are such. */
export function isLabel(text: string): boolean {
  return text.length <= 63 && LABEL.test(text);
}

/**
 * What is wrong with a DNS name, or undefined. `wildcard`: the first label may be or start with `*`. A dot at the end is
 * taken; a last label of digits alone is not, it would read as an address.
 */
export function nameProblem(name: string, wildcard: "wildcard" | "no wildcard"): string | undefined {
  // nearly every name is one of these, and each object has some
  if (name.length <= 255 && PLAIN.test(name)) return undefined;
  if (name === "") return "an empty name";
  if (name.length > 255) return "more than 255 characters";
  const labels = name.split(".");
  if (labels.length > 1 && labels.at(-1) === "") labels.pop();
  for (const [index, label] of labels.entries()) {
    const form = index === 0 && wildcard === "wildcard" ? FIRST_LABEL : LABEL;
    if (label.length > 63 || !form.test(label)) return labelWords(label, index, wildcard);
  }
  return numberProblem(labels, name.endsWith("."), wildcard);
}

function numberProblem(labels: readonly string[], isClosed: boolean, wildcard: string): string | undefined {
  const top = labels.at(-1) ?? "";
  const isChecked = !isClosed && (labels.length > 1 || wildcard === "no wildcard");
  return isChecked && /^\d+$/.test(top) ? `the last label "${top}" is a number` : undefined;
}

function labelWords(label: string, index: number, wildcard: "wildcard" | "no wildcard"): string {
  if (!label.includes("*")) return `"${label}" is no DNS label`;
  if (wildcard === "no wildcard") return "no wildcard is taken here";
  return index === 0 ? "a wildcard that is not at the start" : "a wildcard that is not in the first label";
}

/** Reports what is no DNS name or wildcard. `address`: an IP address is taken too. */
export function checkHost(
  host: string,
  path: FieldPath,
  report: Report,
  address: "address" | "no address" = "no address",
): boolean {
  const problem = nameProblem(host, "wildcard");
  if (problem === undefined || (address === "address" && isAddress(host))) return true;
  report(path, `"${host}" is no host: ${problem}`, "Write a DNS name.");
  return false;
}

/** Reports hosts that start with `*` and more, such as `*foo.com`: proxies match whole labels. */
export function isPartialWildcard(host: string): boolean {
  return host.length > 1 && host.startsWith("*") && !host.startsWith("*.");
}

/** Reports names of gateways that are neither NAMESPACE/NAME nor a name. */
export function checkGatewayNames(names: readonly string[] | undefined, path: FieldPath, report: Report): void {
  for (const [index, name] of (names ?? []).entries()) {
    const slash = name.indexOf("/");
    if (slash === -1) {
      const problem = nameProblem(name, "no wildcard");
      if (problem !== undefined)
        report([...path, index], `"${name}" names no gateway: ${problem}`, "Write NAMESPACE/NAME.");
      continue;
    }
    if (!isLabel(name.slice(0, slash)) || !isLabel(name.slice(slash + 1)))
      report([...path, index], `expected NAMESPACE/NAME, got "${name}"`, "Write both as DNS labels.");
  }
}
