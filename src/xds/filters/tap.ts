import { typed } from "../../wire/codec.ts";
import type { HttpFilter } from "./types.ts";

/**
 * Tells single requests to whoever asks at Envoy's admin port (`/tap`): `meshctl tap`. While nobody does it lets all pass. One
 * name for every chain: the admin port has one question open at a time, and that is to see all traffic of the pod.
 */
export const tap: HttpFilter = {
  name: "envoy.filters.http.tap",
  appliesTo: () => true,
  filter: () => ({
    name: "envoy.filters.http.tap",
    typed_config: typed("envoy.extensions.filters.http.tap.v3.Tap", {
      common_config: { admin_config: { config_id: "mesh" } },
      record_headers_received_time: true,
      record_downstream_connection: true,
    }),
  }),
};
