import { isAddress } from "../shared/addresses.ts";
import { nameProblem } from "../shared/hosts.ts";
import { type DestinationRuleRules, eachPolicy } from "./parts.ts";

/** Rules about tunnels and the PROXY protocol. */
export const tunnelRules: DestinationRuleRules = [
  {
    name: "destination-rule-tunnel",
    holds: "A tunnel leads to a host by CONNECT or POST.",
    severity: "error",
    check: (spec, report) =>
      eachPolicy(spec, ({ tunnel }, path) => {
        if (tunnel === undefined) return;
        const at = [...path, "tunnel"];
        const { protocol = "", targetHost } = tunnel;
        if (protocol !== "" && protocol !== "CONNECT" && protocol !== "POST")
          report([...at, "protocol"], `expected CONNECT or POST, got "${protocol}"`);
        const problem = isAddress(targetHost) ? undefined : nameProblem(targetHost, "no wildcard");
        if (problem !== undefined) report([...at, "targetHost"], `"${targetHost}" is no host: ${problem}`);
      }),
  },
  {
    name: "destination-rule-tunnel-proxy-protocol",
    holds: "tunnel and proxyProtocol exclude each other.",
    severity: "error",
    check: (spec, report) =>
      eachPolicy(spec, ({ tunnel, proxyProtocol }, path) => {
        if (tunnel !== undefined && proxyProtocol !== undefined)
          report([...path, "proxyProtocol"], "tunnel and proxyProtocol exclude each other", "Keep one of them.");
      }),
  },
];
