import { expect, test } from "vitest";
import type { KubeObject } from "../../src/resources/object.ts";
import { CLUSTER, gateway, HOST, labelled, meshOf, network, object, proxy, web } from "../support/clusters/worlds.ts";

test("a service of several clusters has the endpoints of all, as they come and go", () => {
  const { world, worlds, names, endpoints } = meshOf(web("10.96.0.1", [{ ip: "10.0.0.1" }]), {
    two: web("10.97.0.1", [{ ip: "10.1.0.1" }, { ip: "10.1.0.2" }]),
  });
  expect(endpoints()).toEqual(["10.0.0.1:8080 1 istio", "10.1.0.1:8080 1 istio", "10.1.0.2:8080 1 istio"]);
  const [, slice] = web("10.97.0.1", [{ ip: "10.1.0.2" }]);
  worlds.get("two")?.apply([{ type: "set", object: slice as KubeObject }]);
  expect(endpoints()).toEqual(["10.0.0.1:8080 1 istio", "10.1.0.2:8080 1 istio"]);
  names.set([]);
  expect(endpoints()).toEqual(["10.0.0.1:8080 1 istio"]);
  names.set(["two"]);
  world.apply(web("", []).map((each) => ({ type: "delete", object: each })));
  expect(endpoints()).toEqual(["10.1.0.2:8080 1 istio"]);
});

test("each cluster's clients dial their own cluster's address", () => {
  const { mesh } = meshOf(web("10.96.0.1", []), { two: web("10.97.0.1", []), three: web("10.98.0.1", [], "only") });
  const service = mesh.model.services.kubernetes("shop", "web");
  expect(service?.addresses).toEqual(["10.96.0.1"]);
  expect(service?.addressesIn).toEqual({ one: ["10.96.0.1"], two: ["10.97.0.1"] });
  expect(mesh.model.services.kubernetes("shop", "only")?.addresses).toEqual(["10.98.0.1"]);
  expect(mesh.model.services.allVisible("shop").map(({ name }) => name)).toEqual(["only", "web"]);
});

test("a subset may be a cluster; metrics name the cluster of an endpoint", () => {
  const rule = {
    apiVersion: "networking.istio.io/v1",
    kind: "DestinationRule",
    metadata: { name: "web", namespace: "shop" },
    spec: {
      host: "web",
      subsets: ["one", "two"].map((name) => ({ name, labels: { "topology.istio.io/cluster": name } })),
    },
  } as KubeObject;
  const { mesh, endpoints } = meshOf([...web("10.96.0.1", [{ ip: "10.0.0.1" }]), rule], {
    two: web("10.97.0.1", [{ ip: "10.1.0.1" }]),
  });
  expect(endpoints(proxy(), `outbound|80|one|${HOST}`)).toEqual(["10.0.0.1:8080 1 istio"]);
  expect(endpoints(proxy(), `outbound|80|two|${HOST}`)).toEqual(["10.1.0.1:8080 1 istio"]);
  const all = mesh.proxyConfig(proxy()).endpoints(CLUSTER)?.endpoints;
  expect(all?.map(({ peer }) => peer.cluster)).toEqual(["one", "two"]);
});

test("another network is reached by its gateways, with its weight; what takes no mutual TLS is not reached", () => {
  const plain = { "security.istio.io/tlsMode": "disabled" };
  const remote = [{ ip: "10.0.0.1" }, { ip: "10.0.0.2" }, { ip: "10.0.0.3" }, { ip: "10.0.0.4", labels: plain }];
  const { endpoints } = meshOf([network("a"), ...web("10.96.0.1", [{ ip: "10.0.0.7" }])], {
    two: [network("b"), gateway("ew", "b", ["192.0.2.1", "192.0.2.2"]), ...web("10.97.0.1", remote)],
  });
  expect(endpoints()).toEqual(["10.0.0.7:8080 2 istio", "192.0.2.1:15443 3 istio", "192.0.2.2:15443 3 istio"]);
});

test("clusters with the same addresses on networks of their own do not mix", () => {
  const pods = [{ ip: "10.0.0.1" }];
  const { endpoints } = meshOf([network("a"), ...web("10.96.0.1", pods)], {
    two: [network("b"), gateway("ew", "b", ["192.0.2.1"]), ...web("10.96.0.1", pods)],
  });
  expect(endpoints()).toEqual(["10.0.0.1:8080 1 istio", "192.0.2.1:15443 1 istio"]);
});

test("a network's own gateway passes on to its own network alone; without gateways all is reached directly", () => {
  const own = [network("a"), gateway("ew", "a", ["192.0.2.9"]), ...web("10.96.0.1", [{ ip: "10.0.0.7" }])];
  const others = { two: [network("b"), gateway("ew", "b", ["192.0.2.1"]), ...web("10.97.0.1", [{ ip: "10.1.0.1" }])] };
  const { mesh } = meshOf(own, others);
  const router = proxy({ type: "router", namespace: "istio-system", labels: { istio: "eastwestgateway" } });
  const passed = mesh.proxyConfig(router).endpoints(`outbound_.80_._.${HOST}`)?.endpoints;
  expect(passed?.map(({ address }) => address)).toEqual(["10.0.0.7"]);
  const unknown = meshOf([network("a"), ...web("10.96.0.1", [])], {
    two: [network("b"), ...web("10.97.0.1", [{ ip: "10.1.0.1" }])],
  });
  expect(unknown.endpoints()).toEqual(["10.1.0.1:8080 1 istio"]);
});

test.each([
  ["a pod's label", [], { "topology.istio.io/network": "b" }, {}],
  ["the namespace's", [labelled({ "topology.istio.io/network": "b" }, object("Namespace", "shop", {}))], {}, {}],
  ["meshNetworks by cluster", [], {}, { endpoints: [{ fromRegistry: "two" }] }],
  ["meshNetworks by range", [], {}, { endpoints: [{ fromCidr: "10.1.0.0/16" }] }],
])("the network of a workload: %s", (_, inRemote, labels, written) => {
  const gateways = [{ address: "192.0.2.5", port: 443 }];
  const meshNetworks = JSON.stringify({ networks: { b: { ...written, gateways } } });
  const config = object("ConfigMap", "istio", { data: { mesh: "{}", meshNetworks } }, "istio-system");
  const { endpoints } = meshOf([network("a"), config, ...web("10.96.0.1", [])], {
    two: [...inRemote, ...web("10.97.0.1", [{ ip: "10.1.0.1", labels }])],
  });
  expect(endpoints()).toEqual(["192.0.2.5:443 1 istio"]);
});

test("a gateway of meshNetworks may be named by its Service; its own port counts", () => {
  const service = "ew.istio-system.svc.cluster.local";
  const named = { endpoints: [{ fromRegistry: "two" }], gateways: [{ registryServiceName: service, port: 443 }] };
  const config = object(
    "ConfigMap",
    "istio",
    { data: { meshNetworks: JSON.stringify({ networks: { b: named } }) } },
    "istio-system",
  );
  const own = [network("a"), config, ...web("10.96.0.1", [])];
  const { endpoints } = meshOf(own, {
    two: [gateway("ew", "", ["192.0.2.8"]), ...web("10.97.0.1", [{ ip: "10.1.0.1" }])],
  });
  expect(endpoints()).toEqual(["192.0.2.8:443 1 istio"]);
  const port = { "networking.istio.io/gatewayPort": "30443" };
  const labels = meshOf([network("a"), ...web("10.96.0.1", [])], {
    two: [network("b"), gateway("ew", "b", ["192.0.2.8"], port), ...web("10.97.0.1", [{ ip: "10.1.0.1" }])],
  });
  expect(labels.endpoints()).toEqual(["192.0.2.8:30443 1 istio"]);
});

test("a host that is each cluster's own stays in the caller's", () => {
  const mesh = (text: string): KubeObject => object("ConfigMap", "istio", { data: { mesh: text } }, "istio-system");
  const others = { two: web("10.97.0.1", [{ ip: "10.1.0.1" }]) };
  const all = [...web("10.96.0.1", [{ ip: "10.0.0.1" }])];
  const local = `serviceSettings: [{ settings: { clusterLocal: true }, hosts: ["*.shop.svc.cluster.local"] }]`;
  expect(meshOf([...all, mesh(local)], others).endpoints()).toEqual(["10.0.0.1:8080 1 istio"]);
  const except = `${local.slice(0, -1)}, { settings: { clusterLocal: false }, hosts: ["${HOST}"] }]`;
  expect(meshOf([...all, mesh(except)], others).endpoints()).toHaveLength(2);
});

test("a network that gets a gateway is reached by it from then on, and directly when it has lost it", () => {
  const { world, worlds, endpoints } = meshOf([network("a"), ...web("10.96.0.1", [{ ip: "10.0.0.1" }])], {
    two: [network("a"), ...web("10.97.0.1", [{ ip: "10.1.0.1" }])],
  });
  const direct = ["10.0.0.1:8080 1 istio", "10.1.0.1:8080 1 istio"];
  const set = (name: string, changed: KubeObject): void => worlds.get(name)?.apply([{ type: "set", object: changed }]);
  expect(endpoints()).toEqual(direct);
  const own = gateway("ew", "a", ["192.0.2.9"]);
  world.apply([{ type: "set", object: own }]);
  expect(endpoints()).toEqual(direct);
  const other = gateway("ew", "b", ["192.0.2.1"]);
  set("two", other);
  set("two", network("b"));
  expect(endpoints()).toEqual(["10.0.0.1:8080 1 istio", "192.0.2.1:15443 1 istio"]);
  worlds.get("two")?.apply([{ type: "delete", object: other }]);
  expect(endpoints()).toEqual(direct);
});
