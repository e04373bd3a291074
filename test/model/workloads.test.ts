import { expect, test } from "vitest";
import { createModel, type Model } from "../../src/model/model.ts";
import type { PolicyReach } from "../../src/model/workloads.ts";
import type { KubeObject } from "../../src/resources/object.ts";
import { worldOf } from "../../src/resources/world-store.ts";

const object = (
  kind: string,
  place: string,
  rest: Partial<KubeObject> & { labels?: Record<string, string> },
): KubeObject => {
  const [namespace = "", name = ""] = place.split("/");
  const { labels = {}, metadata, ...others } = rest;
  return { apiVersion: API[kind] ?? "v1", kind, metadata: { namespace, name, labels, ...metadata }, ...others };
};
const API: Readonly<Record<string, string>> = {
  Gateway: "networking.istio.io/v1",
  Sidecar: "networking.istio.io/v1",
  AuthorizationPolicy: "security.istio.io/v1",
};
const namespace = (name: string, labels: Record<string, string>): KubeObject =>
  object("Namespace", `/${name}`, { labels });
const pod = (place: string, labels: Record<string, string>, spec: object = {}): KubeObject =>
  object("Pod", place, { labels, spec: { containers: [{ name: "app" }], ...spec } });
const names = (pods: readonly KubeObject[]): readonly string[] =>
  pods.map(({ metadata }) => `${metadata.namespace ?? ""}/${metadata.name}`);
const modelOf = (...objects: readonly KubeObject[]): Model => createModel(worldOf(objects));

test("pods by labels, of one namespace and of all", () => {
  const { workloads } = modelOf(
    pod("shop/web-1", { app: "web", version: "v1" }),
    pod("shop/web-2", { app: "web", version: "v2" }),
    pod("other/web", { app: "web", version: "v1" }),
  );
  expect(names(workloads.selected("shop", { app: "web" }))).toEqual(["shop/web-1", "shop/web-2"]);
  expect(names(workloads.selected("shop", { app: "web", version: "v2" }))).toEqual(["shop/web-2"]);
  expect(names(workloads.selected(undefined, { version: "v1" }))).toEqual(["other/web", "shop/web-1"]);
  expect(workloads.selected("shop", { app: "web", constructor: "x" })).toEqual([]);
  expect(names(workloads.selected("shop", {}))).toEqual(["shop/web-1", "shop/web-2"]);
});

test("a policy is for its namespace, in the root namespace for all, with targetRefs for no pod by labels", () => {
  const { workloads } = modelOf(pod("shop/web", { app: "web" }), pod("other/web", { app: "web" }));
  const reach = (place: string, spec: PolicyReach = {}): readonly string[] =>
    names(workloads.ofPolicy({ ...object("AuthorizationPolicy", place, {}), spec }));
  expect(reach("shop/p")).toEqual(["shop/web"]);
  expect(reach("istio-system/p", { selector: { matchLabels: { app: "web" } } })).toEqual(["other/web", "shop/web"]);
  expect(reach("shop/p", { targetRefs: [{ kind: "Service", name: "web" }] })).toEqual([]);
});

test("ports that lead to a pod: by number, by name, by a name that it does not have", () => {
  const { workloads } = modelOf(
    pod("shop/web", { app: "web" }, { containers: [{ name: "app", ports: [{ name: "http", containerPort: 8080 }] }] }),
    object("Service", "shop/web", {
      spec: {
        selector: { app: "web" },
        ports: [
          { port: 80, name: "http", targetPort: "http" },
          { port: 81, name: "tcp", targetPort: 9000 },
          { port: 82, name: "grpc", targetPort: "nope" },
        ],
      },
    }),
    object("Service", "shop/none", { spec: { ports: [{ port: 1 }] } }),
  );
  const served = workloads.servedPorts("shop", "web").map(({ number, protocol, target }) => [number, protocol, target]);
  expect(served).toEqual([
    [80, "http", 8080],
    [81, "tcp", 9000],
    [82, "grpc", undefined],
  ]);
  expect(workloads.servedPorts("shop", "constructor")).toEqual([]);
});

test.each([
  ["of an injected namespace", "in/a", {}, {}, "yes"],
  ["of one with a revision", "rev/a", {}, {}, "yes"],
  ["of one that is not injected", "out/a", {}, {}, "no"],
  ["of an unknown namespace", "unknown/a", {}, {}, "unknown"],
  ["that asks for it where nobody is known", "unknown/a", { "sidecar.istio.io/inject": "true" }, {}, "yes"],
  ["that refuses", "in/a", { "sidecar.istio.io/inject": "false" }, {}, "no"],
  ["on the host's network", "in/a", {}, { hostNetwork: true }, "no"],
  ["that has one", "out/a", {}, { containers: [{ name: "istio-proxy" }, { name: "app" }] }, "yes"],
  ["that has one as a native sidecar", "out/a", {}, { initContainers: [{ name: "istio-proxy" }] }, "yes"],
] as const)("proxy of a pod %s", (...[, place, labels, spec, expected]) => {
  const asked = pod(place, labels, spec);
  const { workloads } = modelOf(
    asked,
    namespace("in", { "istio-injection": "enabled" }),
    namespace("rev", { "istio.io/rev": "canary" }),
    namespace("out", {}),
  );
  expect(workloads.proxy(asked as Parameters<typeof workloads.proxy>[0])).toBe(expected);
});

test("a pod that runs says itself whether it has a proxy", () => {
  const running = { ...pod("in/a", {}), status: { phase: "Running" } };
  const { workloads } = modelOf(running, namespace("in", { "istio-injection": "enabled" }));
  expect(workloads.proxy(running as Parameters<typeof workloads.proxy>[0])).toBe("no");
});

test("gateways: injected as one, nothing but a proxy, chosen by a Gateway", () => {
  const pods = [
    pod("gw/template", {}, {}),
    pod("gw/bare", {}, { containers: [{ name: "istio-proxy" }] }),
    pod("gw/chosen", { istio: "ingressgateway" }),
    pod("gw/app", { app: "web" }),
  ];
  const [template, ...others] = pods;
  const annotated = {
    ...template,
    metadata: { ...template?.metadata, annotations: { "inject.istio.io/templates": "sidecar, gateway" } },
  };
  const all = [annotated as KubeObject, ...others];
  const gateway = object("Gateway", "shop/public", { spec: { selector: { istio: "ingressgateway" } } });
  const { workloads, world } = modelOf(...all, gateway);
  expect(names(world.list("Pod").filter((each) => workloads.isGateway(each)))).toEqual([
    "gw/bare",
    "gw/chosen",
    "gw/template",
  ]);
});

test("Sidecars: the namespace's own, else the mesh's; what they show, seen from the workload's namespace", () => {
  const { sidecars } = modelOf(
    object("Sidecar", "istio-system/default", { spec: { egress: [{ hosts: ["./*"] }] } }),
    object("Sidecar", "shop/selects", {
      spec: { workloadSelector: { labels: { app: "x" } }, egress: [{ hosts: ["~/*"] }] },
    }),
    object("Sidecar", "own/default", { spec: { egress: [{ hosts: ["~/*", "storage/*.example.com"] }] } }),
    object("Sidecar", "open/default", { spec: {} }),
  );
  const sees = (viewer: string, name: string, of: string): boolean => {
    const sidecar = sidecars.ofNamespace(viewer);
    if (sidecar === undefined) throw new Error(viewer);
    return sidecars.imports(sidecar, viewer, { name, namespace: of });
  };
  expect(sees("shop", "web.shop.svc.cluster.local", "shop")).toBe(true);
  expect(sees("shop", "db.storage.svc.cluster.local", "storage")).toBe(false);
  expect(sees("own", "a.example.com", "storage")).toBe(true);
  expect(sees("own", "a.example.com", "shop")).toBe(false);
  expect(sees("open", "anything", "anywhere")).toBe(true);
});

test("namespaces exist by their object or by what lives in them", () => {
  const { namespaces } = modelOf(namespace("a", {}), pod("b/x", {}), object("ServiceAccount", "c/x", {}));
  expect(["a", "b", "c", "d"].map((name) => namespaces.exists(name))).toEqual([true, true, true, false]);
});
