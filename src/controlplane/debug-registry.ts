import type { MeshService, Protocol } from "../ir/service.ts";
import type { KubeObject } from "../resources/object.ts";
import type { State } from "./state.ts";

/** A service as `/debug/registryz` shows it, by Istio's names (pilot/pkg/model/service.go): Kiali and scripts read them. */
export interface RegistryService {
  readonly Attributes: {
    readonly ServiceRegistry: "Kubernetes" | "External";
    readonly Name: string;
    readonly Namespace: string;
    readonly Labels: Readonly<Record<string, string>>;
    readonly ExportTo: Readonly<Record<string, Record<string, never>>>;
    readonly LabelSelectors: Readonly<Record<string, string>>;
  };
  readonly ports: readonly { readonly name: string; readonly port: number; readonly protocol: string }[];
  readonly creationTime?: string;
  readonly hostname: string;
  readonly clusterVIPs: { readonly Addresses: Readonly<Record<string, readonly string[]>> };
  readonly defaultAddress: string;
  readonly Resolution: number;
  readonly MeshExternal: boolean;
  readonly ResourceVersion: string;
}

/** Every service of the mesh, sorted by host. `clusterId` is our own cluster's name. */
export function registryServices(
  { mesh, world }: Pick<State, "mesh" | "world">,
  clusterId: string,
): readonly RegistryService[] {
  return mesh.model.services
    .all()
    .map((service) =>
      registryService(service, clusterId, world.get(kindOf(service), service.namespace, service.from.name)),
    )
    .toSorted((a, b) => (a.hostname < b.hostname ? -1 : 1));
}

function kindOf({ from }: MeshService): "Service" | "ServiceEntry" {
  return from.kind === "ServiceEntry" ? "ServiceEntry" : "Service";
}

/** Istio's numbers. */
const RESOLUTIONS: Readonly<Record<MeshService["resolution"], number>> = {
  eds: 0,
  dns: 1,
  passthrough: 2,
  "dns-round-robin": 3,
  "dynamic-dns": 5,
};

const PROTOCOLS: Readonly<Record<Protocol, string>> = {
  http: "HTTP",
  http2: "HTTP2",
  grpc: "GRPC",
  https: "HTTPS",
  tls: "TLS",
  tcp: "TCP",
  udp: "UDP",
  auto: "UnsupportedProtocol",
};

/** What Istio writes for a service without an address of its own. */
const NO_ADDRESS = "0.0.0.0";

function registryService(service: MeshService, clusterId: string, object: KubeObject | undefined): RegistryService {
  const { hostname, addresses, addressesIn, exportTo, meshExternal, name, namespace, ports, resolution } = service;
  const [first = NO_ADDRESS] = addresses;
  const created = object?.metadata.creationTimestamp;
  return {
    Attributes: {
      ServiceRegistry: kindOf(service) === "Service" ? "Kubernetes" : "External",
      Name: name,
      Namespace: namespace,
      Labels: object?.metadata.labels ?? {},
      ExportTo: Object.fromEntries(exportTo.map((where) => [where, {}])),
      LabelSelectors: service.selector ?? {},
    },
    ports: ports.map((port) => ({ name: port.name, port: port.number, protocol: PROTOCOLS[port.protocol] })),
    ...(created !== undefined && { creationTime: created }),
    hostname,
    clusterVIPs: { Addresses: addressesIn ?? { [clusterId]: addresses.length === 0 ? [NO_ADDRESS] : addresses } },
    defaultAddress: first,
    Resolution: RESOLUTIONS[resolution],
    MeshExternal: meshExternal,
    ResourceVersion: object?.metadata.resourceVersion ?? "",
  };
}
