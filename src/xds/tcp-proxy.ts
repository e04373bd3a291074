import { compact } from "../base/compact.ts";
import type { TcpFeatures } from "../ir/listener.ts";
import type { WeightedCluster } from "../ir/route.ts";
import { type Messages, typed } from "../wire/codec.ts";
import { accessLogs } from "./access-loggers/order.ts";
import { countedEveryMs, isCountedByAgent } from "./agent-counts.ts";
import { connectionLimits, isDialledAgain } from "./connection-limits.ts";
import { DNS_CACHE } from "./dns-cache.ts";
import { maybeSeconds } from "./duration.ts";
import { networkFilters } from "./network-filters/order.ts";
import type { ChainContext, NetworkFilter } from "./types.ts";

type TcpProxy = Messages["envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy"];

/** Where bytes go: one cluster by name, or several by weight. */
export type TcpTarget = string | readonly WeightedCluster[];

/**
 * The filters of a chain that passes bytes on. Behind mutual TLS the upstream connection waits for the handshake:
 * otherwise it, and the record of it, come before the peer is known.
 */
export function tcpFilters(
  chain: ChainContext,
  statPrefix: string,
  target: TcpTarget,
  features: TcpFeatures = {},
): readonly NetworkFilter[] {
  // Envoy would not find the cluster where the handshake is over before the service has answered
  const waits = chain.mutualTls && connectionLimits(chain).length === 0;
  const config: TcpProxy = compact({
    stat_prefix: statPrefix,
    ...cluster(target),
    ...asked(features),
    access_log: accessLogs(chain, "tcp"),
    access_log_options: {
      flush_access_log_on_connected: true,
      ...(isCountedByAgent(chain) ? { access_log_flush_interval: `${countedEveryMs(chain) / 1000}s` } : {}),
    },
    upstream_connect_mode: waits ? ("ON_DOWNSTREAM_TLS_HANDSHAKE" as const) : undefined,
    max_early_data_bytes: waits || isDialledAgain(chain) ? 0 : undefined,
    ...(isDialledAgain(chain) ? AGAIN : {}),
  });
  return [
    ...networkFilters(chain, "tcp"),
    ...byServerName(features),
    {
      name: "envoy.filters.network.tcp_proxy",
      typed_config: typed("envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy", config),
    },
  ];
}

/** About three seconds for a handshake: before it a connection leads nowhere. */
const AGAIN: TcpProxy = {
  max_connect_attempts: 20,
  backoff_options: { base_interval: "0.005s", max_interval: "0.5s" },
};

function asked({ hashSourceIp, idleTimeoutMs, maxConnectionDurationMs, tunnel }: TcpFeatures): TcpProxy {
  return compact({
    idle_timeout: maybeSeconds(idleTimeoutMs),
    max_downstream_connection_duration: maybeSeconds(maxConnectionDurationMs),
    hash_policy: hashSourceIp === true ? [{ source_ip: {} }] : undefined,
    tunneling_config: tunnel && compact({ hostname: tunnel.target, use_post: tunnel.post ? true : undefined }),
  });
}

function byServerName({ byServerName: asked }: TcpFeatures): readonly NetworkFilter[] {
  if (asked === undefined) return [];
  return [
    {
      name: "envoy.filters.network.sni_dynamic_forward_proxy",
      typed_config: typed("envoy.extensions.filters.network.sni_dynamic_forward_proxy.v3.FilterConfig", {
        dns_cache_config: DNS_CACHE,
        port_value: asked.port,
      }),
    },
  ];
}

/** A chain that takes a connection and closes it: a proxy must not be dialled at its own capture ports. */
export function blackHole(name: string, statPrefix: string): readonly NetworkFilter[] {
  return [
    {
      name: "envoy.filters.network.tcp_proxy",
      typed_config: typed("envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy", {
        stat_prefix: statPrefix,
        cluster: name,
      }),
    },
  ];
}

function cluster(target: TcpTarget): Pick<TcpProxy, "cluster" | "weighted_clusters"> {
  if (typeof target === "string") return { cluster: target };
  const clusters = target.filter((part) => part.weight > 0);
  const only = clusters[0];
  if (only === undefined) return { cluster: "BlackHoleCluster" };
  if (clusters.length === 1) return { cluster: only.cluster };
  return { weighted_clusters: { clusters: clusters.map(({ cluster: name, weight }) => ({ name, weight })) } };
}
