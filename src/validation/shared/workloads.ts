import type { FieldPath } from "../../diagnostics/finding.ts";
import type { WorkloadEntrySpec } from "../../gen/schema-types.ts";
import type { Report } from "../rule.ts";
import { isAddress, isUnix, unixProblem } from "./addresses.ts";
import { isLabel, nameProblem } from "./hosts.ts";
import { checkLabels } from "./labels.ts";

/** Reports an address that is no IP address, socket or, where `names` are taken, DNS name. */
export function checkWorkloadAddress(
  entry: WorkloadEntrySpec,
  path: FieldPath,
  report: Report,
  names: "names" | "no names",
): void {
  const { address = "", ports = {} } = entry;
  if (isUnix(address)) {
    const problem = unixProblem(address);
    if (problem !== undefined) report([...path, "address"], problem, "Write unix:///PATH.");
    if (Object.keys(ports).length > 0) report([...path, "ports"], "a socket has no ports", "Remove ports.");
  } else if (address === "") {
    if ((entry.network ?? "") === "") report([...path, "address"], "address is missing", "Add address, or network.");
  } else if (!isAddress(address)) {
    if (names === "no names")
      report([...path, "address"], `"${address}" is no IP address`, "Use resolution DNS for names.");
    else if (nameProblem(address, "no wildcard") !== undefined)
      report([...path, "address"], `"${address}" is no address or DNS name`, "Write an IP address or a DNS name.");
  }
}

/** Reports names of ports, ports and labels that are none. `known`: the names that the service has. */
export function checkWorkload(
  entry: WorkloadEntrySpec,
  path: FieldPath,
  report: Report,
  known?: ReadonlySet<string>,
): void {
  for (const [name, port] of Object.entries(entry.ports ?? {})) {
    if (!isLabel(name))
      report([...path, "ports", name], `"${name}" is no name of a port`, "Use letters, digits and -.");
    else if (known !== undefined && !known.has(name))
      report([...path, "ports", name], `the service has no port ${name}`, "Name one of its ports.");
    if (port < 1 || port > 65535) report([...path, "ports", name], `expected a port from 1 to 65535, got ${port}`);
  }
  checkLabels(entry.labels, [...path, "labels"], report);
}
