import { once } from "../../base/once.ts";
import { STATS_SCOPE } from "../../base/stats-scope.ts";
import type { MetricChanges, MetricName } from "../../ir/telemetry.ts";
import { type Messages, reused, typed } from "../../wire/codec.ts";
import { changesOf, perChanges } from "../metric-changes.ts";
import { changedTags, type MetricsContext, metricTags } from "../metric-tags.ts";
import type { AccessLog } from "../types.ts";
import type { AccessLogger } from "./types.ts";

type Config = Messages["envoy.extensions.access_loggers.stats.v3.Config"];
type Histogram = Messages["envoy.extensions.access_loggers.stats.v3.Config.Histogram"];

/**
 * The standard HTTP metrics: requests, their duration, and the bytes on the wire, headers included, as far as Telemetry wants
 * them. Counted at the end of each stream. Needs the stat namespace of the bootstrap, without which the names get a prefix
 * `envoy_`.
 */
export const metricsHttp: AccessLogger = {
  name: "istio.stats",
  protocol: "http",
  appliesTo: (chain) => chain.telemetry?.metrics !== "none",
  loggers: (chain) => (chain.direction === "inbound" ? build(chain) : ofClient(chain.telemetry?.metrics)),
};

const CLIENT = { direction: "outbound", mutualTls: false, service: undefined } as const;

/** A client's logger is the same on every listener: nothing in it is known before the request. */
const source = once(() => build(CLIENT));
const changed = perChanges((metrics) => build({ ...CLIENT, telemetry: { metrics } }));

function ofClient(metrics: MetricChanges | undefined): readonly AccessLog[] {
  return metrics === undefined ? source() : changed(metrics);
}

const HISTOGRAMS: readonly (readonly [MetricName, Omit<Histogram, "stat"> & { readonly name: string }])[] = [
  [
    "REQUEST_DURATION",
    { name: "istio_request_duration_milliseconds", unit: "Milliseconds", value_format: "%DURATION%" },
  ],
  ["REQUEST_SIZE", { name: "istio_request_bytes", unit: "Bytes", value_format: "%DOWNSTREAM_WIRE_BYTES_RECEIVED%" }],
  ["RESPONSE_SIZE", { name: "istio_response_bytes", unit: "Bytes", value_format: "%DOWNSTREAM_WIRE_BYTES_SENT%" }],
];

function build(chain: MetricsContext): readonly AccessLog[] {
  const tags = metricTags(chain, "http");
  const { changeOf, isOn } = changesOf(chain);
  const counters: Config["counters"] = isOn("REQUEST_COUNT")
    ? [
        {
          stat: { name: "istio_requests_total", tags: changedTags(tags, changeOf("REQUEST_COUNT")) },
          value_fixed: 1,
        },
      ]
    : [];
  const histograms = HISTOGRAMS.filter(([metric]) => isOn(metric)).map(([metric, { name, ...rest }]) => ({
    stat: { name, tags: changedTags(tags, changeOf(metric)) },
    ...rest,
  }));
  if (counters.length + histograms.length === 0) return [];
  const config = typed("envoy.extensions.access_loggers.stats.v3.Config", {
    stats_scope: STATS_SCOPE,
    ...(counters.length === 0 ? {} : { counters }),
    ...(histograms.length === 0 ? {} : { histograms }),
  });
  return [{ name: "istio.stats", typed_config: reused(config) }];
}
