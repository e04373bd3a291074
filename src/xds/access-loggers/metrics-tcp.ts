import { once } from "../../base/once.ts";
import { STATS_SCOPE } from "../../base/stats-scope.ts";
import { type Messages, reused, typed } from "../../wire/codec.ts";
import { type MetricsContext, metricTags } from "../metric-tags.ts";
import type { AccessLog } from "../types.ts";
import type { AccessLogger } from "./types.ts";

type Counter = Messages["envoy.extensions.access_loggers.stats.v3.Config.Counter"];
type Filter = Messages["envoy.config.accesslog.v3.AccessLogFilter"];

/** Response flags of a connection whose upstream side never came to be. */
const FAILED = ["UH", "UF", "UO", "NR", "UAEX", "NC"];

/**
 * The standard TCP metrics: connections opened and closed, bytes both ways. Opened is counted when the upstream connection
 * stands, or at the end when it never did; bytes at the end only, because Envoy's periodic records carry running totals.
 * `tcp_proxy` must have `flush_access_log_on_connected`.
 */
export const metricsTcp: AccessLogger = {
  name: "istio.stats",
  protocol: "tcp",
  appliesTo: () => true,
  loggers: (chain) => (chain.direction === "inbound" ? build(chain) : source()),
};

/** A client's loggers are the same on every listener: nothing in them is known before the connection. */
const source = once(() => build({ direction: "outbound", mutualTls: false, service: undefined }));

function build(chain: MetricsContext): readonly AccessLog[] {
  const tags = metricTags(chain, "tcp");
  const count = (name: string, value_format?: string): Counter => ({
    stat: { name, tags },
    ...(value_format === undefined ? { value_fixed: 1 } : { value_format }),
  });
  const stands: Filter = { log_type_filter: { types: ["TcpUpstreamConnected"] } };
  const ended: Filter = { log_type_filter: { types: ["TcpConnectionEnd"] } };
  const failed: Filter = { and_filter: { filters: [ended, { response_flag_filter: { flags: FAILED } }] } };
  return [
    logger("istio.stats.opened", [count("istio_tcp_connections_opened_total")], {
      or_filter: { filters: [stands, failed] },
    }),
    logger(
      "istio.stats.closed",
      [
        count("istio_tcp_connections_closed_total"),
        count("istio_tcp_received_bytes_total", "%BYTES_RECEIVED%"),
        count("istio_tcp_sent_bytes_total", "%BYTES_SENT%"),
      ],
      ended,
    ),
  ];
}

function logger(name: string, counters: readonly Counter[], filter: Filter): AccessLog {
  const config = typed("envoy.extensions.access_loggers.stats.v3.Config", { stats_scope: STATS_SCOPE, counters });
  return { name, filter, typed_config: reused(config) };
}
