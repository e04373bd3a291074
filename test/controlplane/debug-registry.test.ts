import { expect, test } from "vitest";
import { registryServices } from "../../src/controlplane/debug-registry.ts";
import { createState } from "../../src/controlplane/state.ts";
import type { KubeObject } from "../../src/resources/object.ts";

const OBJECTS: readonly KubeObject[] = [
  {
    apiVersion: "v1",
    kind: "Service",
    metadata: {
      name: "web",
      namespace: "shop",
      labels: { app: "web" },
      resourceVersion: "7",
      creationTimestamp: "2026-11-21T20:00:00Z",
    },
    spec: {
      clusterIP: "10.96.0.7",
      clusterIPs: ["10.96.0.7"],
      selector: { app: "web" },
      ports: [
        { name: "http", port: 80 },
        { name: "odd", port: 81 },
      ],
    },
  },
  {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: "db", namespace: "shop", resourceVersion: "8" },
    spec: { clusterIP: "None", ports: [{ name: "tcp-db", port: 5432 }] },
  },
  {
    apiVersion: "networking.istio.io/v1",
    kind: "ServiceEntry",
    metadata: { name: "maps", namespace: "shop", resourceVersion: "9" },
    spec: {
      hosts: ["maps.example.com"],
      location: "MESH_EXTERNAL",
      resolution: "DNS",
      exportTo: ["."],
      ports: [{ number: 443, name: "tls", protocol: "TLS" }],
    },
  },
];

test("services by Istio's names: what Kiali reads of /debug/registryz", () => {
  const state = createState({ rootNamespace: "istio-system", domain: "cluster.local", clusterId: "Kubernetes" });
  state.world.apply(OBJECTS.map((object) => ({ type: "set", object })));
  const services = registryServices(state, "Kubernetes");
  state.close();
  expect(services).toEqual([
    expect.objectContaining({
      hostname: "db.shop.svc.cluster.local",
      Resolution: 2,
      defaultAddress: "0.0.0.0",
      ports: [{ name: "tcp-db", port: 5432, protocol: "TCP" }],
    }),
    expect.objectContaining({
      Attributes: {
        ServiceRegistry: "External",
        Name: "maps.example.com",
        Namespace: "shop",
        Labels: {},
        ExportTo: { ".": {} },
        LabelSelectors: {},
      },
      hostname: "maps.example.com",
      Resolution: 1,
      MeshExternal: true,
    }),
    {
      Attributes: {
        ServiceRegistry: "Kubernetes",
        Name: "web",
        Namespace: "shop",
        Labels: { app: "web" },
        ExportTo: {}, // as asked for: by default the mesh's own default holds
        LabelSelectors: { app: "web" },
      },
      ports: [
        { name: "http", port: 80, protocol: "HTTP" },
        { name: "odd", port: 81, protocol: "UnsupportedProtocol" },
      ],
      creationTime: "2026-11-21T20:00:00Z",
      hostname: "web.shop.svc.cluster.local",
      clusterVIPs: { Addresses: { Kubernetes: ["10.96.0.7"] } },
      defaultAddress: "10.96.0.7",
      Resolution: 0,
      MeshExternal: false,
      ResourceVersion: "7",
    },
  ]);
});
