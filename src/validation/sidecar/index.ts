import type { SidecarSpec } from "../../gen/schema-types.ts";
import type { Rules } from "../rule.ts";
import { checkDestination } from "../shared/destinations.ts";
import { checkPool } from "../shared/connection-pool.ts";
import { nameProblem } from "../shared/hosts.ts";
import { checkSelectorEmpty, checkWorkloadSelector } from "../shared/labels.ts";
import { setFields } from "../shared/values.ts";
import { egressRules } from "./egress.ts";
import { ingressRules } from "./ingress.ts";

const PARTS = ["egress", "ingress", "outboundTrafficPolicy", "inboundConnectionPool"] as const;

/** Rules of Sidecar. */
export const sidecarRules: Rules<SidecarSpec> = [
  {
    name: "sidecar-says-something",
    holds: "There is egress, ingress, outboundTrafficPolicy or inboundConnectionPool.",
    severity: "error",
    check: (spec, report) => {
      const lists = [spec.egress, spec.ingress].filter((list) => (list?.length ?? 0) > 0).length;
      if (lists === 0 && setFields(spec, ["outboundTrafficPolicy", "inboundConnectionPool"]).length === 0)
        report([], `expected at least one of ${PARTS.join(", ")}`, "Add one, or delete the object.");
    },
  },
  {
    name: "sidecar-selector",
    holds: "Labels of workloadSelector have keys and no wildcards.",
    severity: "error",
    check: (spec, report) => checkWorkloadSelector(spec.workloadSelector, report),
  },
  {
    name: "sidecar-selector-empty",
    holds: "workloadSelector has labels.",
    severity: "warning",
    check: ({ workloadSelector }, report) => {
      if (workloadSelector !== undefined) checkSelectorEmpty(workloadSelector.labels, ["workloadSelector"], report);
    },
  },
  {
    name: "sidecar-outbound-policy",
    holds: "An egressProxy goes with mode ALLOW_ANY, and names a host and its port.",
    severity: "error",
    check: ({ outboundTrafficPolicy }, report) => {
      const { egressProxy, mode = "REGISTRY_ONLY" } = outboundTrafficPolicy ?? {};
      if (egressProxy === undefined) return;
      const path = ["outboundTrafficPolicy", "egressProxy"];
      if (mode !== "ALLOW_ANY")
        report(path, `egressProxy goes with mode ALLOW_ANY, got ${mode}`, "Remove one of them.");
      const problem = nameProblem(egressProxy.host, "no wildcard");
      if (problem !== undefined) report([...path, "host"], `"${egressProxy.host}" is no host: ${problem}`);
      if (egressProxy.port === undefined) report([...path, "port"], "the port is missing", "Add port.number.");
      else if (problem === undefined) checkDestination(egressProxy, path, report);
    },
  },
  {
    name: "sidecar-connection-pool",
    holds: "Limits say something, and are not negative; times are whole milliseconds.",
    severity: "error",
    check: ({ inboundConnectionPool, ingress = [] }, report) => {
      checkPool(inboundConnectionPool, ["inboundConnectionPool"], report);
      for (const [index, { connectionPool }] of ingress.entries())
        checkPool(connectionPool, ["ingress", index, "connectionPool"], report);
    },
  },
  ...ingressRules,
  ...egressRules,
];
