import { compact } from "../../base/compact.ts";
import type { Cluster, ConnectionPool } from "../../ir/cluster.ts";
import type { Messages } from "../../wire/codec.ts";
import { maybeSeconds, seconds } from "../duration.ts";
import type { ClusterFeature } from "./types.ts";

type Thresholds = Messages["envoy.config.cluster.v3.CircuitBreakers.Thresholds"];

const CONNECT_TIMEOUT_MS = 10_000;
/** No limit, said in Envoy's way: its own defaults (1024) are far too low for a mesh. */
const UNLIMITED = 4_294_967_295;

/** Limits of connections and requests, and how connections are made and kept. */
export const connections: ClusterFeature = {
  fields: (cluster) =>
    compact({
      connect_timeout: seconds(cluster.connectionPool.connectTimeoutMs ?? CONNECT_TIMEOUT_MS),
      circuit_breakers: { thresholds: [thresholds(cluster.connectionPool)] },
      upstream_connection_options: keepalive(cluster.connectionPool),
      upstream_bind_config: bind(cluster),
    }),
};

function thresholds(pool: ConnectionPool): Thresholds {
  const { retryBudget } = pool;
  return compact({
    max_connections: pool.maxConnections ?? UNLIMITED,
    max_pending_requests: pool.maxPendingRequests ?? UNLIMITED,
    max_requests: pool.maxRequests ?? UNLIMITED,
    max_retries: pool.maxRetries ?? UNLIMITED,
    track_remaining: true,
    retry_budget:
      retryBudget &&
      compact({
        budget_percent: { value: retryBudget.percent },
        budget_interval: maybeSeconds(retryBudget.intervalMs),
        min_retry_concurrency: retryBudget.minConcurrency,
      }),
  });
}

type Options = Messages["envoy.config.cluster.v3.UpstreamConnectionOptions"];

function keepalive({ tcpKeepalive }: ConnectionPool): Options | undefined {
  if (tcpKeepalive === undefined) return undefined;
  const { probes, timeS, intervalS } = tcpKeepalive;
  return {
    tcp_keepalive: compact({ keepalive_probes: probes, keepalive_time: timeS, keepalive_interval: intervalS }),
  };
}

function bind({ sourceAddress }: Cluster): Messages["envoy.config.core.v3.BindConfig"] | undefined {
  return sourceAddress === undefined ? undefined : { source_address: { address: sourceAddress, port_value: 0 } };
}
