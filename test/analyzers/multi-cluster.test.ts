import { expect, test } from "vitest";
import { multiClusterFindings } from "../../src/analyzers/multi-cluster.ts";
import type { ServiceSpec } from "../../src/resources/core.ts";
import { worldOf } from "../../src/resources/world-store.ts";

const service = (spec: ServiceSpec, name = "web", namespace = "shop") => ({
  apiVersion: "v1",
  kind: "Service",
  metadata: { name, namespace },
  spec,
});
const clusters = (east: ServiceSpec, west: ServiceSpec) => [
  { cluster: "east", world: worldOf([service(east), service({ type: "ClusterIP" }, "only-here")]) },
  { cluster: "west", world: worldOf([service(west)]) },
];
const http = { name: "http", port: 80 };

test("a Service that differs is named once, for the first cluster, with what differs", () => {
  const east: ServiceSpec = { ports: [http], clusterIP: "10.0.0.1" };
  const west: ServiceSpec = { ports: [{ ...http, port: 81 }], type: "LoadBalancer", clusterIP: "None" };
  const found = multiClusterFindings(clusters(east, west));
  expect(found).toHaveLength(1);
  expect(found[0]).toMatchObject({
    code: "IST0170",
    cluster: "east",
    object: { kind: "Service", namespace: "shop", name: "web" },
    args: {
      clusters: "east, west",
      differences:
        "headless in one, with an address in the other; type ClusterIP and LoadBalancer; ports http 80/TCP to 80 and http 81/TCP to 81",
    },
  });
});

test.each<readonly [string, ServiceSpec, ServiceSpec]>([
  [
    "numbers that each cluster assigns",
    { type: "NodePort", clusterIP: "10.0.0.1", ports: [{ ...http, nodePort: 30_001 }] },
    { type: "NodePort", clusterIP: "10.1.0.9", ports: [{ ...http, nodePort: 31_999 }] },
  ],
  [
    "defaults that one of them writes out, and the order of ports",
    { ports: [http, { name: "tcp", port: 90 }] },
    { type: "ClusterIP", ports: [{ name: "tcp", port: 90, targetPort: 90, protocol: "TCP" }, http] },
  ],
])("no difference: %s", (_title, east, west) => {
  expect(multiClusterFindings(clusters(east, west))).toEqual([]);
});

test("what every cluster has of its own is not compared", () => {
  const worlds = ["10.0.0.1", "None"].map((clusterIP, index) => ({
    cluster: `c${index}`,
    world: worldOf([service({ clusterIP }, "kubernetes", "default"), service({ clusterIP }, "dns", "kube-system")]),
  }));
  expect(multiClusterFindings(worlds)).toEqual([]);
});
