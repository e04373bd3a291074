import ipaddr from "ipaddr.js";
import { RE2JS } from "re2js";
import { durationMs } from "../base/duration.ts";
import type { FieldPath } from "../diagnostics/finding.ts";
import type { StringMatch } from "../gen/schema-types.ts";
import type { Report } from "./rule.ts";

const LABEL = /^[a-zA-Z0-9](?:[-a-zA-Z0-9_]*[a-zA-Z0-9])?$/;

/** What is wrong with a host (DNS name, `*` or `*.suffix`), or undefined. */
export function hostProblem(host: string): string | undefined {
  if (host === "") return "an empty host";
  if (host === "*") return undefined;
  const name = host.startsWith("*.") ? host.slice(2) : host;
  if (name.length > 255) return "a host of more than 255 characters";
  const labels = (name.endsWith(".") ? name.slice(0, -1) : name).split(".");
  const bad = labels.find((label) => label.length > 63 || !LABEL.test(label));
  if (bad === undefined) return undefined;
  return bad.includes("*") ? "a wildcard that is not the first label" : `"${bad}" is no DNS label`;
}

/** True for an IPv4 or IPv6 address. */
export function isAddress(text: string): boolean {
  // most texts are names, and the parser answers those by a costly exception
  if (!/^(?:[\d.]+|[0-9a-fA-F:.]*:[0-9a-fA-F:.%\w]*)$/.test(text)) return false;
  return ipaddr.isValid(text) && (text.includes(":") || text.split(".").length === 4);
}

/** True for an address or a CIDR range. */
export function isAddressOrRange(text: string): boolean {
  return text.includes("/") ? ipaddr.isValidCIDR(text) : isAddress(text);
}

/** Reports a regular expression that RE2 refuses. */
export function checkRegex(regex: string, path: FieldPath, report: Report): void {
  if (regex === "") return report(path, "an empty regular expression matches nothing", "Leave the condition out.");
  try {
    RE2JS.compile(regex);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    report(
      path,
      `"${regex}" is no regular expression: ${reason}`,
      "Use RE2 syntax: no look-around, no back-references.",
    );
  }
}

/** Reports what is wrong with a string condition. */
export function checkStringMatch(match: StringMatch | undefined, path: FieldPath, report: Report): void {
  if (match?.regex !== undefined) checkRegex(match.regex, [...path, "regex"], report);
  if (match?.prefix === "")
    report([...path, "prefix"], "an empty prefix matches everything", "Leave the condition out.");
}

/** Reports a duration that is shorter than a millisecond: the proxy counts in whole ones. `zero`: 0s has a meaning. */
export function checkDuration(
  duration: string | undefined,
  path: FieldPath,
  report: Report,
  zero: "zero" | "no zero" = "no zero",
): void {
  if (duration === undefined) return;
  const ms = durationMs(duration);
  if (ms === undefined || (ms === 0 && zero === "zero")) return;
  if (ms < 1) report(path, `expected a duration of at least 1ms, got ${duration}`, "Leave the field out for no limit.");
}

/** Protocols that a port of a Gateway or ServiceEntry may name, in capitals. */
export const PROTOCOLS: ReadonlySet<string> = new Set([
  "HTTP",
  "HTTPS",
  "GRPC",
  "GRPC-WEB",
  "HTTP2",
  "MONGO",
  "TCP",
  "TLS",
  "MYSQL",
  "REDIS",
]);

/** Reports each member of a list that was there before; `name` gives what has to be unique. */
export function checkUnique<T>(
  list: readonly T[],
  name: (item: T) => string | undefined,
  report: (index: number, text: string, first: number) => void,
): void {
  const seen = new Map<string, number>();
  for (const [index, item] of list.entries()) {
    const text = name(item);
    if (text === undefined) continue;
    const first = seen.get(text);
    if (first === undefined) seen.set(text, index);
    else report(index, text, first);
  }
}

/** The names of fields that are set, of those given. */
export function setFields<T extends object>(object: T, names: readonly (keyof T & string)[]): readonly string[] {
  return names.filter((name) => object[name] !== undefined && object[name] !== null);
}
