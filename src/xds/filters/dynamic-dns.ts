import { typed } from "../../wire/codec.ts";
import { DNS_CACHE } from "../dns-cache.ts";
import type { HttpFilter } from "./types.ts";

/** Holds a request to a host of a wildcard entry (resolution DYNAMIC_DNS) until its address is known. */
export const dynamicDns: HttpFilter = {
  name: "envoy.filters.http.dynamic_forward_proxy",
  appliesTo: ({ needs = [] }) => needs.includes("dynamic-dns"),
  filter: () => ({
    name: "envoy.filters.http.dynamic_forward_proxy",
    typed_config: typed("envoy.extensions.filters.http.dynamic_forward_proxy.v3.FilterConfig", {
      dns_cache_config: DNS_CACHE,
    }),
  }),
};
