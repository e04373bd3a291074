import { expect, test } from "vitest";
import type { KubeObject } from "../../src/resources/object.ts";
import {
  gateway,
  HOST,
  labelled,
  type Labels,
  meshOf,
  network,
  object,
  proxy,
  web,
} from "../support/clusters/worlds.ts";

// Which addresses stand for another network: Services by label or meshNetworks, nodes, Gateways of Gateway API, names.

const NETWORK = "topology.istio.io/network";
const client = [network("a"), ...web("10.96.0.1", [])];
const server = [network("b"), ...web("10.97.0.1", [{ ip: "10.1.0.1" }])];

/** A Service of type NodePort with the label of network b. */
const nodePorts = (annotations: Labels, spec: object = {}): KubeObject => {
  const made = object("Service", "ew", { spec: { type: "NodePort", ...PORTS, ...spec } }, "istio-system");
  return { ...made, metadata: { ...made.metadata, labels: { [NETWORK]: "b" }, annotations } };
};
const PORTS = { ports: [{ name: "tls", port: 15443, nodePort: 31443 }] };

const node = (name: string, labels: Labels, addresses: object): KubeObject =>
  labelled(labels, object("Node", name, { status: { addresses } }));

const nodes = [
  node("n1", { edge: "yes" }, [
    { type: "InternalIP", address: "10.9.0.1" },
    { type: "ExternalIP", address: "192.0.2.1" },
  ]),
  node("n2", {}, [{ type: "ExternalIP", address: "192.0.2.2" }]),
  node("n3", { edge: "yes" }, [{ type: "InternalIP", address: "10.9.0.3" }]),
];

function apiGateway(more: { class?: string; labels?: Labels; tls?: object; port?: number; addresses?: object }) {
  const { labels = { [NETWORK]: "b" }, tls = { mode: "Passthrough" }, port = 15443 } = more;
  const spec = {
    gatewayClassName: more.class ?? "istio",
    addresses: more.addresses ?? [{ type: "IPAddress", value: "192.0.2.7" }],
    listeners: [{ name: "cross", port, protocol: "TLS", tls }],
  };
  const metadata = { name: "ew", namespace: "istio-system", labels };
  return { apiVersion: "gateway.networking.k8s.io/v1", kind: "Gateway", metadata, spec } as KubeObject;
}

test.each([
  ["at the nodes that its annotation selects, at their port", '{"edge":"yes"}', ["192.0.2.1:31443 1 istio"]],
  ["at all nodes that have an outer address", "{}", ["192.0.2.1:31443 1 istio", "192.0.2.2:31443 1 istio"]],
  ["at all nodes when the annotation cannot be read", "{", ["192.0.2.1:31443 1 istio", "192.0.2.2:31443 1 istio"]],
])("a Service of type NodePort: %s", (_, selector, expected) => {
  const service = nodePorts({ "traffic.istio.io/nodeSelector": selector });
  expect(meshOf(client, { two: [...server, service, ...nodes] }).endpoints()).toEqual(expected);
});

test("without the annotation, or without the port, a Service with the label is no gateway; its external addresses are", () => {
  const direct = ["10.1.0.1:8080 1 istio"];
  expect(meshOf(client, { two: [...server, nodePorts({}), ...nodes] }).endpoints()).toEqual(direct);
  const external = nodePorts({}, { externalIPs: ["192.0.2.9"] });
  expect(meshOf(client, { two: [...server, external, ...nodes] }).endpoints()).toEqual(["192.0.2.9:15443 1 istio"]);
  const deaf = nodePorts({}, { externalIPs: ["192.0.2.9"], ports: [{ name: "tls", port: 443 }] });
  expect(meshOf(client, { two: [...server, deaf] }).endpoints()).toEqual(direct);
});

test("a load balancer with a name stands for the addresses that the name has, as they change", () => {
  const known = new Map([["lb.example.com", ["192.0.2.4", "192.0.2.3"]]]);
  const hostAddresses = (name: string): readonly string[] => known.get(name) ?? [];
  const { mesh, endpoints } = meshOf(
    client,
    { two: [...server, gateway("ew", "b", ["lb.example.com"])] },
    { hostAddresses },
  );
  expect(mesh.model.networks.gatewayNames()).toEqual(["lb.example.com"]);
  expect(endpoints()).toEqual(["192.0.2.3:15443 1 istio", "192.0.2.4:15443 1 istio"]);
  const unknown = meshOf(client, { two: [...server, gateway("ew", "b", ["other.example.com"])] }, { hostAddresses });
  expect(unknown.endpoints()).toEqual(["10.1.0.1:8080 1 istio"]);
});

test.each([
  ["by the port for it", {}, ["192.0.2.7:15443 1 istio"]],
  [
    "by the port that its label says",
    { port: 443, labels: { [NETWORK]: "b", "networking.istio.io/gatewayPort": "443" } },
    ["192.0.2.7:443 1 istio"],
  ],
  [
    "by the mode of a listener",
    { port: 444, tls: { mode: "Passthrough", options: { "gateway.istio.io/listener-mode": "auto-passthrough" } } },
    ["192.0.2.7:444 1 istio"],
  ],
  ["no other port", { port: 443 }, ["10.1.0.1:8080 1 istio"]],
  ["without the label of a network none", { labels: {} }, ["10.1.0.1:8080 1 istio"]],
  ["of class istio-remote those of our own cluster alone", { class: "istio-remote" }, ["10.1.0.1:8080 1 istio"]],
])("a Gateway of Gateway API as the way into a network: %s", (_, more, expected) => {
  expect(meshOf(client, { two: [...server, apiGateway(more)] }).endpoints()).toEqual(expected);
});

test("a Gateway of class istio-remote in our own cluster says where a network is entered, also by name", () => {
  const addresses = [{ type: "Hostname", value: "lb.example.com" }];
  const own = [...client, apiGateway({ class: "istio-remote", addresses })];
  const { endpoints } = meshOf(own, { two: server }, { hostAddresses: () => ["192.0.2.3"] });
  expect(endpoints()).toEqual(["192.0.2.3:15443 1 istio"]);
});

test("pods of such a Gateway pass mutual TLS on by its server name", () => {
  const own = [network("b"), ...web("10.96.0.1", [{ ip: "10.0.0.1" }]), apiGateway({})];
  const router = proxy({
    type: "router",
    namespace: "istio-system",
    labels: { "gateway.networking.k8s.io/gateway-name": "ew" },
  });
  const config = meshOf(own, {}).mesh.proxyConfig(router);
  const chains = config.gatewayListeners().flatMap((listener) => listener.chains);
  const names = chains.flatMap(({ serverNames }) => serverNames);
  expect(names).toContain(`outbound_.80_._.${HOST}`);
  expect(config.endpoints(`outbound_.80_._.${HOST}`)?.endpoints.map(({ address }) => address)).toEqual(["10.0.0.1"]);
});

test("meshNetworks: the whole cluster counts before ranges, and a Service's name in the clusters of the network alone", () => {
  const service = "ew.istio-system.svc.cluster.local";
  const networks = {
    b: { endpoints: [{ fromRegistry: "two" }], gateways: [{ registryServiceName: service, port: 443 }] },
    c: { endpoints: [{ fromCidr: "10.1.0.0/16" }], gateways: [{ address: "192.0.2.99", port: 443 }] },
  };
  const config = object("ConfigMap", "istio", { data: { meshNetworks: JSON.stringify({ networks }) } }, "istio-system");
  const unlabelled = (ip: string): KubeObject => gateway("ew", "", [ip]);
  const { endpoints } = meshOf([...client, config, unlabelled("192.0.2.50")], {
    two: [...web("10.97.0.1", [{ ip: "10.1.0.1" }]), unlabelled("192.0.2.8")],
  });
  expect(endpoints()).toEqual(["192.0.2.8:443 1 istio"]);
});

test("a proxy that asks for the view of some networks sees endpoints of these, and of no network", () => {
  const own = [network("a"), gateway("ew", "a", ["192.0.2.9"]), ...web("10.96.0.1", [{ ip: "10.0.0.7" }])];
  const others = { two: [...server, gateway("ew", "b", ["192.0.2.1"])], three: web("10.98.0.1", [{ ip: "10.2.0.1" }]) };
  const { endpoints } = meshOf(own, others);
  const seen = (view: string): readonly string[] => endpoints(proxy({ metadata: { REQUESTED_NETWORK_VIEW: view } }));
  const [local, abroad, nowhere] = ["10.0.0.7:8080 1 istio", "192.0.2.1:15443 1 istio", "10.2.0.1:8080 1 istio"];
  expect(endpoints()).toEqual([local, nowhere, abroad]);
  expect(seen("a")).toEqual([local, nowhere]);
  expect(seen("b")).toEqual([nowhere, abroad]);
  expect(seen("a,b")).toEqual([local, nowhere, abroad]);
});

/** A StatefulSet's headless Service with pods by name. */
function headless(pods: Readonly<Record<string, string>>): KubeObject[] {
  const [service, slice, ...rest] = web(
    "None",
    Object.values(pods).map((ip) => ({ ip })),
    "db",
  );
  const endpoints = Object.entries(pods).map(([hostname, ip]) => ({
    hostname,
    addresses: [ip],
    targetRef: { kind: "Pod", name: `db-${ip}` },
  }));
  return [service, { ...slice, endpoints } as KubeObject, ...rest].filter((each) => each !== undefined);
}

const DB = "db.shop.svc.cluster.local";

/** Names of the headless service with their addresses, as a client's agent answers them. */
function named(own: readonly KubeObject[], others: Readonly<Record<string, readonly KubeObject[]>>) {
  const names =
    meshOf(own, others)
      .mesh.proxyConfig(proxy({ dns: { autoAddresses: false } }))
      .nameTable() ?? [];
  return Object.fromEntries(names.flatMap(({ host, addresses }) => (host.endsWith(DB) ? [[host, addresses]] : [])));
}

test("a headless service over clusters: pods of all on one network, a pod's name means the own cluster's", () => {
  const own = headless({ "db-0": "10.0.0.1" });
  const other = headless({ "db-0": "10.1.0.1", "db-1": "10.1.0.2" });
  expect(named(own, { two: other })).toEqual({
    [DB]: ["10.0.0.1", "10.1.0.1", "10.1.0.2"],
    [`db-0.${DB}`]: ["10.0.0.1"],
    [`db-1.${DB}`]: ["10.1.0.2"],
  });
});

test("a headless service over networks: connections go to the pods themselves, so those elsewhere have no name", () => {
  const own = [network("a"), ...headless({ "db-0": "10.0.0.1" })];
  const other = [network("b"), gateway("ew", "b", ["192.0.2.1"]), ...headless({ "db-1": "10.1.0.2" })];
  expect(named(own, { two: other })).toEqual({ [DB]: ["10.0.0.1"], [`db-0.${DB}`]: ["10.0.0.1"] });
});

test("a headless service that is each cluster's own has the caller's cluster's pods alone", () => {
  const mesh = `serviceSettings: [{ settings: { clusterLocal: true }, hosts: ["${DB}"] }]`;
  const config = object("ConfigMap", "istio", { data: { mesh } }, "istio-system");
  const other = headless({ "db-1": "10.1.0.2" });
  expect(named([config, ...headless({ "db-0": "10.0.0.1" })], { two: other })).toEqual({
    [DB]: ["10.0.0.1"],
    [`db-0.${DB}`]: ["10.0.0.1"],
  });
});
