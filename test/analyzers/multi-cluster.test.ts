import { expect, test } from "vitest";
import { serviceAcrossClusters } from "../../src/analyzers/istio/service-across-clusters.ts";
import { runAnalyzers } from "../../src/analyzers/run.ts";
import type { Finding } from "../../src/diagnostics/finding.ts";
import type { ServiceSpec } from "../../src/resources/core.ts";
import { type WorldStore, worldOf } from "../../src/resources/world-store.ts";

const service = (spec: ServiceSpec, name = "web", namespace = "shop") => ({
  apiVersion: "v1",
  kind: "Service",
  metadata: { name, namespace },
  spec,
});
interface Cluster {
  readonly name: string;
  readonly world: WorldStore;
}

/** Findings of each cluster's run, as the engine makes them. */
const found = (clusters: readonly Cluster[]): readonly (readonly [string, Finding])[] =>
  clusters.flatMap(({ name, world }) =>
    runAnalyzers([serviceAcrossClusters], world, { complete: true, clusters }).findings.map(
      (each) => [name, each] as const,
    ),
  );

const clusters = (east: ServiceSpec, west: ServiceSpec): readonly Cluster[] => [
  { name: "east", world: worldOf([service(east), service({ type: "ClusterIP" }, "only-here")]) },
  { name: "west", world: worldOf([service(west)]) },
];
const http = { name: "http", port: 80 };

test("a Service that differs is named once, for the first cluster, with what differs", () => {
  const east: ServiceSpec = { ports: [http], clusterIP: "10.0.0.1" };
  const west: ServiceSpec = { ports: [{ ...http, port: 81 }], type: "LoadBalancer", clusterIP: "None" };
  const all = found(clusters(east, west));
  expect(all).toHaveLength(1);
  expect(all[0]?.[0]).toBe("east");
  expect(all[0]?.[1]).toMatchObject({
    code: "IST0170",
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
  expect(found(clusters(east, west))).toEqual([]);
});

test("what every cluster has of its own is not compared", () => {
  const worlds = ["10.0.0.1", "None"].map((clusterIP, index) => ({
    name: `c${index}`,
    world: worldOf([service({ clusterIP }, "kubernetes", "default"), service({ clusterIP }, "dns", "kube-system")]),
  }));
  expect(found(worlds)).toEqual([]);
});
