import type { PeerAuthenticationSpec } from "../gen/schema-types.ts";
import type { Rules } from "./rule.ts";
import { selectorRules } from "./shared/targets.ts";

/** Rules of PeerAuthentication. */
export const peerAuthenticationRules: Rules<PeerAuthenticationSpec> = [
  {
    name: "peer-authentication-port-selector",
    holds: "Modes by port come with a selector.",
    severity: "error",
    check: (spec, report) => {
      const ports = Object.keys(spec.portLevelMtls ?? {}).length;
      if (ports > 0 && Object.keys(spec.selector?.matchLabels ?? {}).length === 0)
        report(["portLevelMtls"], "portLevelMtls needs a selector with labels", "Add selector.matchLabels.");
    },
  },
  {
    name: "peer-authentication-ports",
    holds: "Modes by port are for at least one port, from 1 to 65535.",
    severity: "error",
    check: ({ portLevelMtls }, report) => {
      if (portLevelMtls === undefined) return;
      const ports = Object.keys(portLevelMtls);
      if (ports.length === 0) report(["portLevelMtls"], "expected at least one port", "Add a port, or remove it.");
      for (const port of ports)
        if (!/^[1-9]\d{0,4}$/.test(port) || Number(port) > 65535)
          report(
            ["portLevelMtls", port],
            `expected a port from 1 to 65535, got "${port}"`,
            "Write the container's port.",
          );
    },
  },
  ...selectorRules<PeerAuthenticationSpec>("peer-authentication"),
];
