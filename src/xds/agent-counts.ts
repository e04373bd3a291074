import { COUNTED_EVERY_MS, COUNTS } from "../base/agent-counts.ts";
import { AGENT_SDS_CLUSTER } from "../base/agent-sds.ts";
import type { MetricName } from "../ir/telemetry.ts";
import { changesOf } from "./metric-changes.ts";
import { type Messages, reused, typed } from "../wire/codec.ts";
import { formattersOf } from "./log-format.ts";
import { changedTags, type MetricsContext, metricTags } from "./metric-tags.ts";
import type { AccessLog, ChainContext } from "./types.ts";

type Filter = Messages["envoy.config.accesslog.v3.AccessLogFilter"];

/** Some metrics whose values come in one record. */
export interface Told {
  readonly metrics: readonly (readonly [metric: MetricName, name: string, value: string])[];
  readonly more: Readonly<Record<string, string>>;
  readonly protocol: "http" | "tcp";
  readonly filter: Filter;
}

/** The name of the loggers. */
export const AGENT_LOGGER = "istio.stats.agent";

/** How often a chain's open connections are told. */
export function countedEveryMs({ telemetry }: Pick<ChainContext, "telemetry">): number {
  return telemetry?.reportingMs ?? COUNTED_EVERY_MS;
}

/** Connections that Envoy's own counters count at their end: those of which the agent has heard nothing. */
export function shorterThan(milliseconds: number): Filter {
  return { duration_filter: { comparison: comparison("LE", milliseconds - 1) } };
}

function comparison(op: "GE" | "LE", milliseconds: number): Messages["envoy.config.accesslog.v3.ComparisonFilter"] {
  return { op, value: { default_value: milliseconds, runtime_key: "istio.stats.counted_every_ms" } };
}

/** Bytes of connections that are told so often. */
export function toldBytes(milliseconds: number): Told {
  const atLeast: Filter = { duration_filter: { comparison: comparison("GE", milliseconds) } };
  return {
    metrics: [
      ["TCP_RECEIVED_BYTES", "istio_tcp_received_bytes_total", "%BYTES_RECEIVED%"],
      ["TCP_SENT_BYTES", "istio_tcp_sent_bytes_total", "%BYTES_SENT%"],
    ],
    more: { [COUNTS.id]: "%CONNECTION_ID%", [COUNTS.type]: "%ACCESS_LOG_TYPE%" },
    protocol: "tcp",
    filter: {
      or_filter: {
        filters: [
          { log_type_filter: { types: ["TcpPeriodic"] } },
          { and_filter: { filters: [{ log_type_filter: { types: ["TcpConnectionEnd"] } }, atLeast] } },
        ],
      },
    },
  };
}

/** What the filter grpc_stats has counted when the call is over: `2,1`. */
const MESSAGES = "%FILTER_STATE(envoy.filters.http.grpc_stats:PLAIN)%";

/** Messages of gRPC calls. */
export const GRPC_MESSAGES: Told = {
  metrics: [
    ["GRPC_REQUEST_MESSAGES", "istio_request_messages_total", MESSAGES],
    ["GRPC_RESPONSE_MESSAGES", "istio_response_messages_total", MESSAGES],
  ],
  more: {},
  protocol: "http",
  filter: {
    header_filter: { header: { name: "content-type", string_match: { prefix: "application/grpc" } } },
  },
};

/** Whether the agent of the chain's proxy takes records. */
export function isCountedByAgent({ options }: Pick<ChainContext, "options">): boolean {
  return options.proxy?.agent !== "foreign";
}

/** Whether messages of gRPC are counted: where a port is declared as gRPC, and at gateways. */
export function isGrpcCounted(chain: ChainContext): boolean {
  const { direction, needs = [], telemetry } = chain;
  const isAsked = direction === "gateway" || needs.includes("grpc");
  return isAsked && telemetry?.metrics !== "none" && isCountedByAgent(chain);
}

/** The loggers of what is told. Metrics with the same labels share a record. */
export function agentLoggers({ metrics, more, protocol, filter }: Told, chain: MetricsContext): readonly AccessLog[] {
  const { changeOf, isOn } = changesOf(chain);
  const groups = new Map<string, (typeof metrics)[number][]>();
  for (const entry of metrics.filter(([metric]) => isOn(metric))) {
    const key = JSON.stringify(changeOf(entry[0]) ?? null);
    groups.set(key, [...(groups.get(key) ?? []), entry]);
  }
  return [...groups.values()].map((told): AccessLog => {
    const [[first] = metrics[0] ?? ["TCP_SENT_BYTES"]] = told;
    const labels = changedTags(metricTags(chain, protocol), changeOf(first)).map(
      // a rule cannot be written in a record; the one there is tells gRPC from the rest
      ({ name = "", value_format = "", rules }) => [name, rules === undefined ? value_format : "grpc"] as const,
    );
    const attributes = [...valuesOf(told), ...Object.entries(more), ...labels];
    const formatters = formattersOf(attributes.map(([, text]) => text).join(""));
    const config = typed("envoy.extensions.access_loggers.open_telemetry.v3.OpenTelemetryAccessLogConfig", {
      log_name: AGENT_LOGGER,
      grpc_service: { envoy_grpc: { cluster_name: AGENT_SDS_CLUSTER } },
      disable_builtin_labels: true,
      attributes: { values: attributes.map(([key, text]) => ({ key, value: { string_value: text } })) },
      ...(formatters.length === 0 ? {} : { formatters }),
    });
    return { name: AGENT_LOGGER, filter, typed_config: reused(config) };
  });
}

/** Names and numbers. Messages come as a pair, of which a metric that is told alone takes its part. */
function valuesOf(told: Told["metrics"]): readonly (readonly [string, string])[] {
  const [[, name, value] = ["", "", ""], second] = told;
  if (value !== MESSAGES)
    return [[COUNTS.metrics + told.map((one) => one[1]).join(","), told.map((one) => one[2]).join(",")]];
  if (second !== undefined) return [[`${COUNTS.metrics}${name},${second[1]}`, MESSAGES]];
  // a name that is empty counts nothing
  return [[name.includes("request") ? `${COUNTS.metrics}${name},` : `${COUNTS.metrics},${name}`, MESSAGES]];
}
