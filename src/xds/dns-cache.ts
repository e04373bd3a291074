import type { Messages } from "../wire/codec.ts";

/** The addresses of hosts that are found when they are asked for. Clusters and filters share it, so it is written once. */
export const DNS_CACHE: Messages["envoy.extensions.common.dynamic_forward_proxy.v3.DnsCacheConfig"] = {
  name: "dynamic_dns",
  dns_lookup_family: "V4_PREFERRED",
};
