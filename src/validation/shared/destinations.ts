import type { FieldPath } from "../../diagnostics/finding.ts";
import type { Destination } from "../../gen/schema-types.ts";
import type { Report } from "../rule.ts";
import { checkHost, isLabel } from "./hosts.ts";

/** Reports a host, subset or port that no traffic can be sent to. */
export function checkDestination(destination: Destination, path: FieldPath, report: Report): void {
  const { host, subset = "", port } = destination;
  if (host === "*") report([...path, "host"], "* is no destination", "Name a host.");
  else checkHost(host, [...path, "host"], report);
  if (subset !== "" && !isLabel(subset))
    report([...path, "subset"], `"${subset}" is no name of a subset`, "Use letters, digits and -.");
  if (port !== undefined && (port.number ?? 0) === 0)
    report([...path, "port"], "port.number is missing", "Add the number of the port.");
}
