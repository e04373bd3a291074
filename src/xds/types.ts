/** The xDS types we serve, in the order in which a push sends them (Envoy warms clusters before listeners need them). */
export const TYPE_URLS = {
  cluster: "type.googleapis.com/envoy.config.cluster.v3.Cluster",
  endpoint: "type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment",
  listener: "type.googleapis.com/envoy.config.listener.v3.Listener",
  route: "type.googleapis.com/envoy.config.route.v3.RouteConfiguration",
  secret: "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret",
} as const;

export type XdsKind = keyof typeof TYPE_URLS;
export type TypeUrl = (typeof TYPE_URLS)[XdsKind];
