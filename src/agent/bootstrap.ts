import { isIP } from "node:net";
import { AGENT_SDS, AGENT_SDS_CLUSTER, CONTROL_PLANE_ROOTS } from "../base/agent-sds.ts";
import { scopePinningLogger, statNamespaceExtension, statsConfig } from "./bootstrap-stats.ts";
import { sinksOf } from "./bootstrap-sinks.ts";
import { type AgentConfig, type HostPort, PATHS } from "./config.ts";
import { isRecord } from "./metadata.ts";

/** Envoy's own back-off grows to 30 s while meshd is away: a proxy must be back within seconds of the next meshd. */
const ADS_RETRY = { retry_back_off: { base_interval: "0.1s", max_interval: "1s" } } as const;

/** Envoy's bootstrap in proto JSON form (field names as in the protos): what is written to envoy-rev.json. */
export type Bootstrap = Readonly<Record<string, unknown>>;

const TYPE = "type.googleapis.com/";
const HTTP_OPTIONS = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions";
const MANY = 100_000;
const NO_LIMIT = 2_147_483_647;
const JSON_LOG = { time: "%Y-%m-%dT%T.%fZ", level: "%l", scope: "envoy %n", message: "%j" };

/**
 * The bootstrap of one proxy. Envoy takes its certificate from the agent's unix socket and its configuration straight
 * from meshd (design D9), so the agent may die without the configuration path noticing.
 * `discovery` is where meshd is dialled: a name for DNS, or an address when one is known.
 */
export function buildBootstrap(config: AgentConfig, discovery: HostPort): Bootstrap {
  const sinks = sinksOf(config);
  return {
    ...(sinks.statsSinks.length === 0 ? {} : { stats_sinks: sinks.statsSinks }),
    node: { id: config.nodeId, cluster: config.nodeCluster, metadata: config.metadata },
    admin: {
      address: socketAddress(config.addresses.admin, config.ports.admin),
      ignore_global_conn_limit: true,
    },
    ...(config.logAsJson ? { application_log_config: { log_format: { json_format: JSON_LOG } } } : {}),
    layered_runtime: layeredRuntime(config),
    bootstrap_extensions: [statNamespaceExtension()],
    stats_config: statsConfig(config),
    ...clusterManager(config),
    stats_flush_interval: "5s",
    stats_eviction_interval: "300s",
    dynamic_resources: dynamicResources(),
    static_resources: {
      clusters: [
        xdsCluster(config, discovery),
        sdsCluster(),
        agentCluster(config),
        adminCluster(config),
        ...sinks.clusters,
      ],
      listeners: [prometheusListener(config), readinessListener(config)],
    },
    overload_manager: {
      resource_monitors: [
        {
          name: "envoy.resource_monitors.global_downstream_max_connections",
          typed_config: {
            "@type": `${TYPE}envoy.extensions.resource_monitors.downstream_connections.v3.DownstreamConnectionsConfig`,
            max_active_downstream_connections: connectionLimit(config),
          },
        },
      ],
    },
  };
}

/** How many client connections the proxy holds at once: by the environment, by runtime (as it was set before), by its settings. */
function connectionLimit({ metadata, proxyConfig }: AgentConfig): number {
  const { runtimeValues, connectionSettings } = proxyConfig;
  const of = (value: unknown, name: string): unknown => (isRecord(value) ? value[name] : undefined);
  const wishes = [
    metadata["GLOBAL_DOWNSTREAM_MAX_CONNECTIONS"],
    of(runtimeValues, "overload.global_downstream_max_connections"),
    of(connectionSettings, "globalDownstreamConnectionLimit"),
  ].map(Number);
  return wishes.find((limit) => Number.isInteger(limit) && limit > 0 && limit < NO_LIMIT) ?? NO_LIMIT;
}

/**
 * The mark by which capture rules let Envoy's own connections pass. Clusters that bind to an address of their own (those to the
 * application) have none: the rules know that address.
 */
function clusterManager({ socketMark }: AgentConfig): Readonly<Record<string, unknown>> {
  if (socketMark === undefined) return {};
  const [SOL_SOCKET, SO_MARK] = [1, 36];
  const mark = { description: "mark", level: SOL_SOCKET, name: SO_MARK, int_value: socketMark, state: "STATE_PREBIND" };
  return { cluster_manager: { upstream_bind_config: { socket_options: [mark] } } };
}

function layeredRuntime(config: AgentConfig): unknown {
  const own = config.proxyConfig["runtimeValues"];
  return {
    layers: [
      {
        name: "deprecation",
        static_layer: {
          "re2.max_program_size.error_level": 32_768,
          "envoy.reloadable_features.http_reject_path_with_fragment": false,
          ...(typeof own === "object" && own !== null ? own : {}),
        },
      },
      { name: "admin", admin_layer: {} },
    ],
  };
}

function dynamicResources(): unknown {
  const ads = { ads: {}, resource_api_version: "V3", initial_fetch_timeout: "0s" };
  return {
    lds_config: ads,
    cds_config: ads,
    ads_config: {
      api_type: "DELTA_GRPC",
      transport_api_version: "V3",
      set_node_on_first_message_only: true,
      grpc_services: [{ envoy_grpc: { cluster_name: "xds-grpc", retry_policy: ADS_RETRY } }],
    },
  };
}

/**
 * meshd. One request (the stream) per connection: each new stream then handshakes with the certificate of the moment.
 * HTTP/2 pings find a peer that went away without closing.
 */
function xdsCluster(config: AgentConfig, discovery: HostPort): unknown {
  const name = "xds-grpc";
  return {
    name,
    ...(isIP(discovery.host) === 0 ? { type: "STRICT_DNS", dns_lookup_family: "V4_PREFERRED" } : { type: "STATIC" }),
    connect_timeout: "1s",
    load_assignment: loadAssignment(name, socketAddress(discovery.host, discovery.port)),
    circuit_breakers: {
      thresholds: ["DEFAULT", "HIGH"].map((priority) => ({
        priority,
        max_connections: MANY,
        max_pending_requests: MANY,
        max_requests: MANY,
      })),
    },
    upstream_connection_options: { tcp_keepalive: { keepalive_time: 300 } },
    typed_extension_protocol_options: {
      [HTTP_OPTIONS]: {
        "@type": TYPE + HTTP_OPTIONS,
        common_http_protocol_options: { max_requests_per_connection: 1 },
        explicit_http_config: {
          http2_protocol_options: { connection_keepalive: { interval: "30s", timeout: "10s" } },
        },
      },
    },
    transport_socket: {
      name: "envoy.transport_sockets.tls",
      typed_config: {
        "@type": `${TYPE}envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext`,
        sni: config.serverName,
        common_tls_context: xdsTlsContext(config),
      },
    },
  };
}

function xdsTlsContext(config: AgentConfig): unknown {
  return {
    alpn_protocols: ["h2"],
    tls_params: { tls_minimum_protocol_version: "TLSv1_2", tls_maximum_protocol_version: "TLSv1_3" },
    tls_certificate_sds_secret_configs: [{ name: "default", sds_config: AGENT_SDS }],
    combined_validation_context: {
      default_validation_context: {
        match_typed_subject_alt_names: [{ san_type: "DNS", matcher: { exact: config.serverName } }],
      },
      validation_context_sds_secret_config: { name: CONTROL_PLANE_ROOTS, sds_config: AGENT_SDS },
    },
  };
}

function sdsCluster(): unknown {
  const name = AGENT_SDS_CLUSTER;
  return {
    name,
    type: "STATIC",
    connect_timeout: "1s",
    load_assignment: loadAssignment(name, { pipe: { path: PATHS.sdsSocket } }),
    typed_extension_protocol_options: {
      [HTTP_OPTIONS]: { "@type": TYPE + HTTP_OPTIONS, explicit_http_config: { http2_protocol_options: {} } },
    },
  };
}

function agentCluster(config: AgentConfig): unknown {
  return localCluster("agent", config.addresses.agent, config.ports.status);
}

function adminCluster(config: AgentConfig): unknown {
  return localCluster("prometheus_stats", config.addresses.admin, config.ports.admin);
}

function localCluster(name: string, host: string, port: number): unknown {
  return {
    name,
    type: "STATIC",
    connect_timeout: "1s",
    load_assignment: loadAssignment(name, socketAddress(host, port)),
  };
}

/** Envoy's statistics for scrapers. It also pins the scope of the standard metrics. */
function prometheusListener(config: AgentConfig): unknown {
  return staticListener(config, {
    name: "prometheus",
    port: config.ports.prometheus,
    statPrefix: "stats",
    path: "/stats/prometheus",
    cluster: "prometheus_stats",
    extra: { access_log: [scopePinningLogger()] },
    filters: config.statsCompression ? [gzipFilter()] : [],
  });
}

/** Readiness through Envoy's workers: the answer comes from the agent, that it arrives shows that they run. */
function readinessListener(config: AgentConfig): unknown {
  return staticListener(config, {
    name: "readiness",
    port: config.ports.readiness,
    statPrefix: "agent",
    path: "/healthz/ready",
    cluster: "agent",
    extra: {},
    filters: [],
  });
}

interface StaticListener {
  readonly name: string;
  readonly port: number;
  readonly statPrefix: string;
  /** The one path that is forwarded; all others answer 404. */
  readonly path: string;
  readonly cluster: string;
  readonly extra: Readonly<Record<string, unknown>>;
  /** HTTP filters before the router. */
  readonly filters: readonly unknown[];
}

/** Scrapes are big and repetitive; a scraper that does not take gzip gets plain text. */
function gzipFilter(): unknown {
  return {
    name: "envoy.filters.http.compressor",
    typed_config: {
      "@type": `${TYPE}envoy.extensions.filters.http.compressor.v3.Compressor`,
      response_direction_config: {
        common_config: { content_type: ["text/plain"] },
        disable_on_etag_header: true,
        remove_accept_encoding_header: true,
      },
      compressor_library: {
        name: "gzip",
        typed_config: {
          "@type": `${TYPE}envoy.extensions.compression.gzip.compressor.v3.Gzip`,
          compression_level: "BEST_SPEED",
        },
      },
    },
  };
}

function staticListener(config: AgentConfig, spec: StaticListener): unknown {
  const { listen } = config.addresses;
  return {
    name: spec.name,
    address: { socket_address: { ...endpoint(listen, spec.port), ...(listen === "::" ? { ipv4_compat: true } : {}) } },
    bypass_overload_manager: true,
    filter_chains: [
      {
        filters: [
          {
            name: "envoy.filters.network.http_connection_manager",
            typed_config: {
              "@type": `${TYPE}envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager`,
              codec_type: "AUTO",
              stat_prefix: spec.statPrefix,
              ...spec.extra,
              route_config: {
                virtual_hosts: [
                  {
                    name: "backend",
                    domains: ["*"],
                    routes: [{ match: { path: spec.path }, route: { cluster: spec.cluster } }],
                  },
                ],
              },
              http_filters: [
                ...spec.filters,
                {
                  name: "envoy.filters.http.router",
                  typed_config: { "@type": `${TYPE}envoy.extensions.filters.http.router.v3.Router` },
                },
              ],
            },
          },
        ],
      },
    ],
  };
}

function loadAssignment(cluster_name: string, address: unknown): unknown {
  return { cluster_name, endpoints: [{ lb_endpoints: [{ endpoint: { address } }] }] };
}

function socketAddress(host: string, port: number): unknown {
  return { socket_address: endpoint(host, port) };
}

function endpoint(address: string, port_value: number): { address: string; port_value: number } {
  return { address, port_value };
}
