import { typed } from "../../wire/codec.ts";
import type { HttpFilter } from "./types.ts";

/** Sends the request on its route's way; every chain ends with it. */
export const router: HttpFilter = {
  name: "envoy.filters.http.router",
  appliesTo: () => true,
  filter: ({ options }) => ({
    name: "envoy.filters.http.router",
    typed_config: typed(
      "envoy.extensions.filters.http.router.v3.Router",
      options.proxy?.headers?.debugHeaders === false ? { suppress_envoy_headers: true } : {},
    ),
  }),
};
