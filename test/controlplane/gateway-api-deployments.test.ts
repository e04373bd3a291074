import { expect, test } from "vitest";
import { createDerivations } from "../../src/base/derive.ts";
import { silentLogger } from "../../src/base/logger.ts";
import { createGatewayDeployments } from "../../src/controlplane/gateway-api-deployments.ts";
import { gatewayObjects } from "../../src/controlplane/gateway-api-objects.ts";
import { withOverlays } from "../../src/controlplane/gateway-api-overlays.ts";
import { injectContexts } from "../../src/controlplane/injector.ts";
import { isOwnGateway } from "../../src/controlplane/own-gateways.ts";
import type { ApiGateway } from "../../src/model/gateway-api-types.ts";
import { createModel } from "../../src/model/model.ts";
import type { KubeObject } from "../../src/resources/object.ts";
import { createFixedWorld } from "../../src/resources/world-fixed.ts";
import { createWorldStore } from "../../src/resources/world-store.ts";
import { type FakeCluster, fakeCluster } from "../support/fake-cluster.ts";
import { renderedObjects } from "../support/injection.ts";
import { waitFor } from "../support/wait.ts";

const installed = renderedObjects("default", []);

function gateway(metadata: object = {}, spec: object = {}): ApiGateway {
  return {
    apiVersion: "gateway.networking.k8s.io/v1",
    kind: "Gateway",
    metadata: { name: "edge", namespace: "shop", uid: "u-1", ...metadata },
    spec: { gatewayClassName: "istio", listeners: [{ name: "web", port: 80, protocol: "HTTP" }], ...spec },
  } as ApiGateway;
}

const injection = injectContexts({
  world: createFixedWorld(installed),
  derivations: createDerivations(),
  rootNamespace: "istio-system",
  revision: "default",
  meshConfig: () => ({ trustDomain: "cluster.local" }),
})("shop");

function made(of: ApiGateway): Readonly<Record<string, KubeObject>> {
  const objects = gatewayObjects(of, { injection, controller: "istio.io/gateway-controller" });
  return Object.fromEntries(objects.map((object) => [object.kind, object]));
}

/** What stands at a path of fields and indexes, e.g. `spec.ports.0`. */
function at(object: unknown, path: string): unknown {
  return path.split(".").reduce((found, key) => (found as Record<string, unknown> | undefined)?.[key], object);
}

test("all that is made has the Gateway's name, its labels and it as owner; the pod is injected already", () => {
  const { ServiceAccount, Deployment, Service } = made(
    gateway({ labels: { team: "web", "gateway.networking.k8s.io/x": "y" }, annotations: { note: "n" } }),
  );
  for (const object of [ServiceAccount, Deployment, Service])
    expect(object?.metadata).toEqual({
      name: "edge-istio",
      namespace: "shop",
      labels: {
        team: "web",
        "gateway.networking.k8s.io/gateway-name": "edge",
        "gateway.networking.k8s.io/gateway-class-name": "istio",
        "gateway.istio.io/managed": "istio.io-gateway-controller",
      },
      annotations: { note: "n" },
      ownerReferences: [{ apiVersion: "gateway.networking.k8s.io/v1", kind: "Gateway", name: "edge", uid: "u-1" }],
    });
  expect(at(Deployment, "spec.template.metadata.labels")).toMatchObject({
    "sidecar.istio.io/inject": "false",
    "gateway.networking.k8s.io/gateway-name": "edge",
    "service.istio.io/canonical-name": "edge-istio",
    team: "web",
  });
  expect(at(Deployment, "spec.template.metadata.annotations")).toMatchObject({
    note: "n",
    "istio.io/rev": "default",
    "prometheus.io/port": "15020",
  });
  const pod = at(Deployment, "spec.template.spec");
  expect(at(pod, "serviceAccountName")).toBe("edge-istio");
  expect(at(pod, "securityContext.sysctls")).toEqual([{ name: "net.ipv4.ip_unprivileged_port_start", value: "0" }]);
  expect(at(pod, "containers.0.image")).toMatch(/\/proxy:/);
  expect(at(pod, "containers.0.env")).toContainEqual({
    name: "ISTIO_META_OWNER",
    value: "kubernetes://apis/apps/v1/namespaces/shop/deployments/edge-istio",
  });
});

test("one port of the Service for each of the listeners; names that come to the same are told apart", () => {
  const listener = (name: string, port: number, protocol = "HTTP"): object => ({ name, port, protocol });
  const listeners = [
    listener("a.b", 80),
    listener("c", 80),
    listener("a-b", 8080),
    listener("status-port", 443, "HTTPS"),
  ];
  expect(at(made(gateway({}, { listeners }))["Service"], "spec")).toMatchObject({
    type: "LoadBalancer",
    selector: { "gateway.networking.k8s.io/gateway-name": "edge" },
    ports: [
      { name: "status-port", port: 15021, appProtocol: "tcp" },
      { name: "a-b", port: 80, appProtocol: "http" },
      { name: "a-b-8080", port: 8080 },
      { name: "status-port-443", port: 443, appProtocol: "https" },
    ],
  });
});

test("annotations of the Gateway name what is made, and choose the Service's type; an address is the load balancer's", () => {
  const annotations = {
    "gateway.istio.io/name-override": "front",
    "gateway.istio.io/service-account": "fronts",
    "networking.istio.io/service-type": "ClusterIP",
  };
  const { ServiceAccount, Deployment, Service } = made(gateway({ annotations }));
  expect([ServiceAccount, Deployment, Service].map((object) => object?.metadata.name)).toEqual([
    "fronts",
    "front",
    "front",
  ]);
  expect(Service?.spec).toMatchObject({ type: "ClusterIP" });
  // what means the Gateway itself does not go on
  expect(Object.keys(Service?.metadata.annotations ?? {})).toEqual(["networking.istio.io/service-type"]);
  const wanted = gateway({}, { addresses: [{ value: "203.0.113.9" }] });
  expect(at(made(wanted)["Service"], "spec")).toMatchObject({ loadBalancerIP: "203.0.113.9" });
});

test("infrastructure says what goes on in place of the Gateway's own labels and annotations", () => {
  const infrastructure = { labels: { a: "b" }, annotations: { c: "d" } };
  const { Service } = made(gateway({ labels: { team: "web" }, annotations: { note: "n" } }, { infrastructure }));
  expect(Service?.metadata.labels).toMatchObject({ a: "b" });
  expect(Service?.metadata.labels).not.toHaveProperty("team");
  expect(Service?.metadata.annotations).toEqual({ c: "d" });
});

test("overlays change what is made; autoscaling and a disruption budget come by them alone", () => {
  const objects = Object.values(made(gateway()));
  expect(withOverlays(objects, []).map(({ kind }) => kind)).toEqual(["ServiceAccount", "Deployment", "Service"]);
  const [, deployment, service, hpa] = withOverlays(objects, [
    { deployment: "spec: { replicas: 3 }", service: "spec: { ports: [{ name: http, port: 80, nodePort: 30080 }] }" },
    {
      horizontalPodAutoscaler: "spec: { minReplicas: 2, maxReplicas: 4 }",
      deployment: "spec: { template: { spec: { containers: [{ name: istio-proxy, image: own.example/proxy:1 }] } } }",
    },
  ]);
  expect(deployment?.spec).toMatchObject({ replicas: 3 });
  expect(at(deployment, "spec.template.spec.containers")).toHaveLength(1);
  expect(at(deployment, "spec.template.spec.containers.0")).toMatchObject({ image: "own.example/proxy:1" });
  expect(at(service, "spec.ports")).toHaveLength(2);
  expect(at(service, "spec.ports.1")).toMatchObject({ port: 80, name: "http", nodePort: 30_080 });
  expect(hpa).toMatchObject({ kind: "HorizontalPodAutoscaler", spec: { minReplicas: 2, maxReplicas: 4 } });
});

test.each([
  [{ pod: "{}" }, /unknown key pod/],
  [{ service: "- a" }, /key service: expected an object/],
  [{ service: "metadata: { name: other }" }, /key service: name, namespace and owner/],
])("overlays that are refused: %j", (overlay, words) => {
  expect(() => withOverlays(Object.values(made(gateway())), [overlay as Record<string, string>])).toThrow(words);
});

test("a Gateway belongs to one revision: its own label, its namespace's, else the default's or whoever has the tag", () => {
  const hook = (tag: string, revision: string): KubeObject => ({
    apiVersion: "admissionregistration.k8s.io/v1",
    kind: "MutatingWebhookConfiguration",
    metadata: { name: `tag-${tag}`, labels: { "istio.io/tag": tag, "istio.io/rev": revision } },
  });
  const shop = (labels: Record<string, string>): KubeObject => ({
    apiVersion: "v1",
    kind: "Namespace",
    metadata: { name: "shop", labels },
  });
  const isOwn = (revision: string, of: ApiGateway, ...objects: readonly KubeObject[]): boolean =>
    isOwnGateway(createFixedWorld(objects), revision, of);
  const canary = gateway({ labels: { "istio.io/rev": "canary" } });
  expect([isOwn("default", gateway()), isOwn("canary", gateway())]).toEqual([true, false]);
  expect([isOwn("default", canary), isOwn("canary", canary)]).toEqual([false, true]);
  expect(isOwn("canary", gateway(), shop({ "istio.io/rev": "canary" }))).toBe(true);
  expect(isOwn("v2", canary, hook("canary", "v2"))).toBe(true);
  expect(isOwn("default", gateway(), hook("default", "v2"))).toBe(false);
  expect(isOwn("v2", gateway(), hook("default", "v2"))).toBe(true);
});

/** A control plane's part over a cluster in memory. */
function plane(cluster: FakeCluster, objects: readonly KubeObject[]) {
  const derivations = createDerivations();
  const world = createWorldStore(derivations);
  const apply = (...changed: readonly KubeObject[]): void =>
    world.apply(changed.map((object) => ({ type: "set", object })));
  apply(...installed, ...objects);
  const leading = derivations.source(false);
  const runner = createGatewayDeployments({
    cluster,
    model: createModel(world, { derivations }),
    rootNamespace: "istio-system",
    revision: "default",
    secrets: { open: () => ({ want: () => true, close: () => undefined }) },
    injection: injectContexts({
      world,
      derivations,
      rootNamespace: "istio-system",
      revision: "default",
      meshConfig: () => ({ trustDomain: "cluster.local" }),
    }),
    isLeader: () => leading.get(),
    log: silentLogger,
  });
  return { runner, apply, leading };
}

const applied = (cluster: FakeCluster): readonly string[] =>
  cluster.changes().filter((change) => change.startsWith("apply"));

test("the leader applies; what is changed or deleted is put back; parameters that come later count", async () => {
  const cluster = fakeCluster();
  const parameters = { group: "", kind: "ConfigMap", name: "how" };
  const { runner, apply, leading } = plane(cluster, [gateway()]);
  await runner.start();
  expect(applied(cluster)).toEqual([]);
  leading.set(true);
  const service = (): KubeObject | undefined => cluster.objects().find(({ kind }) => kind === "Service");
  const three = [
    "apply ServiceAccount shop/edge-istio",
    "apply Deployment shop/edge-istio",
    "apply Service shop/edge-istio",
  ];
  await waitFor(() => applied(cluster).length === 3, { what: "the Gateway's objects" });
  expect(applied(cluster)).toEqual(three);

  cluster.set({ ...(service() as KubeObject), spec: { type: "NodePort" } });
  await waitFor(() => at(service(), "spec.type") === "LoadBalancer", { what: "the Service put back" });
  await cluster.delete({ apiVersion: "v1", kind: "Service", namespace: "shop", name: "edge-istio" });
  await waitFor(() => service() !== undefined, { what: "the Service made anew" });

  apply(gateway({}, { infrastructure: { parametersRef: parameters } }));
  const before = applied(cluster).length;
  apply({
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: "how", namespace: "shop" },
    data: { podDisruptionBudget: "spec: { minAvailable: 1 }" },
  } as KubeObject);
  await waitFor(() => applied(cluster).length > before, { what: "the budget" });
  expect(applied(cluster).slice(before)).toEqual(["apply PodDisruptionBudget shop/edge-istio"]);
  await runner.close();
});

test("nothing is made of Gateways that stand for Services, of other classes, or in the place of what is not ours", async () => {
  const theirs: KubeObject = {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: "edge-istio", namespace: "shop" },
    spec: { type: "ExternalName" },
  };
  const cluster = fakeCluster({ objects: [theirs] });
  const { runner, leading } = plane(cluster, [
    gateway(),
    gateway({ name: "stand" }, { addresses: [{ type: "Hostname", value: "front.shop.svc.cluster.local" }] }),
    gateway({ name: "remote" }, { gatewayClassName: "istio-remote" }),
    gateway({ name: "going", deletionTimestamp: "2026-01-01T00:00:00Z" }),
    gateway({ name: "file", uid: undefined }),
  ]);
  await runner.start();
  leading.set(true);
  await waitFor(() => applied(cluster).length === 2, { what: "account and Deployment" });
  await runner.close();
  expect(applied(cluster)).toEqual(["apply ServiceAccount shop/edge-istio", "apply Deployment shop/edge-istio"]);
  expect(cluster.objects().find(({ kind }) => kind === "Service")?.spec).toEqual({ type: "ExternalName" });
});
