import { isAddress } from "../shared/addresses.ts";
import { checkExportTo } from "../shared/export-to.ts";
import { checkGatewayNames, checkHost } from "../shared/hosts.ts";
import { eachHttp, isClaim, isDelegate, isForGateways, type VirtualServiceRules } from "./parts.ts";

/** A name that gateways with AUTO_PASSTHROUGH see: `outbound_.80_._.reviews.shop.svc.cluster.local`. */
const MESH_SNI = /^outbound_\.?\d+_\.?[^_]*_\..*[a-zA-Z]/;

/** True for a server name that proxies of the mesh send to each other. */
export function isMeshSni(host: string): boolean {
  return MESH_SNI.test(host);
}

/** Rules about hosts, gateways and visibility. */
export const hostRules: VirtualServiceRules = [
  {
    name: "virtual-service-hosts",
    holds: "Hosts are DNS names, wildcards or addresses.",
    severity: "error",
    check: (spec, report) => {
      const isSni = isForGateways(spec) && (spec.tls ?? []).length > 0;
      for (const [index, host] of (spec.hosts ?? []).entries())
        if (!isSni || !isMeshSni(host)) checkHost(host, ["hosts", index], report, "address");
    },
  },
  {
    name: "virtual-service-hosts-unique",
    holds: "No host is listed twice, and no wildcard covers another host of the list.",
    severity: "error",
    check: ({ hosts = [] }, report) => {
      for (const [later, first] of overlaps(hosts)) {
        const [host, other] = [hosts[later] ?? "", hosts[first] ?? ""];
        const words = other === host ? `host ${host} is listed twice` : `hosts ${other} and ${host} overlap`;
        report(["hosts", later], words, "Remove one of them.");
      }
    },
  },
  {
    name: "virtual-service-mesh-wildcard",
    holds: "The host `*` is not used for traffic inside the mesh.",
    severity: "error",
    check: (spec, report) => {
      const index = isForGateways(spec) ? -1 : (spec.hosts ?? []).indexOf("*");
      if (index >= 0)
        report(["hosts", index], "host * is not allowed for sidecars (gateway mesh)", "Name a host, or a gateway.");
    },
  },
  {
    name: "virtual-service-delegate",
    holds: "An object without hosts is only delegated to: it has no gateways, and HTTP rules alone.",
    severity: "error",
    check: (spec, report) => {
      if (!isDelegate(spec)) return;
      for (const field of ["gateways", "tls", "tcp"] as const)
        if ((spec[field]?.length ?? 0) > 0)
          report(
            field === "gateways" ? ["hosts"] : [field],
            `expected at least one host: without hosts the object is only delegated to, and ${field} has no place`,
            `Add the host whose requests are routed, or remove ${field}.`,
          );
    },
  },
  {
    name: "virtual-service-gateways",
    holds: "Gateways are written as NAMESPACE/NAME or NAME.",
    severity: "error",
    check: (spec, report) => {
      checkGatewayNames(spec.gateways, ["gateways"], report);
      for (const protocol of ["http", "tls", "tcp"] as const)
        for (const [index, rule] of (spec[protocol] ?? []).entries())
          for (const [position, match] of (rule.match ?? []).entries())
            if (match.gateways !== undefined)
              checkGatewayNames(match.gateways, [protocol, index, "match", position, "gateways"], report);
    },
  },
  {
    name: "virtual-service-gateways-legacy",
    holds: "Gateways are not written as NAME.NAMESPACE, the old form.",
    severity: "warning",
    check: ({ gateways = [] }, report) => {
      for (const [index, name] of gateways.entries()) {
        if (name.includes("/") || !name.includes(".")) continue;
        const [short = "", namespace = ""] = name.split(".");
        report(["gateways", index], `"${name}" is the old form of a gateway's name`, `Write ${namespace}/${short}.`);
      }
    },
  },
  {
    name: "virtual-service-claims",
    holds: "Claims of tokens decide routes only at gateways.",
    severity: "error",
    check: (spec, report) => {
      if (isForGateways(spec)) return;
      eachHttp(spec, (rule, path) => {
        for (const [position, match] of (rule.match ?? []).entries())
          for (const field of ["headers", "withoutHeaders"] as const)
            for (const name of Object.keys(match[field] ?? {}))
              if (isClaim(name))
                report(
                  [...path, "match", position, field, name],
                  `${name} is only there at gateways, and this object holds for sidecars`,
                  "Name gateways, without mesh.",
                );
      });
    },
  },
  {
    name: "virtual-service-has-rules",
    holds: "There is a rule for HTTP, TLS or TCP.",
    severity: "error",
    check: (spec, report) => {
      const count = (spec.http?.length ?? 0) + (spec.tls?.length ?? 0) + (spec.tcp?.length ?? 0);
      if (count === 0) report([], "expected at least one rule in http, tls or tcp", "Add a rule with a route.");
    },
  },
  {
    name: "virtual-service-export-to",
    holds: "Namespaces of exportTo are names, each once; `*` stands alone.",
    severity: "error",
    check: (spec, report, { namespace }) => checkExportTo(spec.exportTo, namespace, "no none", report),
  },
];

/** The indexes of hosts that an earlier one overlaps with, and which. Addresses have only themselves. */
function overlaps(hosts: readonly string[]): ReadonlyMap<number, number> {
  const found = new Map<number, number>();
  if (hosts.length < 2) return found;
  const exact = new Map<string, number>();
  const suffixes = new Map<string, number>();
  for (const [index, host] of hosts.entries()) {
    const first = exact.get(host);
    if (first !== undefined) found.set(index, first);
    else exact.set(host, index);
    if (host.startsWith("*") && !suffixes.has(host.slice(1))) suffixes.set(host.slice(1), index);
  }
  if (suffixes.size > 0)
    for (const [index, host] of hosts.entries()) {
      const wide = widerOf(host, index, suffixes);
      if (wide !== undefined) found.set(Math.max(index, wide), Math.min(index, wide));
    }
  return found;
}

/** The index of a wildcard that covers a host, other than itself. */
function widerOf(host: string, index: number, suffixes: ReadonlyMap<string, number>): number | undefined {
  if (host.length > 255 || isAddress(host)) return undefined;
  for (let at = host.startsWith("*") ? 2 : 0; at <= host.length; at++) {
    const wide = suffixes.get(host.slice(at));
    if (wide !== undefined && wide !== index) return wide;
  }
  return undefined;
}
