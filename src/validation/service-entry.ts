import type { ServiceEntrySpec } from "../gen/schema-types.ts";
import type { Report, Rules } from "./rule.ts";
import { checkUnique, hostProblem, isAddress, isAddressOrRange, PROTOCOLS } from "./values.ts";

/** Rules of ServiceEntry. */
export const serviceEntryRules: Rules<"ServiceEntry"> = [
  {
    name: "service-entry-hosts",
    holds: "Hosts are DNS names or wildcards, but not `*` alone.",
    severity: "error",
    check: (spec, report) => {
      for (const [index, host] of spec.hosts.entries()) {
        const problem = host === "*" ? "it would take all traffic" : hostProblem(host);
        if (problem !== undefined)
          report(["hosts", index], `"${host}" is no host here: ${problem}`, "Write a DNS name.");
      }
    },
  },
  {
    name: "service-entry-addresses",
    holds: "Addresses are IP addresses or CIDR ranges.",
    severity: "error",
    check: (spec, report) => {
      for (const [index, address] of (spec.addresses ?? []).entries())
        if (!isAddressOrRange(address))
          report(["addresses", index], `"${address}" is no IP address or CIDR range`, "Put names into hosts.");
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
        if (protocol !== undefined && protocol !== "" && !PROTOCOLS.has(protocol.toUpperCase()))
          report(["ports", index, "protocol"], `expected one of ${[...PROTOCOLS].join(", ")}, got "${protocol}"`);
    },
  },
  {
    name: "service-entry-endpoints",
    holds: "Endpoints fit the resolution, and exclude workloadSelector.",
    severity: "error",
    check: (spec, report) => {
      if ((spec.endpoints?.length ?? 0) > 0 && spec.workloadSelector !== undefined)
        report(["workloadSelector"], "endpoints and workloadSelector exclude each other", "Keep one of them.");
      checkEndpoints(spec, report);
    },
  },
  {
    name: "service-entry-wildcard",
    holds: "A wildcard host is not looked up in DNS unless by DYNAMIC_DNS.",
    severity: "error",
    check: (spec, report) => {
      const resolution = spec.resolution ?? "NONE";
      const byName = resolution === "DNS" || resolution === "DNS_ROUND_ROBIN";
      for (const [index, host] of spec.hosts.entries()) {
        if (byName && host.startsWith("*") && (spec.endpoints?.length ?? 0) === 0)
          report(
            ["hosts", index],
            `${host} cannot be looked up in DNS (resolution ${resolution})`,
            "Use resolution NONE or DYNAMIC_DNS, or give endpoints.",
          );
        if (resolution === "DYNAMIC_DNS" && !host.startsWith("*"))
          report(["hosts", index], `resolution DYNAMIC_DNS is for wildcard hosts, got ${host}`, "Use resolution DNS.");
      }
    },
  },
];

function checkEndpoints(spec: ServiceEntrySpec, report: Report): void {
  const resolution = spec.resolution ?? "NONE";
  const endpoints = spec.endpoints ?? [];
  if (resolution === "NONE" && endpoints.length > 0)
    report(
      ["endpoints"],
      "resolution NONE sends to the address that was dialled: endpoints are not used",
      "Use resolution STATIC or DNS.",
    );
  if (resolution === "STATIC" && endpoints.length === 0 && spec.workloadSelector === undefined)
    report(["resolution"], "resolution STATIC needs endpoints or workloadSelector", "Add endpoints.");
  for (const [index, { address }] of endpoints.entries())
    if (address !== undefined) checkEndpointAddress(address, resolution, ["endpoints", index, "address"], report);
}

function checkEndpointAddress(address: string, resolution: string, path: (string | number)[], report: Report): void {
  if (address.startsWith("unix://") || isAddress(address)) return;
  if (resolution === "STATIC")
    report(path, `resolution STATIC needs IP addresses, got "${address}"`, "Use resolution DNS.");
  else if (hostProblem(address) !== undefined) report(path, `"${address}" is no address or DNS name`);
}
