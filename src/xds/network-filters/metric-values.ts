import { typed } from "../../wire/codec.ts";
import { tagStates } from "../tag-expression.ts";
import type { MeshNetworkFilter } from "./types.ts";

/** The same of connections whose bytes are passed on; who calls is known by the handshake. */
export const metricValues: MeshNetworkFilter = {
  name: "istio.metric_values",
  speaks: "tcp",
  appliesTo: ({ telemetry }) => tagStates(telemetry).length > 0,
  filter: ({ telemetry, mutualTls }) => {
    const states = tagStates(telemetry);
    return {
      name: "istio.metric_values",
      typed_config: typed(
        "envoy.extensions.filters.network.set_filter_state.v3.Config",
        mutualTls ? { on_downstream_tls_handshake: states } : { on_new_connection: states },
      ),
    };
  },
};
