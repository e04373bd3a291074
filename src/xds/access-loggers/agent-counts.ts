import { AGENT_SDS_CLUSTER } from "../../base/agent-sds.ts";
import { COUNTED_EVERY_MS, COUNTS } from "../../base/agent-counts.ts";
import { once } from "../../base/once.ts";
import type { MetricChanges, MetricName } from "../../ir/telemetry.ts";
import { type Messages, reused, typed } from "../../wire/codec.ts";
import { formattersOf } from "../log-format.ts";
import { changedTags, type MetricsContext, metricTags } from "../metric-tags.ts";
import type { AccessLog, ChainContext } from "../types.ts";
import { changesOf, perChanges } from "./metric-changes.ts";
import type { AccessLogger } from "./types.ts";

type Filter = Messages["envoy.config.accesslog.v3.AccessLogFilter"];

/** Some metrics whose values come in one record. */
interface Told {
  readonly metrics: readonly (readonly [metric: MetricName, name: string, value: string])[];
  readonly more: Readonly<Record<string, string>>;
  readonly protocol: "http" | "tcp";
  readonly filter: Filter;
}

const NAME = "istio.stats.agent";
const CLIENT = { direction: "outbound", mutualTls: false, service: undefined } as const;

/** A duration of at least so long. */
const LONG: Filter = { duration_filter: { comparison: comparison("GE", COUNTED_EVERY_MS) } };

/** Connections that Envoy's own counters count at their end: those of which the agent has heard nothing. */
export const SHORT: Filter = { duration_filter: { comparison: comparison("LE", COUNTED_EVERY_MS - 1) } };

function comparison(op: "GE" | "LE", milliseconds: number): Messages["envoy.config.accesslog.v3.ComparisonFilter"] {
  return { op, value: { default_value: milliseconds, runtime_key: "istio.stats.counted_every_ms" } };
}

const TCP: Told = {
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
        { and_filter: { filters: [{ log_type_filter: { types: ["TcpConnectionEnd"] } }, LONG] } },
      ],
    },
  },
};

/** Whether the agent of the chain's proxy takes records. */
export function isCountedByAgent({ options }: Pick<ChainContext, "options">): boolean {
  return options.proxy?.agent !== "foreign";
}

/** Bytes of connections that stay open, every few seconds and at their end. */
export const liveBytes: AccessLogger = {
  name: NAME,
  protocol: "tcp",
  appliesTo: (chain) => chain.telemetry?.metrics !== "none" && isCountedByAgent(chain),
  loggers: (chain) => (chain.direction === "inbound" ? build(TCP, chain) : ofClient(chain.telemetry?.metrics)),
};

/** A client's loggers are the same on every listener: nothing in them is known before the connection. */
const source = once(() => build(TCP, CLIENT));
const changed = perChanges((metrics) => build(TCP, { ...CLIENT, telemetry: { metrics } }));

function ofClient(metrics: MetricChanges | undefined): readonly AccessLog[] {
  return metrics === undefined ? source() : changed(metrics);
}

/** Metrics with the same labels share a record. */
function build({ metrics, more, protocol, filter }: Told, chain: MetricsContext): readonly AccessLog[] {
  const { changeOf, isOn } = changesOf(chain);
  const groups = new Map<string, (typeof metrics)[number][]>();
  for (const entry of metrics.filter(([metric]) => isOn(metric))) {
    const key = JSON.stringify(changeOf(entry[0]) ?? null);
    groups.set(key, [...(groups.get(key) ?? []), entry]);
  }
  return [...groups.values()].map((told): AccessLog => {
    const [[first] = metrics[0] ?? ["TCP_SENT_BYTES"]] = told;
    const labels = changedTags(metricTags(chain, protocol), changeOf(first)).map(
      ({ name = "", value_format = "" }) => [name, value_format] as const,
    );
    const attributes = [
      [COUNTS.metrics + told.map(([, name]) => name).join(","), told.map(([, , value]) => value).join(",")] as const,
      ...Object.entries(more),
      ...labels,
    ];
    const formatters = formattersOf(attributes.map(([, text]) => text).join(""));
    const config = typed("envoy.extensions.access_loggers.open_telemetry.v3.OpenTelemetryAccessLogConfig", {
      log_name: NAME,
      grpc_service: { envoy_grpc: { cluster_name: AGENT_SDS_CLUSTER } },
      disable_builtin_labels: true,
      attributes: { values: attributes.map(([key, text]) => ({ key, value: { string_value: text } })) },
      ...(formatters.length === 0 ? {} : { formatters }),
    });
    return { name: NAME, filter, typed_config: reused(config) };
  });
}
