import type { ServiceEntry } from "./types.ts";

const DNAT_CHAIN = "MESHCTL-SERVICES";
const REJECT_CHAIN = "MESHCTL-REJECT";
const HAIRPIN_CHAIN = "MESHCTL-HAIRPIN";

/** Rules that are there before any Service: where the chains hang. For `iptables-restore --noflush`. */
export function baseRules(dialCidr: string): string {
  return [
    "*nat",
    `:${DNAT_CHAIN} - [0:0]`,
    `:${HAIRPIN_CHAIN} - [0:0]`,
    `-A PREROUTING -j ${DNAT_CHAIN}`,
    `-A OUTPUT -j ${DNAT_CHAIN}`,
    `-A POSTROUTING -m conntrack --ctstate DNAT -j ${HAIRPIN_CHAIN}`,
    "COMMIT",
    "*filter",
    `:${REJECT_CHAIN} - [0:0]`,
    `-A FORWARD -j ${REJECT_CHAIN}`,
    `-A OUTPUT -j ${REJECT_CHAIN}`,
    `-A FORWARD -d ${dialCidr} -j DROP`,
    "COMMIT",
    "",
  ].join("\n");
}

/**
 * The node's rules for cluster IPs, in iptables-restore's language: one random choice among the ready endpoints of each port, a
 * refusal where there are none, and a source rewrite for pods that reach themselves through a Service. Replaces the chains whole.
 */
export function serviceRules(services: readonly ServiceEntry[]): string {
  const dnat: string[] = [];
  const reject: string[] = [];
  const addresses = new Set<string>();
  for (const { clusterIp, ports } of services) {
    if (clusterIp === undefined) continue;
    for (const { port, protocol, endpoints } of ports) {
      const name = protocol.toLowerCase();
      if (name !== "tcp" && name !== "udp") continue;
      const match = `-d ${clusterIp}/32 -p ${name} --dport ${port}`;
      endpoints.forEach((endpoint, index) => {
        addresses.add(endpoint.ip);
        const left = endpoints.length - index;
        const share = left === 1 ? "" : ` -m statistic --mode random --probability ${(1 / left).toFixed(10)}`;
        dnat.push(`-A ${DNAT_CHAIN} ${match}${share} -j DNAT --to-destination ${endpoint.ip}:${endpoint.port}`);
      });
      if (endpoints.length === 0) reject.push(`-A ${REJECT_CHAIN} ${match} -j REJECT`);
    }
  }
  const hairpin = [...addresses].sort().map((ip) => `-A ${HAIRPIN_CHAIN} -s ${ip}/32 -d ${ip}/32 -j MASQUERADE`);
  return [
    "*nat",
    `:${DNAT_CHAIN} - [0:0]`,
    `:${HAIRPIN_CHAIN} - [0:0]`,
    ...dnat,
    ...hairpin,
    "COMMIT",
    "*filter",
    `:${REJECT_CHAIN} - [0:0]`,
    ...reject,
    "COMMIT",
    "",
  ].join("\n");
}
