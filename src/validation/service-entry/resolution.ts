import type { ServiceEntryPort, ServiceEntrySpec } from "../../gen/schema-types.ts";
import type { Report, Rules } from "../rule.ts";
import { isUnix } from "../shared/addresses.ts";
import { nameProblem } from "../shared/hosts.ts";
import { isHttp, isTls } from "../shared/protocols.ts";
import { checkWorkload, checkWorkloadAddress } from "../shared/workloads.ts";

/** Rules about what goes with each way of finding endpoints. */
export const resolutionRules: Rules<ServiceEntrySpec> = [
  {
    name: "service-entry-endpoints",
    holds: "Endpoints fit the resolution.",
    severity: "error",
    check: ({ resolution = "NONE", endpoints = [] }, report) => {
      if (resolution === "NONE" && endpoints.length > 0)
        report(
          ["endpoints"],
          "resolution NONE sends to the address that was dialled: endpoints are not used",
          "Use resolution STATIC or DNS.",
        );
      if (resolution === "DNS_ROUND_ROBIN" && endpoints.length > 1)
        report(["endpoints", 1], "resolution DNS_ROUND_ROBIN takes one endpoint", "Use resolution DNS for several.");
    },
  },
  {
    name: "service-entry-endpoint",
    holds: "Endpoints have addresses of the kind that the resolution takes, and ports that the service has.",
    severity: "error",
    check: (spec, report) => {
      const { resolution = "NONE", endpoints = [], ports = [] } = spec;
      if (resolution === "NONE" || resolution === "DYNAMIC_DNS") return;
      const known = new Set(ports.map(({ name }) => name));
      const names = resolution === "STATIC" ? "no names" : "names";
      for (const [index, endpoint] of endpoints.entries()) {
        const path = ["endpoints", index];
        checkWorkloadAddress(endpoint, path, report, names);
        checkWorkload(endpoint, path, report, known);
        if (!isUnix(endpoint.address ?? "")) continue;
        if (resolution !== "STATIC")
          report([...path, "address"], "a socket is no name to look up", "Use resolution STATIC.");
        else if (ports.length !== 1) report([...path, "address"], "a socket serves a single port", "Leave one port.");
      }
    },
  },
  {
    name: "service-entry-dns-hosts",
    holds: "Without endpoints, hosts that are looked up in DNS are full names.",
    severity: "error",
    check: ({ hosts, resolution = "NONE", endpoints = [] }, report) => {
      if (!resolution.startsWith("DNS") || endpoints.length > 0) return;
      for (const [index, host] of hosts.entries())
        if (nameProblem(host, "no wildcard") !== undefined)
          report(
            ["hosts", index],
            `${host} cannot be looked up in DNS (resolution ${resolution})`,
            "Use resolution NONE or DYNAMIC_DNS, or give endpoints.",
          );
    },
  },
  {
    name: "service-entry-dynamic-dns",
    holds: "DYNAMIC_DNS goes with wildcard hosts and HTTP or TLS, without addresses and endpoints.",
    severity: "error",
    check: (spec, report, { object }) => {
      if (spec.resolution === "DYNAMIC_DNS") checkDynamic(spec, report, object.metadata.labels ?? {});
    },
  },
  {
    name: "service-entry-hosts-apart",
    holds: "Several hosts on one port can be told apart: by HTTP or TLS, or by resolution NONE.",
    severity: "error",
    check: ({ hosts, ports = [], resolution = "NONE" }, report) => {
      if (resolution === "NONE" || hosts.length < 2) return;
      const blind = ports.findIndex(({ protocol }) => !isHttp(protocol) && !isTls(protocol));
      if (blind >= 0)
        report(
          ["ports", blind],
          "with several hosts only HTTP and TLS tell which one is meant",
          "Set protocol, or write one ServiceEntry a host.",
        );
    },
  },
  {
    name: "service-entry-hosts-by-address",
    holds: "With addresses and a TCP port, DNS is for one host.",
    severity: "warning",
    check: ({ hosts, ports = [], addresses = [], resolution = "NONE" }, report) => {
      if (!resolution.startsWith("DNS") || addresses.length === 0 || hosts.length < 2) return;
      if (ports.some(isTcp))
        report(
          ["hosts", 1],
          "one address cannot stand for several hosts on a TCP port",
          "Write one ServiceEntry a host.",
        );
    },
  },
  {
    name: "service-entry-none-selector",
    holds: "workloadSelector goes with a resolution that uses endpoints.",
    severity: "warning",
    check: ({ resolution = "NONE", workloadSelector }, report) => {
      if (resolution === "NONE" && workloadSelector !== undefined)
        report(
          ["workloadSelector"],
          "resolution NONE sends to the address that was dialled: workloadSelector is not used",
          "Use resolution STATIC.",
        );
    },
  },
];

const isTcp = ({ protocol = "" }: ServiceEntryPort): boolean =>
  ["TCP", "HTTPS", "TLS", "MONGO", "REDIS", "MYSQL"].includes(protocol.toUpperCase());

const DYNAMIC: ReadonlySet<string> = new Set(["HTTP", "TLS", "GRPC", "HTTP2"]);

function checkDynamic(spec: ServiceEntrySpec, report: Report, labels: Readonly<Record<string, string>>): void {
  for (const [index, host] of spec.hosts.entries())
    if (!host.startsWith("*"))
      report(["hosts", index], `resolution DYNAMIC_DNS is for wildcard hosts, got ${host}`, "Use resolution DNS.");
  for (const field of ["addresses", "endpoints"] as const)
    if ((spec[field]?.length ?? 0) > 0)
      report([field], `resolution DYNAMIC_DNS looks up the requested name: ${field} is not used`, `Remove ${field}.`);
  checkDynamicPorts(spec.ports ?? [], report);
  if (spec.location === "MESH_INTERNAL" && usesWaypoint(labels))
    report(["location"], "MESH_INTERNAL with DYNAMIC_DNS cannot be reached through a waypoint", "Use MESH_EXTERNAL.");
}

function checkDynamicPorts(ports: readonly ServiceEntryPort[], report: Report): void {
  for (const [index, { protocol = "" }] of ports.entries())
    if (!DYNAMIC.has(protocol.toUpperCase()))
      report(
        ["ports", index, "protocol"],
        `expected one of ${[...DYNAMIC].join(", ")} with DYNAMIC_DNS, got "${protocol}"`,
      );
}

function usesWaypoint(labels: Readonly<Record<string, string>>): boolean {
  const waypoint = labels["istio.io/use-waypoint"] ?? "";
  return waypoint !== "" && waypoint.toLowerCase() !== "none";
}
