// Generated from schemas/ by `npm run gen`. Do not edit.

/** How a kind of the mesh is known at the API server. The first version is the stored one. */
export interface MeshKind {
  readonly group: string;
  readonly plural: string;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly versions: readonly string[];
}

/** The mesh's own kinds by name. */
export const meshKinds = {
  AuthorizationPolicy: {"group":"security.istio.io","plural":"authorizationpolicies","shortNames":["ap"],"categories":["istio-io","security-istio-io"],"versions":["v1","v1beta1"]},
  DestinationRule: {"group":"networking.istio.io","plural":"destinationrules","shortNames":["dr"],"categories":["istio-io","networking-istio-io"],"versions":["v1","v1beta1","v1alpha3"]},
  Gateway: {"group":"networking.istio.io","plural":"gateways","shortNames":["gw"],"categories":["istio-io","networking-istio-io"],"versions":["v1","v1beta1","v1alpha3"]},
  PeerAuthentication: {"group":"security.istio.io","plural":"peerauthentications","shortNames":["pa"],"categories":["istio-io","security-istio-io"],"versions":["v1","v1beta1"]},
  RequestAuthentication: {"group":"security.istio.io","plural":"requestauthentications","shortNames":["ra"],"categories":["istio-io","security-istio-io"],"versions":["v1","v1beta1"]},
  ServiceEntry: {"group":"networking.istio.io","plural":"serviceentries","shortNames":["se"],"categories":["istio-io","networking-istio-io"],"versions":["v1","v1beta1","v1alpha3"]},
  Sidecar: {"group":"networking.istio.io","plural":"sidecars","shortNames":[],"categories":["istio-io","networking-istio-io"],"versions":["v1","v1beta1","v1alpha3"]},
  Telemetry: {"group":"telemetry.istio.io","plural":"telemetries","shortNames":["telemetry"],"categories":["istio-io","telemetry-istio-io"],"versions":["v1","v1alpha1"]},
  VirtualService: {"group":"networking.istio.io","plural":"virtualservices","shortNames":["vs"],"categories":["istio-io","networking-istio-io"],"versions":["v1","v1beta1","v1alpha3"]},
} as const satisfies Readonly<Record<string, MeshKind>>;

export type MeshKindName = keyof typeof meshKinds;
