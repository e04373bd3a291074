import { isIP } from "node:net";
import type { AgentConfig, HostPort } from "./config.ts";
import { isRecord } from "./metadata.ts";

type Json = Readonly<Record<string, unknown>>;

/** What the proxy configuration adds to the bootstrap: where statistics, access logs and spans are sent. */
export interface Sinks {
  readonly clusters: readonly Json[];
  readonly statsSinks: readonly Json[];
}

const TYPE = "type.googleapis.com/";
const HTTP_OPTIONS = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions";

/**
 * `statsdUdpAddress`, `envoyMetricsService`, `envoyAccessLogService` and the collector of `tracing`. The clusters
 * `envoy_accesslog_service`, `zipkin` and `datadog_agent` are for loggers and tracers of listeners, which come from meshd:
 * Envoy will drop the tracer of the bootstrap.
 */
export function sinksOf({ proxyConfig }: Pick<AgentConfig, "proxyConfig">): Sinks {
  const statsd = addressOf(proxyConfig["statsdUdpAddress"]);
  const metrics = serviceOf(proxyConfig["envoyMetricsService"], proxyConfig["envoyMetricsServiceAddress"]);
  const logs = serviceOf(proxyConfig["envoyAccessLogService"]);
  const collector = collectorOf(proxyConfig);
  const sinks = [
    ...(statsd === undefined ? [] : [statsdSink(statsd)]),
    ...(metrics === undefined ? [] : [metricsSink()]),
  ];
  return {
    clusters: [
      ...(metrics === undefined ? [] : [grpcCluster(METRICS, metrics)]),
      ...(logs === undefined ? [] : [grpcCluster("envoy_accesslog_service", logs)]),
      ...(collector === undefined ? [] : [collector]),
    ],
    statsSinks: sinks,
  };
}

const METRICS = "envoy_metrics_service";

function statsdSink(at: HostPort): Json {
  return {
    name: "envoy.stat_sinks.statsd",
    typed_config: {
      "@type": `${TYPE}envoy.config.metrics.v3.StatsdSink`,
      address: { socket_address: { protocol: "UDP", address: at.host, port_value: at.port } },
    },
  };
}

function metricsSink(): Json {
  return {
    name: "envoy.stat_sinks.metrics_service",
    typed_config: {
      "@type": `${TYPE}envoy.config.metrics.v3.MetricsServiceConfig`,
      transport_api_version: "V3",
      grpc_service: { envoy_grpc: { cluster_name: METRICS } },
    },
  };
}

interface RemoteService {
  readonly address: HostPort;
  readonly tls: Json | undefined;
  readonly keepalive: Json | undefined;
}

/** A RemoteService, or the deprecated plain address. */
function serviceOf(value: unknown, plain?: unknown): RemoteService | undefined {
  const record = isRecord(value) ? value : {};
  const address = addressOf(record["address"] ?? plain);
  if (address === undefined) return undefined;
  const { tlsSettings, tcpKeepalive } = record;
  return {
    address,
    tls: isRecord(tlsSettings) ? tlsOf(tlsSettings, address.host) : undefined,
    keepalive: isRecord(tcpKeepalive) ? keepaliveOf(tcpKeepalive) : undefined,
  };
}

/** `host:port`; what is not is passed over, as validation has said so already. */
function addressOf(value: unknown): HostPort | undefined {
  const match = typeof value === "string" ? /^(?:\[([0-9a-fA-F:]+)\]|([^:\s]+)):([0-9]+)$/.exec(value) : null;
  return match === null ? undefined : { host: match[1] ?? match[2] ?? "", port: Number(match[3]) };
}

/** TLS as DestinationRules write it; DISABLE and no mode are none. ISTIO_MUTUAL shows the workload's own certificate. */
function tlsOf(settings: Json, host: string): Json | undefined {
  const { mode, sni, caCertificates, clientCertificate, privateKey, subjectAltNames } = settings;
  if (mode !== "SIMPLE" && mode !== "MUTUAL" && mode !== "ISTIO_MUTUAL") return undefined;
  const file = (filename: unknown): Json | undefined => (typeof filename === "string" ? { filename } : undefined);
  const sans = Array.isArray(subjectAltNames)
    ? {
        match_typed_subject_alt_names: subjectAltNames.flatMap((exact: unknown) =>
          ["DNS", "URI"].map((san_type) => ({ san_type, matcher: { exact } })),
        ),
      }
    : {};
  const trusted = file(caCertificates);
  const certificate = { certificate_chain: file(clientCertificate), private_key: file(privateKey) };
  return {
    name: "envoy.transport_sockets.tls",
    typed_config: {
      "@type": `${TYPE}envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext`,
      ...(typeof sni === "string" ? { sni } : isIP(host) === 0 ? { sni: host } : {}),
      common_tls_context: {
        ...(mode === "MUTUAL" ? { tls_certificates: [certificate] } : {}),
        ...(trusted === undefined ? {} : { validation_context: { trusted_ca: trusted, ...sans } }),
      },
    },
  };
}

function keepaliveOf({ probes, time, interval }: Json): Json {
  const seconds = (value: unknown): number | undefined =>
    typeof value === "string" ? Math.round(Number.parseFloat(value)) : undefined;
  const [keepalive_time, keepalive_interval] = [seconds(time), seconds(interval)];
  return {
    tcp_keepalive: {
      ...(typeof probes === "number" ? { keepalive_probes: probes } : {}),
      ...(keepalive_time === undefined ? {} : { keepalive_time }),
      ...(keepalive_interval === undefined ? {} : { keepalive_interval }),
    },
  };
}

function grpcCluster(name: string, { address, tls, keepalive }: RemoteService): Json {
  return {
    ...remoteCluster(name, address),
    ...(tls === undefined ? {} : { transport_socket: tls }),
    ...(keepalive === undefined ? {} : { upstream_connection_options: keepalive }),
    typed_extension_protocol_options: {
      [HTTP_OPTIONS]: { "@type": TYPE + HTTP_OPTIONS, explicit_http_config: { http2_protocol_options: {} } },
    },
  };
}

function remoteCluster(name: string, { host, port }: HostPort): Json {
  const address = { socket_address: { address: host, port_value: port } };
  return {
    name,
    type: isIP(host) === 0 ? "STRICT_DNS" : "STATIC",
    connect_timeout: "1s",
    load_assignment: { cluster_name: name, endpoints: [{ lb_endpoints: [{ endpoint: { address } }] }] },
  };
}

/** The collector of `tracing` that Envoy has a tracer for: a cluster of a fixed name, for the listeners that trace. */
function collectorOf(proxyConfig: Json): Json | undefined {
  const tracing = isRecord(proxyConfig["tracing"]) ? proxyConfig["tracing"] : {};
  const at = (kind: "zipkin" | "datadog"): HostPort | undefined => {
    const value = tracing[kind];
    return addressOf(isRecord(value) ? value["address"] : undefined);
  };
  const zipkin = at("zipkin") ?? addressOf(proxyConfig["zipkinAddress"]);
  const address = zipkin ?? at("datadog");
  if (address === undefined) return undefined;
  const { tlsSettings } = tracing;
  const tls = isRecord(tlsSettings) ? tlsOf(tlsSettings, address.host) : undefined;
  const name = zipkin === undefined ? "datadog_agent" : "zipkin";
  return { ...remoteCluster(name, address), ...(tls === undefined ? {} : { transport_socket: tls }) };
}
