import { typed } from "../../wire/codec.ts";
import type { HttpFilter } from "./types.ts";

/** Cross-origin requests. Off (and free) until a route has a policy of its own. */
export const cors: HttpFilter = {
  name: "envoy.filters.http.cors",
  appliesTo: (chain) => chain.direction !== "inbound",
  filter: () => ({
    name: "envoy.filters.http.cors",
    disabled: true,
    typed_config: typed("envoy.extensions.filters.http.cors.v3.Cors", {}),
  }),
};
