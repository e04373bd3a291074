import { once } from "../../base/once.ts";
import { STATS_SCOPE } from "../../base/stats-scope.ts";
import { type Messages, reused, typed } from "../../wire/codec.ts";
import { type MetricsContext, metricTags } from "../metric-tags.ts";
import type { AccessLog } from "../types.ts";
import type { AccessLogger } from "./types.ts";

type Histogram = Messages["envoy.extensions.access_loggers.stats.v3.Config.Histogram"];

/**
 * The standard HTTP metrics: requests, their duration, and the bytes on the wire, headers included. Counted at the end of
 * each stream. Needs the stat namespace of the bootstrap, without which the names get a prefix `envoy_`.
 */
export const metricsHttp: AccessLogger = {
  name: "istio.stats",
  protocol: "http",
  appliesTo: () => true,
  loggers: (chain) => (chain.direction === "inbound" ? build(chain) : source()),
};

/** A client's logger is the same on every listener: nothing in it is known before the request. */
const source = once(() => build({ direction: "outbound", mutualTls: false, service: undefined }));

function build(chain: MetricsContext): readonly AccessLog[] {
  const tags = metricTags(chain, "http");
  const histogram = (name: string, unit: "Milliseconds" | "Bytes", value_format: string): Histogram => ({
    stat: { name, tags },
    unit,
    value_format,
  });
  const config = typed("envoy.extensions.access_loggers.stats.v3.Config", {
    stats_scope: STATS_SCOPE,
    counters: [{ stat: { name: "istio_requests_total", tags }, value_fixed: 1 }],
    histograms: [
      histogram("istio_request_duration_milliseconds", "Milliseconds", "%DURATION%"),
      histogram("istio_request_bytes", "Bytes", "%DOWNSTREAM_WIRE_BYTES_RECEIVED%"),
      histogram("istio_response_bytes", "Bytes", "%DOWNSTREAM_WIRE_BYTES_SENT%"),
    ],
  });
  return [{ name: "istio.stats", typed_config: reused(config) }];
}
