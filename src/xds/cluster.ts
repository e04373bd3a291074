import { compact } from "../base/compact.ts";
import type { Cluster, ConnectionPool, OutlierDetection } from "../ir/cluster.ts";
import { type Messages, typed } from "../wire/codec.ts";
import { clusterTls } from "./cluster-tls.ts";
import { configPath } from "./config-path.ts";
import { seconds } from "./duration.ts";
import { buildEndpoints } from "./endpoints.ts";
import type { EnvoyCluster, XdsOptions } from "./types.ts";

type HttpOptions = Messages["envoy.extensions.upstreams.http.v3.HttpProtocolOptions"];
type Thresholds = Messages["envoy.config.cluster.v3.CircuitBreakers.Thresholds"];

const CONNECT_TIMEOUT_MS = 10_000;
/** No limit, said in Envoy's way: its own defaults (1024) are far too low for a mesh. */
const UNLIMITED = 4_294_967_295;
const HTTP_OPTIONS = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions";

/**
 * One Envoy cluster. Reads every field of ir.Cluster. One cluster serves HTTP/1, HTTP/2 and TCP of a service port: which
 * HTTP it speaks follows the port's protocol, which ALPN it offers is decided per request (filters/alpn.ts).
 */
export function buildCluster(cluster: Cluster, options: XdsOptions): EnvoyCluster {
  return compact({
    name: cluster.name,
    // stats are named by the cluster; the mark shows where its name ends
    alt_stat_name: `${cluster.name};`,
    ...discovery(cluster),
    connect_timeout: seconds(cluster.connectionPool.connectTimeoutMs ?? CONNECT_TIMEOUT_MS),
    lb_policy: lbPolicy(cluster),
    circuit_breakers: { thresholds: [thresholds(cluster.connectionPool)] },
    outlier_detection: cluster.outlierDetection === undefined ? undefined : outliers(cluster.outlierDetection),
    common_lb_config: panicThreshold(cluster.outlierDetection),
    typed_extension_protocol_options: httpOptions(cluster),
    upstream_bind_config:
      cluster.sourceAddress === undefined
        ? undefined
        : { source_address: { address: cluster.sourceAddress, port_value: 0 } },
    ...clusterTls(cluster, options),
    metadata: { filter_metadata: metadata(cluster) },
  });
}

function discovery(cluster: Cluster): Partial<EnvoyCluster> {
  const assignment = { load_assignment: buildEndpoints({ clusterName: cluster.name, endpoints: cluster.endpoints }) };
  switch (cluster.discovery) {
    case "eds":
      return {
        type: "EDS",
        eds_cluster_config: {
          service_name: cluster.name,
          eds_config: { ads: {}, resource_api_version: "V3", initial_fetch_timeout: "0s" },
        },
      };
    case "original-dst":
      return { type: "ORIGINAL_DST" };
    case "strict-dns":
      return { ...byDns(false), ...assignment };
    case "logical-dns":
      return { ...byDns(true), ...assignment };
    case "static":
    case "none":
      return cluster.endpoints.length === 0 ? { type: "STATIC" } : { type: "STATIC", ...assignment };
  }
}

/** Endpoints by DNS: each address one of them, or (logical) all of them one endpoint, for names with changing answers. */
function byDns(logical: boolean): EnvoyCluster {
  return {
    cluster_type: {
      name: "envoy.cluster.dns",
      typed_config: typed("envoy.extensions.clusters.dns.v3.DnsCluster", {
        dns_refresh_rate: "60s",
        respect_dns_ttl: true,
        dns_lookup_family: "V4_PREFERRED",
        all_addresses_in_single_endpoint: logical,
      }),
    },
  };
}

function lbPolicy(cluster: Cluster): EnvoyCluster["lb_policy"] {
  if (cluster.discovery === "original-dst" || cluster.loadBalancer === "PASSTHROUGH") return "CLUSTER_PROVIDED";
  return cluster.loadBalancer;
}

function thresholds(pool: ConnectionPool): Thresholds {
  return {
    max_connections: pool.maxConnections ?? UNLIMITED,
    max_pending_requests: pool.maxPendingRequests ?? UNLIMITED,
    max_requests: pool.maxRequests ?? UNLIMITED,
    max_retries: pool.maxRetries ?? UNLIMITED,
    track_remaining: true,
  };
}

function outliers(detection: OutlierDetection): NonNullable<EnvoyCluster["outlier_detection"]> {
  const five = detection.consecutive5xx;
  const gateway = detection.consecutiveGatewayErrors;
  return compact({
    consecutive_5xx: five === 0 ? undefined : five,
    enforcing_consecutive_5xx: five === undefined ? undefined : five === 0 ? 0 : 100,
    consecutive_gateway_failure: gateway === 0 ? undefined : gateway,
    enforcing_consecutive_gateway_failure: gateway === undefined ? undefined : gateway === 0 ? 0 : 100,
    interval: duration(detection.intervalMs),
    base_ejection_time: duration(detection.baseEjectionTimeMs),
    max_ejection_percent: detection.maxEjectionPercent,
    enforcing_success_rate: 0,
  });
}

/** With outlier detection the mesh's default is no panic: rather refuse than send to ejected endpoints. */
function panicThreshold(detection: OutlierDetection | undefined): EnvoyCluster["common_lb_config"] {
  return detection === undefined ? undefined : { healthy_panic_threshold: { value: detection.minHealthPercent ?? 0 } };
}

function duration(milliseconds: number | undefined): string | undefined {
  return milliseconds === undefined ? undefined : seconds(milliseconds);
}

/** Which HTTP goes upstream; nothing at all for clusters that only carry bytes. */
function httpOptions(cluster: Cluster): EnvoyCluster["typed_extension_protocol_options"] {
  const { idleTimeoutMs, maxRequestsPerConnection } = cluster.connectionPool;
  const common = compact({
    idle_timeout: duration(idleTimeoutMs),
    max_requests_per_connection: maxRequestsPerConnection,
  });
  const protocol = upstreamProtocol(cluster);
  if (protocol === undefined) return undefined;
  const tls = cluster.tls;
  const originates = tls !== undefined && (tls.mode === "simple" || tls.mode === "mutual") && tls.sni === "";
  const options: HttpOptions = compact({
    ...protocol,
    common_http_protocol_options: Object.keys(common).length === 0 ? undefined : common,
    // the server is asked for by the name that the request carries, and must prove it
    upstream_http_protocol_options: originates ? { auto_sni: true, auto_san_validation: true } : undefined,
  });
  return { [HTTP_OPTIONS]: typed(HTTP_OPTIONS, options) };
}

function upstreamProtocol(cluster: Cluster): HttpOptions | undefined {
  const follow: HttpOptions = {
    use_downstream_protocol_config: { http_protocol_options: {}, http2_protocol_options: {} },
  };
  switch (cluster.protocol) {
    case "http2":
    case "grpc":
      return { explicit_http_config: { http2_protocol_options: {} } };
    case "http":
      // what a client sent over h2 is handed to the application as it came
      return cluster.direction === "inbound" ? follow : { explicit_http_config: { http_protocol_options: {} } };
    case "auto":
      return follow;
    case "https":
    case "tls":
    case "tcp":
    case "udp":
      // passthrough has no protocol of its own, and HTTP may come to it
      return cluster.service === undefined && cluster.discovery === "original-dst" ? follow : undefined;
  }
}

/** `istio.svc` has flat keys, which format strings can address; `istio` is what Istio's tools read. */
function metadata(cluster: Cluster): NonNullable<NonNullable<EnvoyCluster["metadata"]>["filter_metadata"]> {
  const { service, subset, meshExternal, provenance } = cluster;
  const services = service === undefined ? undefined : [{ ...service }];
  return {
    istio: compact({
      config: configPath(provenance),
      services,
      subset: subset === "" ? undefined : subset,
      external: meshExternal ? true : undefined,
    }),
    "istio.svc":
      service === undefined
        ? { host: "unknown", name: cluster.name, namespace: "unknown" }
        : { host: service.host, name: service.name, namespace: service.namespace },
  };
}
