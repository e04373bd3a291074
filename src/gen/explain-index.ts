// Generated from schemas/ and docs/codes/ by `npm run gen`. Do not edit.

/** Something that can be explained: a kind of the API, or a configuration that is none. */
export interface ExplainEntry {
  /** Our name, e.g. `KubernetesGateway`. */
  readonly name: string;
  readonly file: string;
  readonly summary: string;
  /** The kind at the API server; absent for a configuration. */
  readonly kind?: string;
  readonly group?: string;
  readonly versions?: readonly string[];
  readonly plural?: string;
  readonly shortNames?: readonly string[];
  readonly namespaced?: boolean;
}

/** Everything that can be explained, kinds before configurations. */
export const explainEntries: readonly ExplainEntry[] = [
  {"name":"AuthorizationPolicy","file":"authorization-policy.schema.json","summary":"Who may call what. In the root namespace without selector it holds for the mesh, else for its namespace or the selected workloads.","kind":"AuthorizationPolicy","group":"security.istio.io","versions":["v1","v1beta1"],"plural":"authorizationpolicies","shortNames":["ap"],"namespaced":true},
  {"name":"DestinationRule","file":"destination-rule.schema.json","summary":"What holds for traffic to a service after routing: subsets, load balancing, connection limits, outlier detection and TLS.","kind":"DestinationRule","group":"networking.istio.io","versions":["v1","v1beta1","v1alpha3"],"plural":"destinationrules","shortNames":["dr"],"namespaced":true},
  {"name":"EnvoyFilter","file":"envoy-filter.schema.json","summary":"Changes Envoy configuration that the control plane has made. The patches depend on names and structure that may differ from one version to the next: use it where no other kind does the work.","kind":"EnvoyFilter","group":"networking.istio.io","versions":["v1alpha3"],"plural":"envoyfilters","shortNames":[],"namespaced":true},
  {"name":"BackendTLSPolicy","file":"gateway-api/backend-tls-policy.schema.json","summary":"How Gateways speak TLS to a Service: which authorities they trust and which host they expect. Direct: it acts on the Service of its own namespace.","kind":"BackendTLSPolicy","group":"gateway.networking.k8s.io","versions":["v1","v1alpha3"],"plural":"backendtlspolicies","shortNames":["btlspolicy"],"namespaced":true},
  {"name":"GatewayClass","file":"gateway-api/gateway-class.schema.json","summary":"A kind of Gateways that one controller builds, e.g. istio. Cluster scope.","kind":"GatewayClass","group":"gateway.networking.k8s.io","versions":["v1","v1beta1"],"plural":"gatewayclasses","shortNames":["gc"],"namespaced":false},
  {"name":"KubernetesGateway","file":"gateway-api/gateway.schema.json","summary":"A point where traffic enters the mesh, in the language of Gateway API: listeners with ports, hosts and certificates. The controller of its class makes proxies and a Service for it.","kind":"Gateway","group":"gateway.networking.k8s.io","versions":["v1","v1beta1"],"plural":"gateways","shortNames":["gtw"],"namespaced":true},
  {"name":"GRPCRoute","file":"gateway-api/grpc-route.schema.json","summary":"Where gRPC calls go, in the language of Gateway API: by host, service, method and header, with filters and weights.","kind":"GRPCRoute","group":"gateway.networking.k8s.io","versions":["v1"],"plural":"grpcroutes","shortNames":[],"namespaced":true},
  {"name":"HTTPRoute","file":"gateway-api/http-route.schema.json","summary":"Where HTTP requests go, in the language of Gateway API: by host, path, header, query and method, with filters and weights.","kind":"HTTPRoute","group":"gateway.networking.k8s.io","versions":["v1","v1beta1"],"plural":"httproutes","shortNames":[],"namespaced":true},
  {"name":"ReferenceGrant","file":"gateway-api/reference-grant.schema.json","summary":"Lets objects of other namespaces refer to objects of this one, e.g. an HTTPRoute to a Service, a Gateway to a Secret.","kind":"ReferenceGrant","group":"gateway.networking.k8s.io","versions":["v1","v1beta1"],"plural":"referencegrants","shortNames":["refgrant"],"namespaced":true},
  {"name":"TCPRoute","file":"gateway-api/tcp-route.schema.json","summary":"Where TCP connections of a listener go, in the language of Gateway API.","kind":"TCPRoute","group":"gateway.networking.k8s.io","versions":["v1","v1alpha2"],"plural":"tcproutes","shortNames":[],"namespaced":true},
  {"name":"TLSRoute","file":"gateway-api/tls-route.schema.json","summary":"Where TLS connections go by the host they ask for (SNI), in the language of Gateway API.","kind":"TLSRoute","group":"gateway.networking.k8s.io","versions":["v1","v1alpha3","v1alpha2"],"plural":"tlsroutes","shortNames":[],"namespaced":true},
  {"name":"Gateway","file":"gateway.schema.json","summary":"Ports that proxies at the edge of the mesh open, and the hosts and certificates they serve there. VirtualServices say where the traffic goes.","kind":"Gateway","group":"networking.istio.io","versions":["v1","v1beta1","v1alpha3"],"plural":"gateways","shortNames":["gw"],"namespaced":true},
  {"name":"PeerAuthentication","file":"peer-authentication.schema.json","summary":"Whether workloads take plaintext, mutual TLS or both. In the root namespace without selector it holds for the mesh, else for its namespace or the selected workloads.","kind":"PeerAuthentication","group":"security.istio.io","versions":["v1","v1beta1"],"plural":"peerauthentications","shortNames":["pa"],"namespaced":true},
  {"name":"ProxyConfig","file":"proxy-config.schema.json","summary":"Settings of the proxies of a mesh, a namespace or selected workloads that are fixed when a proxy starts. A change takes effect when the pods are made anew.","kind":"ProxyConfig","group":"networking.istio.io","versions":["v1beta1"],"plural":"proxyconfigs","shortNames":[],"namespaced":true},
  {"name":"RateLimitPolicy","file":"rate-limit-policy.schema.json","summary":"How many requests workloads take. A request over a limit is answered with 429. In the root namespace without selector it holds for the mesh, else for its namespace or the selected workloads. A kind of meshctl's own: Istio has none.","kind":"RateLimitPolicy","group":"meshctl.io","versions":["v1alpha1"],"plural":"ratelimitpolicies","shortNames":["rlp"],"namespaced":true},
  {"name":"RequestAuthentication","file":"request-authentication.schema.json","summary":"Which JSON Web Tokens workloads accept. A request with an invalid token is refused with 401; one without token passes, unless an AuthorizationPolicy asks for one.","kind":"RequestAuthentication","group":"security.istio.io","versions":["v1","v1beta1"],"plural":"requestauthentications","shortNames":["ra"],"namespaced":true},
  {"name":"ServiceEntry","file":"service-entry.schema.json","summary":"Adds a service to what the mesh knows: something outside it, or workloads inside that Kubernetes does not know.","kind":"ServiceEntry","group":"networking.istio.io","versions":["v1","v1beta1","v1alpha3"],"plural":"serviceentries","shortNames":["se"],"namespaced":true},
  {"name":"Sidecar","file":"sidecar.schema.json","summary":"What the sidecars of a namespace see of the mesh, and the ports they open. Makes their configuration smaller.","kind":"Sidecar","group":"networking.istio.io","versions":["v1","v1beta1","v1alpha3"],"plural":"sidecars","shortNames":[],"namespaced":true},
  {"name":"Telemetry","file":"telemetry.schema.json","summary":"Which metrics, access logs and traces proxies produce. In the root namespace without selector it holds for the mesh, else for its namespace or the selected workloads.","kind":"Telemetry","group":"telemetry.istio.io","versions":["v1","v1alpha1"],"plural":"telemetries","shortNames":["telemetry"],"namespaced":true},
  {"name":"TrafficExtension","file":"traffic-extension.schema.json","summary":"Adds a WebAssembly module or a Lua script to the filter chain of proxies.","kind":"TrafficExtension","group":"extensions.istio.io","versions":["v1alpha1"],"plural":"trafficextensions","shortNames":[],"namespaced":true},
  {"name":"VirtualService","file":"virtual-service.schema.json","summary":"Rules that say where requests for a host go: matching, weights, rewrites, redirects, faults, retries and timeouts.","kind":"VirtualService","group":"networking.istio.io","versions":["v1","v1beta1","v1alpha3"],"plural":"virtualservices","shortNames":["vs"],"namespaced":true},
  {"name":"WasmPlugin","file":"wasm-plugin.schema.json","summary":"Adds a WebAssembly module to the filter chain of proxies.","kind":"WasmPlugin","group":"extensions.istio.io","versions":["v1alpha1"],"plural":"wasmplugins","shortNames":[],"namespaced":true},
  {"name":"WorkloadEntry","file":"workload-entry.schema.json","summary":"One workload that Kubernetes does not know, such as a virtual machine, as an endpoint of the services whose ServiceEntry selects its labels.","kind":"WorkloadEntry","group":"networking.istio.io","versions":["v1","v1beta1","v1alpha3"],"plural":"workloadentries","shortNames":["we"],"namespaced":true},
  {"name":"WorkloadGroup","file":"workload-group.schema.json","summary":"What workloads outside Kubernetes have in common, as a Deployment says it of pods: a proxy that registers with this group gets a WorkloadEntry made from the template.","kind":"WorkloadGroup","group":"networking.istio.io","versions":["v1","v1beta1","v1alpha3"],"plural":"workloadgroups","shortNames":["wg"],"namespaced":true},
  {"name":"IstioOperator","file":"istio-operator.schema.json","summary":"What install makes of a mesh: a profile, and what differs from it. Document of kind IstioOperator (install.istio.io/v1alpha1); profiles and --set have the same fields."},
  {"name":"MeshConfig","file":"mesh-config.schema.json","summary":"Settings of the whole mesh: key `mesh` of ConfigMap `istio` in the namespace of the control plane."},
  {"name":"MeshNetworks","file":"mesh-networks.schema.json","summary":"Networks of a mesh over several: key `meshNetworks` of ConfigMap `istio`. Endpoints of another network are reached through its gateways."},
  {"name":"MeshProxyConfig","file":"mesh-proxy-config.schema.json","summary":"Settings that a proxy reads when it starts: defaultConfig of the mesh configuration, or annotation proxy.istio.io/config of a pod, field by field on top of it."},
];

/** Schemas by file; each is a chunk of its own. */
export const schemaFiles: Readonly<Record<string, () => Promise<unknown>>> = {
  "authorization-policy.schema.json": async () => (await import("../../schemas/authorization-policy.schema.json", { with: { type: "json" } })).default,
  "common.schema.json": async () => (await import("../../schemas/common.schema.json", { with: { type: "json" } })).default,
  "destination-rule.schema.json": async () => (await import("../../schemas/destination-rule.schema.json", { with: { type: "json" } })).default,
  "envoy-filter.schema.json": async () => (await import("../../schemas/envoy-filter.schema.json", { with: { type: "json" } })).default,
  "gateway-api/backend-tls-policy.schema.json": async () => (await import("../../schemas/gateway-api/backend-tls-policy.schema.json", { with: { type: "json" } })).default,
  "gateway-api/common.schema.json": async () => (await import("../../schemas/gateway-api/common.schema.json", { with: { type: "json" } })).default,
  "gateway-api/gateway-class.schema.json": async () => (await import("../../schemas/gateway-api/gateway-class.schema.json", { with: { type: "json" } })).default,
  "gateway-api/gateway.schema.json": async () => (await import("../../schemas/gateway-api/gateway.schema.json", { with: { type: "json" } })).default,
  "gateway-api/grpc-route.schema.json": async () => (await import("../../schemas/gateway-api/grpc-route.schema.json", { with: { type: "json" } })).default,
  "gateway-api/http-route.schema.json": async () => (await import("../../schemas/gateway-api/http-route.schema.json", { with: { type: "json" } })).default,
  "gateway-api/reference-grant.schema.json": async () => (await import("../../schemas/gateway-api/reference-grant.schema.json", { with: { type: "json" } })).default,
  "gateway-api/tcp-route.schema.json": async () => (await import("../../schemas/gateway-api/tcp-route.schema.json", { with: { type: "json" } })).default,
  "gateway-api/tls-route.schema.json": async () => (await import("../../schemas/gateway-api/tls-route.schema.json", { with: { type: "json" } })).default,
  "gateway.schema.json": async () => (await import("../../schemas/gateway.schema.json", { with: { type: "json" } })).default,
  "istio-operator.schema.json": async () => (await import("../../schemas/istio-operator.schema.json", { with: { type: "json" } })).default,
  "log/audit-event.schema.json": async () => (await import("../../schemas/log/audit-event.schema.json", { with: { type: "json" } })).default,
  "mesh-config.schema.json": async () => (await import("../../schemas/mesh-config.schema.json", { with: { type: "json" } })).default,
  "mesh-networks.schema.json": async () => (await import("../../schemas/mesh-networks.schema.json", { with: { type: "json" } })).default,
  "mesh-proxy-config.schema.json": async () => (await import("../../schemas/mesh-proxy-config.schema.json", { with: { type: "json" } })).default,
  "page/about.schema.json": async () => (await import("../../schemas/page/about.schema.json", { with: { type: "json" } })).default,
  "page/authority.schema.json": async () => (await import("../../schemas/page/authority.schema.json", { with: { type: "json" } })).default,
  "page/lost.schema.json": async () => (await import("../../schemas/page/lost.schema.json", { with: { type: "json" } })).default,
  "page/observed.schema.json": async () => (await import("../../schemas/page/observed.schema.json", { with: { type: "json" } })).default,
  "peer-authentication.schema.json": async () => (await import("../../schemas/peer-authentication.schema.json", { with: { type: "json" } })).default,
  "proxy-config.schema.json": async () => (await import("../../schemas/proxy-config.schema.json", { with: { type: "json" } })).default,
  "rate-limit-policy.schema.json": async () => (await import("../../schemas/rate-limit-policy.schema.json", { with: { type: "json" } })).default,
  "request-authentication.schema.json": async () => (await import("../../schemas/request-authentication.schema.json", { with: { type: "json" } })).default,
  "service-entry.schema.json": async () => (await import("../../schemas/service-entry.schema.json", { with: { type: "json" } })).default,
  "sidecar.schema.json": async () => (await import("../../schemas/sidecar.schema.json", { with: { type: "json" } })).default,
  "telemetry.schema.json": async () => (await import("../../schemas/telemetry.schema.json", { with: { type: "json" } })).default,
  "traffic-extension.schema.json": async () => (await import("../../schemas/traffic-extension.schema.json", { with: { type: "json" } })).default,
  "virtual-service.schema.json": async () => (await import("../../schemas/virtual-service.schema.json", { with: { type: "json" } })).default,
  "wasm-plugin.schema.json": async () => (await import("../../schemas/wasm-plugin.schema.json", { with: { type: "json" } })).default,
  "workload-entry.schema.json": async () => (await import("../../schemas/workload-entry.schema.json", { with: { type: "json" } })).default,
  "workload-group.schema.json": async () => (await import("../../schemas/workload-group.schema.json", { with: { type: "json" } })).default,
};

/** Examples by name of the entry. */
export async function loadExamples(): Promise<Readonly<Record<string, unknown>>> {
  return (await import("../../schemas/examples.json", { with: { type: "json" } })).default;
}
