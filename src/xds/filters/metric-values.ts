import { typed } from "../../wire/codec.ts";
import { tagStates } from "../tag-expression.ts";
import type { HttpFilter } from "./types.ts";

/** Values of metrics' labels that Envoy cannot compute where it counts: they are kept with the request when it comes. */
export const metricValues: HttpFilter = {
  name: "istio.metric_values",
  appliesTo: ({ telemetry }) => tagStates(telemetry).length > 0,
  filter: ({ telemetry }) => ({
    name: "istio.metric_values",
    typed_config: typed("envoy.extensions.filters.http.set_filter_state.v3.Config", {
      on_request_headers: tagStates(telemetry),
    }),
  }),
};
