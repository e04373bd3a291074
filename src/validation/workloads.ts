import type { WorkloadEntrySpec, WorkloadGroupProbe, WorkloadGroupSpec } from "../gen/schema-types.ts";
import type { Report, Rules } from "./rule.ts";
import { checkLabels } from "./shared/labels.ts";
import { isGiven, setFields } from "./shared/values.ts";
import { checkWorkload, checkWorkloadAddress } from "./shared/workloads.ts";

/** Rules of WorkloadEntry. */
export const workloadEntryRules: Rules<WorkloadEntrySpec> = [
  {
    name: "workload-entry-address",
    holds: "The address is an IP address, DNS name or socket; without one there is a network.",
    severity: "error",
    check: (spec, report) => checkWorkloadAddress(spec, [], report, "names"),
  },
  {
    name: "workload-entry-ports",
    holds: "Ports have names that are DNS labels; labels are ones that Kubernetes could have.",
    severity: "error",
    check: (spec, report) => checkWorkload(spec, [], report),
  },
  {
    name: "workload-entry-network-alone",
    holds: "There is an address: without one, traffic goes through the gateway of the network.",
    severity: "warning",
    check: ({ address, network }, report) => {
      if (!isGiven(address) && isGiven(network))
        report(
          ["network"],
          `no address: reached through the gateway of network ${network}`,
          "Add address if it has one.",
        );
    },
  },
];

/** Rules of WorkloadGroup. */
export const workloadGroupRules: Rules<WorkloadGroupSpec> = [
  {
    name: "workload-group-labels",
    holds: "Labels are ones that Kubernetes could have.",
    severity: "error",
    check: ({ metadata }, report) => checkLabels(metadata?.labels, ["metadata", "labels"], report),
  },
  {
    name: "workload-group-probe",
    holds: "A probe asks in one way; a command has words.",
    severity: "error",
    check: ({ probe }, report) => {
      if (probe !== undefined) checkProbe(probe, report);
    },
  },
];

const METHODS = ["httpGet", "tcpSocket", "exec", "grpc"] as const;

function checkProbe(probe: WorkloadGroupProbe, report: Report): void {
  if (setFields(probe, METHODS).length === 0) report(["probe"], `expected one of ${METHODS.join(", ")}`, "Add one.");
  if (probe.exec !== undefined && probe.exec.command.length === 0)
    report(["probe", "exec", "command"], "the command is empty", "Write the program and its arguments.");
}
