// Generated from schemas/ by `npm run gen`. Do not edit.

/** How a kind with a schema of ours is known at the API server. */
export interface MeshKind {
  /** The `kind` of its objects; differs from our name where two groups share one. */
  readonly kind: string;
  readonly group: string;
  readonly plural: string;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  /** Served versions, the preferred one first. */
  readonly versions: readonly string[];
  /** The version that the API server stores. */
  readonly stored: string;
  readonly namespaced: boolean;
}

/** The mesh's own kinds by name. */
export const meshKinds = {
  AuthorizationPolicy: {"kind":"AuthorizationPolicy","group":"security.istio.io","plural":"authorizationpolicies","shortNames":["ap"],"categories":["istio-io","security-istio-io"],"versions":["v1","v1beta1"],"stored":"v1","namespaced":true},
  DestinationRule: {"kind":"DestinationRule","group":"networking.istio.io","plural":"destinationrules","shortNames":["dr"],"categories":["istio-io","networking-istio-io"],"versions":["v1","v1beta1","v1alpha3"],"stored":"v1","namespaced":true},
  EnvoyFilter: {"kind":"EnvoyFilter","group":"networking.istio.io","plural":"envoyfilters","shortNames":[],"categories":["istio-io","networking-istio-io"],"versions":["v1alpha3"],"stored":"v1alpha3","namespaced":true},
  Gateway: {"kind":"Gateway","group":"networking.istio.io","plural":"gateways","shortNames":["gw"],"categories":["istio-io","networking-istio-io"],"versions":["v1","v1beta1","v1alpha3"],"stored":"v1","namespaced":true},
  PeerAuthentication: {"kind":"PeerAuthentication","group":"security.istio.io","plural":"peerauthentications","shortNames":["pa"],"categories":["istio-io","security-istio-io"],"versions":["v1","v1beta1"],"stored":"v1","namespaced":true},
  ProxyConfig: {"kind":"ProxyConfig","group":"networking.istio.io","plural":"proxyconfigs","shortNames":[],"categories":["istio-io","networking-istio-io"],"versions":["v1beta1"],"stored":"v1beta1","namespaced":true},
  RateLimitPolicy: {"kind":"RateLimitPolicy","group":"meshctl.io","plural":"ratelimitpolicies","shortNames":["rlp"],"categories":["meshctl-io"],"versions":["v1alpha1"],"stored":"v1alpha1","namespaced":true},
  RequestAuthentication: {"kind":"RequestAuthentication","group":"security.istio.io","plural":"requestauthentications","shortNames":["ra"],"categories":["istio-io","security-istio-io"],"versions":["v1","v1beta1"],"stored":"v1","namespaced":true},
  ServiceEntry: {"kind":"ServiceEntry","group":"networking.istio.io","plural":"serviceentries","shortNames":["se"],"categories":["istio-io","networking-istio-io"],"versions":["v1","v1beta1","v1alpha3"],"stored":"v1","namespaced":true},
  Sidecar: {"kind":"Sidecar","group":"networking.istio.io","plural":"sidecars","shortNames":[],"categories":["istio-io","networking-istio-io"],"versions":["v1","v1beta1","v1alpha3"],"stored":"v1","namespaced":true},
  Telemetry: {"kind":"Telemetry","group":"telemetry.istio.io","plural":"telemetries","shortNames":["telemetry"],"categories":["istio-io","telemetry-istio-io"],"versions":["v1","v1alpha1"],"stored":"v1alpha1","namespaced":true},
  TrafficExtension: {"kind":"TrafficExtension","group":"extensions.istio.io","plural":"trafficextensions","shortNames":[],"categories":["istio-io","extensions-istio-io"],"versions":["v1alpha1"],"stored":"v1alpha1","namespaced":true},
  VirtualService: {"kind":"VirtualService","group":"networking.istio.io","plural":"virtualservices","shortNames":["vs"],"categories":["istio-io","networking-istio-io"],"versions":["v1","v1beta1","v1alpha3"],"stored":"v1","namespaced":true},
  WasmPlugin: {"kind":"WasmPlugin","group":"extensions.istio.io","plural":"wasmplugins","shortNames":[],"categories":["istio-io","extensions-istio-io"],"versions":["v1alpha1"],"stored":"v1alpha1","namespaced":true},
  WorkloadEntry: {"kind":"WorkloadEntry","group":"networking.istio.io","plural":"workloadentries","shortNames":["we"],"categories":["istio-io","networking-istio-io"],"versions":["v1","v1beta1","v1alpha3"],"stored":"v1","namespaced":true},
  WorkloadGroup: {"kind":"WorkloadGroup","group":"networking.istio.io","plural":"workloadgroups","shortNames":["wg"],"categories":["istio-io","networking-istio-io"],"versions":["v1","v1beta1","v1alpha3"],"stored":"v1","namespaced":true},
} as const satisfies Readonly<Record<string, MeshKind>>;

export type MeshKindName = keyof typeof meshKinds;

/** The kinds of Gateway API by our name. */
export const gatewayApiKinds = {
  BackendTLSPolicy: {"kind":"BackendTLSPolicy","group":"gateway.networking.k8s.io","plural":"backendtlspolicies","shortNames":["btlspolicy"],"categories":["gateway-api"],"versions":["v1","v1alpha3"],"stored":"v1","namespaced":true},
  GatewayClass: {"kind":"GatewayClass","group":"gateway.networking.k8s.io","plural":"gatewayclasses","shortNames":["gc"],"categories":["gateway-api"],"versions":["v1","v1beta1"],"stored":"v1","namespaced":false},
  KubernetesGateway: {"kind":"Gateway","group":"gateway.networking.k8s.io","plural":"gateways","shortNames":["gtw"],"categories":["gateway-api"],"versions":["v1","v1beta1"],"stored":"v1","namespaced":true},
  GRPCRoute: {"kind":"GRPCRoute","group":"gateway.networking.k8s.io","plural":"grpcroutes","shortNames":[],"categories":["gateway-api"],"versions":["v1"],"stored":"v1","namespaced":true},
  HTTPRoute: {"kind":"HTTPRoute","group":"gateway.networking.k8s.io","plural":"httproutes","shortNames":[],"categories":["gateway-api"],"versions":["v1","v1beta1"],"stored":"v1","namespaced":true},
  ReferenceGrant: {"kind":"ReferenceGrant","group":"gateway.networking.k8s.io","plural":"referencegrants","shortNames":["refgrant"],"categories":["gateway-api"],"versions":["v1","v1beta1"],"stored":"v1beta1","namespaced":true},
  TCPRoute: {"kind":"TCPRoute","group":"gateway.networking.k8s.io","plural":"tcproutes","shortNames":[],"categories":["gateway-api"],"versions":["v1","v1alpha2"],"stored":"v1","namespaced":true},
  TLSRoute: {"kind":"TLSRoute","group":"gateway.networking.k8s.io","plural":"tlsroutes","shortNames":[],"categories":["gateway-api"],"versions":["v1","v1alpha3","v1alpha2"],"stored":"v1","namespaced":true},
} as const satisfies Readonly<Record<string, MeshKind>>;

export type GatewayApiKindName = keyof typeof gatewayApiKinds;
