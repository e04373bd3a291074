import type { FieldPath } from "../../diagnostics/finding.ts";
import type { SidecarPort } from "../../gen/schema-types.ts";
import type { Report } from "../rule.ts";
import { isLabel } from "../shared/hosts.ts";
import { checkProtocol } from "../shared/protocols.ts";

/** Reports a name, protocol or targetPort that a port of a Sidecar cannot have. */
export function checkSidecarPort(port: SidecarPort, path: FieldPath, report: Report): void {
  const { name = "", protocol, targetPort = 0 } = port;
  if (name !== "" && !isLabel(name))
    report([...path, "name"], `"${name}" is no name of a port`, "Use letters, digits and -.");
  checkProtocol(protocol, [...path, "protocol"], report);
  if (targetPort > 0) report([...path, "targetPort"], "targetPort has no effect in a Sidecar", "Remove it.");
}
