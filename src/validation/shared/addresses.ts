import ipaddr from "ipaddr.js";
import type { FieldPath } from "../../diagnostics/finding.ts";
import type { Report } from "../rule.ts";

/** True for an IPv4 (four decimal parts, no leading zeros) or IPv6 address. */
export function isAddress(text: string): boolean {
  // most texts are names, and the parser answers those by a costly exception
  if (text.includes(":")) return /^[0-9a-fA-F:.]+(?:%\w+)?$/.test(text) && ipaddr.IPv6.isValid(text);
  return /^[\d.]+$/.test(text) && ipaddr.IPv4.isValidFourPartDecimal(text);
}

/** True for an address or a CIDR range; host bits may be set, as Go and Envoy take them. */
export function isAddressOrRange(text: string): boolean {
  const slash = text.indexOf("/");
  if (slash === -1) return isAddress(text);
  const bits = text.slice(slash + 1);
  const address = text.slice(0, slash);
  if (!/^(?:0|[1-9]\d{0,2})$/.test(bits) || address.includes("%") || !isAddress(address)) return false;
  return Number(bits) <= (address.includes(":") ? 128 : 32);
}

/** Reports each text of a list that is neither an IP address nor a CIDR range. */
export function checkRanges(list: readonly string[] | undefined, path: FieldPath, report: Report): void {
  for (const [index, text] of (list ?? []).entries())
    if (!isAddressOrRange(text))
      report([...path, index], `"${text}" is no IP address or CIDR range`, "Write it as 10.0.0.0/8 or 10.1.2.3.");
}

const UNIX = "unix://";

/** What is wrong with the path of a Unix domain socket (`unix:///path` or `unix://@name`), or undefined. Other texts are not looked at. */
export function unixProblem(address: string): string | undefined {
  const path = address.slice(UNIX.length);
  if (path === "") return "the path of the socket is missing";
  if (path.startsWith("@")) return undefined;
  return path.startsWith("/") && !path.endsWith("/") ? undefined : `"${path}" is no absolute path of a file`;
}

/** True for an address that starts with `unix://`. */
export function isUnix(address: string): boolean {
  return address.startsWith(UNIX);
}

/** Reports a `bind` that is neither an IP address nor the path of a socket. */
export function checkBind(bind: string | undefined, path: FieldPath, report: Report): void {
  if (bind === undefined || bind === "") return;
  if (isUnix(bind)) {
    const problem = unixProblem(bind);
    if (problem !== undefined) report(path, problem, "Write unix:///PATH.");
  } else if (!isAddress(bind)) report(path, `"${bind}" is no IP address`, "Write an IP address, or unix:///PATH.");
}
