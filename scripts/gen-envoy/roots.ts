/**
 * The messages that src/gen/envoy must know, by full name; everything they reach through their fields comes with them. Add a
 * line to emit a further extension. The messages of the services we declare ourselves (proto/, except proto/envoy) are
 * added without being named here.
 */
export const ROOTS: readonly string[] = [
  // what xDS serves, and the conversation itself
  "envoy.config.cluster.v3.Cluster",
  "envoy.config.endpoint.v3.ClusterLoadAssignment",
  "envoy.config.listener.v3.Listener",
  "envoy.config.route.v3.RouteConfiguration",
  "envoy.config.route.v3.FilterConfig",
  "envoy.extensions.transport_sockets.tls.v3.Secret",
  "envoy.service.discovery.v3.DiscoveryRequest",
  "envoy.service.discovery.v3.DiscoveryResponse",
  "envoy.service.discovery.v3.DeltaDiscoveryRequest",
  "envoy.service.discovery.v3.DeltaDiscoveryResponse",
  "google.rpc.Status",
  // what the agent writes and what Envoy's admin interface answers
  "envoy.config.bootstrap.v3.Bootstrap",
  "envoy.admin.v3.BootstrapConfigDump",
  "envoy.admin.v3.Certificates",
  "envoy.admin.v3.Clusters",
  "envoy.admin.v3.ClustersConfigDump",
  "envoy.admin.v3.ConfigDump",
  "envoy.admin.v3.EndpointsConfigDump",
  "envoy.admin.v3.ListenersConfigDump",
  "envoy.admin.v3.RoutesConfigDump",
  "envoy.admin.v3.SecretsConfigDump",
  "envoy.admin.v3.ServerInfo",
  // access loggers
  "envoy.extensions.access_loggers.file.v3.FileAccessLog",
  "envoy.extensions.access_loggers.filters.cel.v3.ExpressionFilter",
  "envoy.extensions.access_loggers.stats.v3.Config",
  "envoy.extensions.access_loggers.stream.v3.StderrAccessLog",
  "envoy.extensions.access_loggers.stream.v3.StdoutAccessLog",
  "envoy.extensions.formatter.cel.v3.Cel",
  "envoy.extensions.matching.actions.transform_stat.v3.TransformStat",
  "envoy.extensions.matching.common_inputs.stats.v3.StatTagValueInput",
  // listener and network filters
  "envoy.extensions.filters.listener.http_inspector.v3.HttpInspector",
  "envoy.extensions.filters.listener.original_dst.v3.OriginalDst",
  "envoy.extensions.filters.listener.original_src.v3.OriginalSrc",
  "envoy.extensions.filters.listener.proxy_protocol.v3.ProxyProtocol",
  "envoy.extensions.filters.listener.tls_inspector.v3.TlsInspector",
  "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
  "envoy.extensions.filters.network.set_filter_state.v3.Config",
  "envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy",
  // HTTP filters and what routes say to them
  "envoy.extensions.filters.http.compressor.v3.Compressor",
  "envoy.extensions.filters.http.cors.v3.Cors",
  "envoy.extensions.filters.http.cors.v3.CorsPolicy",
  "envoy.extensions.filters.http.fault.v3.HTTPFault",
  "envoy.extensions.filters.http.grpc_stats.v3.FilterConfig",
  "envoy.extensions.filters.http.router.v3.Router",
  "envoy.extensions.filters.http.set_filter_state.v3.Config",
  "envoy.extensions.http.header_formatters.preserve_case.v3.PreserveCaseFormatterConfig",
  "envoy.extensions.request_id.uuid.v3.UuidRequestIdConfig",
  "envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate",
  "envoy.extensions.retry.priority.previous_priorities.v3.PreviousPrioritiesConfig",
  // transport and clusters
  "envoy.extensions.clusters.dns.v3.DnsCluster",
  "envoy.extensions.transport_sockets.proxy_protocol.v3.ProxyProtocolUpstreamTransport",
  "envoy.extensions.transport_sockets.raw_buffer.v3.RawBuffer",
  "envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext",
  "envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext",
  "envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
  // bootstrap
  "envoy.config.metrics.v3.MetricsServiceConfig",
  "envoy.config.metrics.v3.StatsdSink",
  "envoy.extensions.compression.gzip.compressor.v3.Gzip",
  "envoy.extensions.resource_monitors.downstream_connections.v3.DownstreamConnectionsConfig",
  "envoy.extensions.wasm.v3.WasmService",
];
