import { isIP } from "node:net";
import { createDerivations, type Source } from "../../../src/base/derive.ts";
import { createMesh, type Mesh } from "../../../src/compile/mesh.ts";
import type { Proxy } from "../../../src/ir/proxy.ts";
import type { RemoteWorld } from "../../../src/model/members.ts";
import type { ModelOptions } from "../../../src/model/model.ts";
import { peerOf } from "../../../src/model/workload.ts";
import type { KubeObject } from "../../../src/resources/object.ts";
import { createWorldStore, type WorldStore } from "../../../src/resources/world-store.ts";

/** Labels of an object. */
export type Labels = Readonly<Record<string, string>>;
export const HOST = "web.shop.svc.cluster.local";
export const CLUSTER = `outbound|80||${HOST}`;

export const object = (kind: string, name: string, rest: object, namespace?: string): KubeObject =>
  ({
    apiVersion: kind === "EndpointSlice" ? "discovery.k8s.io/v1" : "v1",
    kind,
    metadata: { name, ...(namespace === undefined ? {} : { namespace }) },
    ...rest,
  }) as KubeObject;

export const labelled = (labels: Labels, made: KubeObject): KubeObject => ({
  ...made,
  metadata: { ...made.metadata, labels },
});

/** Service `web` with these pods in a cluster; `ip` is its virtual address. */
export function web(
  ip: string,
  pods: readonly { ip: string; labels?: Labels; version?: string }[],
  name = "web",
): KubeObject[] {
  return [
    object(
      "Service",
      name,
      { spec: { clusterIP: ip, ports: [{ name: "http", port: 80 }], selector: { app: name } } },
      "shop",
    ),
    labelled(
      { "kubernetes.io/service-name": name },
      object(
        "EndpointSlice",
        `${name}-1`,
        {
          addressType: "IPv4",
          ports: [{ name: "http", port: 8080 }],
          endpoints: pods.map((pod) => ({
            addresses: [pod.ip],
            targetRef: { kind: "Pod", name: `${name}-${pod.ip}` },
          })),
        },
        "shop",
      ),
    ),
    ...pods.map((pod) =>
      labelled(
        { app: name, version: pod.version ?? "v1", "security.istio.io/tlsMode": "istio", ...pod.labels },
        object(
          "Pod",
          `${name}-${pod.ip}`,
          { spec: { containers: [], serviceAccountName: name }, status: { podIP: pod.ip } },
          "shop",
        ),
      ),
    ),
  ];
}

export const network = (name: string): KubeObject =>
  labelled({ "topology.istio.io/network": name }, object("Namespace", "istio-system", {}));

export function gateway(name: string, net: string, ips: readonly string[], labels: Labels = {}): KubeObject {
  const ingress = ips.map((ip) => (isIP(ip) === 0 ? { hostname: ip } : { ip }));
  const port = Number(labels["networking.istio.io/gatewayPort"] ?? 15443);
  return labelled(
    { "topology.istio.io/network": net, ...labels },
    object(
      "Service",
      name,
      { spec: { type: "LoadBalancer", ports: [{ name: "tls", port }] }, status: { loadBalancer: { ingress } } },
      "istio-system",
    ),
  );
}

export function proxy(more: Partial<Proxy> = {}): Proxy {
  return {
    id: "sidecar~10.0.0.9~client.shop~shop.svc.cluster.local",
    type: "sidecar",
    addresses: ["10.0.0.9"],
    namespace: "shop",
    name: "client",
    labels: { app: "client" },
    serviceAccount: "client",
    clusterId: "one",
    dnsDomain: "shop.svc.cluster.local",
    interception: "REDIRECT",
    bind: undefined,
    peer: peerOf({}),
    ...more,
  };
}

interface MeshOfClusters {
  readonly mesh: Mesh;
  readonly world: WorldStore;
  /** The others' objects. */
  readonly worlds: Map<string, WorldStore>;
  /** Which of the others are there. */
  readonly names: Source<readonly string[]>;
  /** `address:port weight tls` of each endpoint. */
  readonly endpoints: (of?: Proxy, cluster?: string) => readonly string[];
}

/** A mesh of our cluster `one` and others, which come and go. */
export function meshOf(
  own: readonly KubeObject[],
  others: Readonly<Record<string, readonly KubeObject[]>>,
  options: Pick<ModelOptions, "hostAddresses" | "mcs"> = {},
): MeshOfClusters {
  const derivations = createDerivations();
  const store = (objects: readonly KubeObject[]): WorldStore => {
    const world = createWorldStore(derivations);
    world.apply(objects.map((each) => ({ type: "set", object: each })));
    return world;
  };
  const worlds = new Map(Object.entries(others).map(([id, objects]) => [id, store(objects)]));
  const names = derivations.source<readonly string[]>([...worlds.keys()]);
  const remotes = (): readonly RemoteWorld[] =>
    names.get().flatMap((clusterId) => {
      const world = worlds.get(clusterId);
      return world === undefined ? [] : { clusterId, world };
    });
  const world = store(own);
  const mesh = createMesh(world, { ...options, derivations, clusterId: "one", remotes });
  const endpoints = (of: Proxy = proxy(), cluster = CLUSTER): readonly string[] =>
    (mesh.proxyConfig(of).endpoints(cluster)?.endpoints ?? []).map(
      ({ address, port, weight, tlsMode }) => `${address}:${port} ${weight} ${tlsMode}`,
    );
  return { mesh, world, worlds, names, endpoints };
}
