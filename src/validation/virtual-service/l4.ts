import type { FieldPath } from "../../diagnostics/finding.ts";
import { hostMatches } from "../../model/host.ts";
import type { VirtualServiceSpec } from "../../gen/schema-types.ts";
import { checkRanges, isAddress } from "../shared/addresses.ts";
import { checkHost } from "../shared/hosts.ts";
import { checkLabels } from "../shared/labels.ts";
import { isMeshSni } from "./hosts.ts";
import { isForGateways, type VirtualServiceRules } from "./parts.ts";

/** Rules about TLS and TCP. */
export const l4Rules: VirtualServiceRules = [
  {
    name: "virtual-service-tls-match",
    holds: "A TLS rule says for which server names it holds.",
    severity: "error",
    check: (spec, report) => {
      for (const [index, { match }] of (spec.tls ?? []).entries()) {
        const path = ["tls", index, "match"];
        if ((match ?? []).length === 0) report(path, "expected at least one match", "Add a match with sniHosts.");
        for (const [position, { sniHosts }] of (match ?? []).entries())
          if ((sniHosts ?? []).length === 0)
            report([...path, position, "sniHosts"], "expected at least one server name", "Add the server's name.");
      }
    },
  },
  {
    name: "virtual-service-l4-route",
    holds: "A TLS or TCP rule has a destination.",
    severity: "error",
    check: (spec, report) => {
      for (const protocol of ["tls", "tcp"] as const)
        for (const [index, { route }] of (spec[protocol] ?? []).entries())
          if ((route ?? []).length === 0)
            report([protocol, index, "route"], "expected at least one destination", "Add a destination.");
    },
  },
  {
    name: "virtual-service-l4-match",
    holds: "Subnets are addresses or CIDR ranges; labels are ones that Kubernetes could have.",
    severity: "error",
    check: (spec, report) => {
      for (const protocol of ["tls", "tcp"] as const)
        for (const [index, rule] of (spec[protocol] ?? []).entries())
          for (const [position, match] of (rule.match ?? []).entries()) {
            const path = [protocol, index, "match", position];
            checkRanges(match.destinationSubnets, [...path, "destinationSubnets"], report);
            checkLabels(match.sourceLabels, [...path, "sourceLabels"], report);
          }
    },
  },
  {
    name: "virtual-service-sni",
    holds: "Server names of a TLS rule are names or wildcards that the object's hosts cover.",
    severity: "error",
    check: (spec, report) =>
      eachSni(spec, (sni, path) => {
        if (isAddress(sni) || (isForGateways(spec) && isMeshSni(sni) && covered(spec, sni))) return;
        if (!isMeshSni(sni) && !checkHost(sni, path, report)) return;
        if (!covered(spec, sni))
          report(path, `${sni} is none of the hosts of this object`, `Add ${sni} to hosts, or correct it.`);
      }),
  },
  {
    name: "virtual-service-sni-address",
    holds: "Server names are names, not addresses.",
    severity: "warning",
    check: (spec, report) =>
      eachSni(spec, (sni, path) => {
        if (isAddress(sni))
          report(
            path,
            `${sni} is an address: most clients send no server name for it`,
            "Match destinationSubnets in tcp.",
          );
      }),
  },
];

function eachSni(spec: VirtualServiceSpec, visit: (sni: string, path: FieldPath) => void): void {
  for (const [index, rule] of (spec.tls ?? []).entries())
    for (const [position, match] of (rule.match ?? []).entries())
      for (const [place, sni] of (match.sniHosts ?? []).entries())
        visit(sni, ["tls", index, "match", position, "sniHosts", place]);
}

function covered(spec: VirtualServiceSpec, sni: string): boolean {
  return (spec.hosts ?? []).some((host) => hostMatches(host, sni));
}
