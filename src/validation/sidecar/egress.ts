import type { FieldPath } from "../../diagnostics/finding.ts";
import type { SidecarEgress, SidecarSpec } from "../../gen/schema-types.ts";
import type { Report, Rules } from "../rule.ts";
import { checkBind, isUnix } from "../shared/addresses.ts";
import { isLabel, isPartialWildcard, nameProblem } from "../shared/hosts.ts";
import { checkPort } from "../shared/values.ts";
import { checkSidecarPort } from "./ports.ts";

/** Rules about hosts and ports for traffic from the workload. */
export const egressRules: Rules<SidecarSpec> = [
  {
    name: "sidecar-egress-hosts",
    holds: "Hosts of egress are written as namespace/name, the name full or a wildcard.",
    severity: "error",
    check: ({ egress = [] }, report) => {
      for (const [index, { hosts }] of egress.entries()) {
        const path = ["egress", index, "hosts"];
        if (hosts.length === 0) report(path, "expected at least one host", 'Add a host, e.g. "./*".');
        for (const [position, host] of hosts.entries()) checkEgressHost(host, [...path, position], report);
      }
    },
  },
  {
    name: "sidecar-egress-hosts-unique",
    holds: "No host of egress is covered by another one of the same list.",
    severity: "warning",
    check: ({ egress = [] }, report, { namespace }) => {
      for (const [index, { hosts }] of egress.entries())
        checkRepeated(hosts, namespace, ["egress", index, "hosts"], report);
    },
  },
  {
    name: "sidecar-egress-last",
    holds: "One entry of egress has no port: the last.",
    severity: "error",
    check: ({ egress = [] }, report) => {
      for (const [index, { port }] of egress.entries())
        if (port === undefined && index < egress.length - 1)
          report(
            ["egress", index],
            "an entry without port takes what the others leave: it can only be the last",
            "Move it to the end, or add port.",
          );
    },
  },
  {
    name: "sidecar-egress-ports",
    holds: "Ports of egress are used once, with known protocols; port 0 goes with a socket, captured in mode NONE.",
    severity: "error",
    check: ({ egress = [] }, report) => {
      const seen = new Set<string | number>();
      for (const [index, entry] of egress.entries()) {
        if (entry.port === undefined) continue;
        const path = ["egress", index];
        checkEgressPort(entry, path, report);
        const number = entry.port.number ?? 0;
        const place = number === 0 ? (entry.bind ?? "") : number;
        if (seen.has(place)) report([...path, "port"], `${place} is given twice`, "Remove one of them.");
        seen.add(place);
      }
    },
  },
];

function checkEgressHost(host: string, path: FieldPath, report: Report): void {
  const slash = host.indexOf("/");
  const namespace = host.slice(0, slash).replace(/^~/, "");
  const name = host.slice(slash + 1);
  if (slash < 1 || name === "") return report(path, `expected namespace/host, got "${host}"`, `Write "./${name}".`);
  const isKnown = ["", "*", "."].includes(namespace) || isLabel(namespace);
  if (!isKnown) report(path, `"${namespace}" is no namespace`, "Write a namespace, * or .");
  const problem = nameProblem(name, "wildcard");
  if (problem !== undefined) report(path, `"${name}" is no host: ${problem}`, "Write a DNS name or wildcard.");
  else if (name !== "*" && !name.includes("."))
    report(path, `"${name}" is a short name: hosts are full here`, `Write ${name}.NAMESPACE.svc.cluster.local.`);
  else if (isPartialWildcard(name)) report(path, `"${name}": a wildcard stands for whole labels`, "Write *.SUFFIX.");
}

function checkRepeated(hosts: readonly string[], own: string, path: FieldPath, report: Report): void {
  const seen = new Map<string, Set<string>>();
  for (const [position, host] of hosts.entries()) {
    const [prefix = "", name = ""] = host.split("/", 2);
    if (name === "" || prefix.startsWith("~")) continue;
    const namespace = prefix === "." ? own : prefix;
    const names = seen.get(namespace) ?? new Set<string>();
    seen.set(namespace, names);
    if (isCovered(name, names))
      report([...path, position], `${host} is covered by another host of the list`, "Remove one of them.");
    names.add(name);
  }
  if (seen.get("*")?.has("*") === true && seen.size > 1)
    report(path, "*/* selects every host: the others say nothing", "Remove */*, or the others.");
}

function isCovered(name: string, names: ReadonlySet<string>): boolean {
  return name === "*" ? names.size > 0 : names.has(name) || names.has("*");
}

function checkEgressPort({ port = {}, bind = "", captureMode }: SidecarEgress, path: FieldPath, report: Report): void {
  checkSidecarPort(port, [...path, "port"], report);
  const number = port.number ?? 0;
  if (number !== 0) {
    checkPort(number, [...path, "port", "number"], report);
    if (isUnix(bind)) report([...path, "bind"], "a socket has no port", "Write port.number: 0.");
    else checkBind(bind, [...path, "bind"], report);
    return;
  }
  if (!isUnix(bind)) report([...path, "port"], "port.number is missing: only a socket has none", "Add the number.");
  else checkBind(bind, [...path, "bind"], report);
  if (captureMode === "IPTABLES")
    report([...path, "captureMode"], "traffic to a socket cannot be captured", "Use captureMode NONE.");
}
