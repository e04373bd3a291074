import { typed } from "../../wire/codec.ts";
import type { HttpFilter } from "./types.ts";

/** Injected delays and aborts. Off (and free) until a route has a fault of its own. */
export const fault: HttpFilter = {
  name: "envoy.filters.http.fault",
  appliesTo: (chain) => chain.direction !== "inbound",
  filter: () => ({
    name: "envoy.filters.http.fault",
    disabled: true,
    typed_config: typed("envoy.extensions.filters.http.fault.v3.HTTPFault", {}),
  }),
};
