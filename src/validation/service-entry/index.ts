import type { ServiceEntrySpec } from "../../gen/schema-types.ts";
import type { Rules } from "../rule.ts";
import { checkRanges } from "../shared/addresses.ts";
import { checkExportTo } from "../shared/export-to.ts";
import { checkHost, isLabel, isPartialWildcard } from "../shared/hosts.ts";
import { checkSelectorEmpty, checkWorkloadSelector } from "../shared/labels.ts";
import { checkProtocol } from "../shared/protocols.ts";
import { checkUnique } from "../shared/values.ts";
import { resolutionRules } from "./resolution.ts";

/** Rules of ServiceEntry. */
export const serviceEntryRules: Rules<ServiceEntrySpec> = [
  {
    name: "service-entry-hosts",
    holds: "There is a host; hosts are DNS names or wildcards, but not `*` alone.",
    severity: "error",
    check: ({ hosts }, report) => {
      if (hosts.length === 0) report(["hosts"], "expected at least one host", "Add the service's DNS name.");
      for (const [index, host] of hosts.entries())
        if (host === "*")
          report(["hosts", index], `"*" is no host here: it would take all traffic`, "Write a DNS name.");
        else checkHost(host, ["hosts", index], report);
    },
  },
  {
    name: "service-entry-partial-wildcard",
    holds: "A wildcard stands for whole labels.",
    severity: "warning",
    check: ({ hosts, resolution }, report) => {
      if (resolution === "DYNAMIC_DNS") return;
      for (const [index, host] of hosts.entries())
        if (isPartialWildcard(host))
          report(["hosts", index], `"${host}" matches no host: a wildcard stands for whole labels`, "Write *.SUFFIX.");
    },
  },
  {
    name: "service-entry-addresses",
    holds: "Addresses are IP addresses or CIDR ranges; ranges are for resolution NONE and STATIC.",
    severity: "error",
    check: ({ addresses = [], resolution = "NONE" }, report) => {
      checkRanges(addresses, ["addresses"], report);
      const range = addresses.findIndex((address) => address.includes("/"));
      if (range >= 0 && resolution !== "NONE" && resolution !== "STATIC")
        report(
          ["addresses", range],
          `ranges are for resolution NONE and STATIC, got ${resolution}`,
          "Write single addresses.",
        );
    },
  },
  {
    name: "service-entry-ports",
    holds: "Names of ports are DNS labels.",
    severity: "error",
    check: ({ ports = [] }, report) => {
      for (const [index, { name }] of ports.entries())
        if (!isLabel(name))
          report(["ports", index, "name"], `"${name}" is no name of a port`, "Use letters, digits and -.");
    },
  },
  {
    name: "service-entry-ports-unique",
    holds: "Numbers and names of ports are unique.",
    severity: "error",
    check: ({ ports = [] }, report) => {
      checkUnique(
        ports,
        (port) => String(port.number),
        (index, number, first) =>
          report(["ports", index, "number"], `port ${number} is already given by ports[${first}]`),
      );
      checkUnique(
        ports,
        (port) => port.name,
        (index, name, first) => report(["ports", index, "name"], `name ${name} is already used by ports[${first}]`),
      );
    },
  },
  {
    name: "service-entry-protocol",
    holds: "The protocol of a port is one that the mesh knows.",
    severity: "error",
    check: ({ ports = [] }, report) => {
      for (const [index, { protocol }] of ports.entries())
        checkProtocol(protocol, ["ports", index, "protocol"], report);
    },
  },
  {
    name: "service-entry-selector",
    holds: "endpoints and workloadSelector exclude each other; labels have keys and no wildcards.",
    severity: "error",
    check: ({ endpoints, workloadSelector }, report) => {
      if (endpoints !== undefined && workloadSelector !== undefined)
        report(["workloadSelector"], "endpoints and workloadSelector exclude each other", "Keep one of them.");
      checkWorkloadSelector(workloadSelector, report);
    },
  },
  {
    name: "service-entry-selector-empty",
    holds: "workloadSelector has labels.",
    severity: "warning",
    check: ({ workloadSelector }, report) => {
      if (workloadSelector !== undefined) checkSelectorEmpty(workloadSelector.labels, ["workloadSelector"], report);
    },
  },
  {
    name: "service-entry-export-to",
    holds: "Namespaces of exportTo are names, each once; `*` and `~` stand alone.",
    severity: "error",
    check: (spec, report, { namespace }) => checkExportTo(spec.exportTo, namespace, "none", report),
  },
  ...resolutionRules,
];
