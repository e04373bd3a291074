import { STATS_SCOPE } from "../../base/stats-scope.ts";
import type { MetricName } from "../../ir/telemetry.ts";
import { type Messages, reused, typed } from "../../wire/codec.ts";
import { countedEveryMs, isCountedByAgent, shorterThan } from "../agent-counts.ts";
import { changesOf, perTelemetry } from "../metric-changes.ts";
import { changedTags, type MetricsContext, metricTags } from "../metric-tags.ts";
import type { AccessLog } from "../types.ts";
import type { AccessLogger } from "./types.ts";

type Counter = Messages["envoy.extensions.access_loggers.stats.v3.Config.Counter"];
type Filter = Messages["envoy.config.accesslog.v3.AccessLogFilter"];

/** Response flags of a connection whose upstream side never came to be. */
const FAILED = ["UH", "UF", "UO", "NR", "UAEX", "NC"];

/**
 * The standard TCP metrics, as far as Telemetry wants them: connections opened and closed, bytes both ways. Opened is counted
 * when the upstream connection stands, or at the end when it never did; bytes at the end only, because Envoy's periodic
 * records carry running totals: those of connections that stay open are the agent's (agent-counts.ts). `tcp_proxy` must have `flush_access_log_on_connected`.
 */
export const metricsTcp: AccessLogger = {
  name: "istio.stats",
  protocol: "tcp",
  appliesTo: (chain) => chain.telemetry?.metrics !== "none",
  loggers: (chain) => {
    const live = isCountedByAgent(chain);
    return chain.direction === "inbound" || !live ? build(chain, live) : ofClient(chain.telemetry);
  },
};

const CLIENT = { direction: "outbound", mutualTls: false, service: undefined } as const;

/** A client's loggers are the same on every listener: nothing in them is known before the connection. */
const ofClient = perTelemetry((telemetry) => build(telemetry === undefined ? CLIENT : { ...CLIENT, telemetry }, true));

function build(chain: MetricsContext, live: boolean): readonly AccessLog[] {
  const tags = metricTags(chain, "tcp");
  const { changeOf, isOn } = changesOf(chain);
  const count = (metric: MetricName, name: string, value_format?: string): readonly Counter[] => {
    if (!isOn(metric)) return [];
    const stat = { name, tags: changedTags(tags, changeOf(metric)) };
    return [value_format === undefined ? { stat, value_fixed: 1 } : { stat, value_format }];
  };
  const stands: Filter = { log_type_filter: { types: ["TcpUpstreamConnected"] } };
  const ended: Filter = { log_type_filter: { types: ["TcpConnectionEnd"] } };
  const failed: Filter = { and_filter: { filters: [ended, { response_flag_filter: { flags: FAILED } }] } };
  return [
    ...logger("istio.stats.opened", count("TCP_OPENED_CONNECTIONS", "istio_tcp_connections_opened_total"), {
      or_filter: { filters: [stands, failed] },
    }),
    ...logger("istio.stats.closed", count("TCP_CLOSED_CONNECTIONS", "istio_tcp_connections_closed_total"), ended),
    ...logger(
      "istio.stats.bytes",
      [
        ...count("TCP_RECEIVED_BYTES", "istio_tcp_received_bytes_total", "%BYTES_RECEIVED%"),
        ...count("TCP_SENT_BYTES", "istio_tcp_sent_bytes_total", "%BYTES_SENT%"),
      ],
      live ? { and_filter: { filters: [ended, shorterThan(countedEveryMs(chain))] } } : ended,
    ),
  ];
}

function logger(name: string, counters: readonly Counter[], filter: Filter): readonly AccessLog[] {
  if (counters.length === 0) return [];
  const config = typed("envoy.extensions.access_loggers.stats.v3.Config", { stats_scope: STATS_SCOPE, counters });
  return [{ name, filter, typed_config: reused(config) }];
}
