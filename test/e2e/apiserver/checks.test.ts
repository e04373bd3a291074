import { afterAll, beforeAll, expect, test } from "vitest";
import type { CheckResult } from "../../../src/checks/check.ts";
import { checksOf } from "../../../src/checks/registry.ts";
import { precheck } from "../../../src/commands/precheck.ts";
import { namespaceObject, render } from "../../../src/install/render.ts";
import { settingsOf } from "../../../src/install/settings.ts";
import { imagesOf } from "../../../src/model/mesh-images.ts";
import { openCluster } from "../../../src/kube/cluster.ts";
import type { Cluster } from "../../../src/resources/cluster.ts";
import type { KubeObject } from "../../../src/resources/object.ts";
import { tokenKubeconfig } from "../../support/controlplane/token-kubeconfig.ts";
import { fakeIo } from "../../support/fake-io.ts";
import { type RealApiServer, startApiServer } from "../../support/kube/apiserver.ts";
import { waitFor } from "../../support/wait.ts";
import { CONDITIONS, crd, meta, node, READY, shop, targetOf } from "./precheck-conditions.ts";

/** Conditions that precheck is there for, made for real: the API server itself answers. */
let server: RealApiServer;
let cluster: Cluster;

beforeAll(async () => {
  server = await startApiServer();
  cluster = await openCluster({ kubeconfig: server.kubeconfig, env: {} });
  await cluster.create(node);
  await cluster.mergePatch(targetOf(node), { status: READY }, { subresource: "status" });
  // the API server puts one on every new node until a controller has seen it ready
  await cluster.mergePatch(targetOf(node), { spec: { taints: null } });
  for (const object of [namespaceObject(settings), shop]) await cluster.create(object);
});
afterAll(() => server.stop());

const settings = settingsOf("default", []);
/** Checks that a real cause has made fail. */
const seen = new Set<string>();
/** Checks whose cause one API server cannot have, with the reason. Made up for them in test/checks. */
const NOT_MADE: Readonly<Record<string, string>> = {
  "api-reachable": "of a server that does not answer nothing is checked: exit code 2",
  "kubernetes-version": "needs an API server older than 1.28",
  "kubernetes-tested": "needs an API server newer than those that there are",
  "cluster-roots": "needs a second cluster with an authority of its own: test/checks/several-clusters.ts",
  "network-gateway-tls": "needs what ends TLS before a gateway: a real one, in test/e2e/envoy/trust.test.ts",
};

/** Without names: every check of precheck. */
async function results(
  of: Cluster = cluster,
  now = new Date(),
  checks: readonly string[] = [],
): Promise<readonly CheckResult[]> {
  const io = fakeIo({ cluster: of, now: () => now });
  const found = await precheck({ istioNamespace: "istio-system", output: "json", external: false, checks }, io);
  for (const { name, status } of found.checks) if (status === "error" || status === "warning") seen.add(name);
  return found.checks;
}

async function statusOf(name: string, now = new Date()): Promise<string | undefined> {
  return (await results(cluster, now, [name]))[0]?.status;
}

test("an empty cluster with a node: nothing fails", async () => {
  expect((await results()).filter(({ status }) => status === "error" || status === "warning")).toEqual([]);
});

test.each(CONDITIONS.map(([name, ...objects]) => [name, objects] as const))("%s", async (name, objects) => {
  const severity = checksOf("before").find((check) => check.name === name)?.severity;
  for (const object of objects) await cluster.apply(object, { fieldManager: "test", force: true });
  await waitFor(async () => (await statusOf(name)) === severity, { what: `${name} to see it` });
  // namespaces stay, for nobody finishes their deletion here: they lose what was wrong with them
  for (const object of objects)
    if (object.kind === "Namespace") await cluster.mergePatch(targetOf(object), { metadata: { labels: null } });
    else await cluster.delete(targetOf(object), { propagation: "Background" });
  await waitFor(async () => ["ok", "skipped"].includes((await statusOf(name)) ?? ""), {
    what: `${name} to see it gone`,
  });
});

test("two CRDs that claim the same short name", async () => {
  const first = crd("example.org", { plural: "others", kind: "Other", shortNames: ["vs"] });
  const one = crd("networking.istio.io", { plural: "virtualservices", kind: "VirtualService", shortNames: ["vs"] });
  const two = crd("networking.istio.io", { plural: "visits", kind: "Visit", shortNames: ["vs"] });
  for (const object of [first, one, two]) await cluster.create(object);
  await waitFor(async () => (await statusOf("crd-names")) === "error", { what: "the second to be refused its name" });
  for (const object of [first, one, two]) await cluster.delete(targetOf(object), { propagation: "Background" });
});

test("a clock that is off, by the API server's own", async () => {
  expect(await statusOf("clock-skew")).toBe("ok");
  expect(await statusOf("clock-skew", new Date(Date.now() + 600_000))).toBe("warning");
});

test("a Service that waits for a load balancer", async () => {
  const waiting: KubeObject = {
    apiVersion: "v1",
    kind: "Service",
    metadata: meta("lb", "shop"),
    spec: { type: "LoadBalancer", ports: [{ port: 80 }] },
  };
  await cluster.create(waiting);
  expect(await statusOf("load-balancer")).toBe("ok");
  expect(await statusOf("load-balancer", new Date(Date.now() + 600_000))).toBe("warning");
  await cluster.delete(targetOf(waiting), { propagation: "Background" });
});

test("a node that is not ready, has no network, is full or of another sort", async () => {
  const with_ = async (change: object, name: string): Promise<void> => {
    await cluster.mergePatch(targetOf(node), { status: { ...READY, ...change } }, { subresource: "status" });
    expect(["error", "warning"], name).toContain(await statusOf(name));
  };
  await with_({ conditions: [{ type: "Ready", status: "False" }] }, "nodes");
  await with_({ conditions: [...READY.conditions, { type: "NetworkUnavailable", status: "True" }] }, "node-network");
  await with_({ conditions: [...READY.conditions, { type: "MemoryPressure", status: "True" }] }, "node-pressure");
  await with_({ nodeInfo: { ...READY.nodeInfo, architecture: "riscv64" } }, "node-architecture");
  await with_({ nodeInfo: { ...READY.nodeInfo, operatingSystem: "windows" } }, "node-system");
  await with_({ nodeInfo: { ...READY.nodeInfo, containerRuntimeVersion: "containerd://1.4.3" } }, "node-runtime");
  await with_({ nodeInfo: { ...READY.nodeInfo, kernelVersion: "3.10.0" } }, "node-kernel");
  await with_({ nodeInfo: { ...READY.nodeInfo, kubeletVersion: "v1.29.0" } }, "kubelet-skew");
  await with_({ allocatable: { ...READY.allocatable, cpu: "50m" } }, "capacity-cpu");
  await with_({ allocatable: { ...READY.allocatable, memory: "64Mi" } }, "capacity-memory");
  await with_({ allocatable: { ...READY.allocatable, pods: "0" } }, "capacity-pods");
  await cluster.mergePatch(targetOf(node), { spec: { taints: [{ key: "a", effect: "NoSchedule" }] } });
  await with_({}, "node-taints");
  await cluster.mergePatch(targetOf(node), { spec: { taints: null } });
  const other: KubeObject = { ...node, metadata: meta("n2", undefined, { "meshctl.io/interception": "none" }) };
  await cluster.create(other);
  await with_({}, "node-interception");
  await with_({ images: [{ names: ["example.org/other:1"], sizeBytes: 1 }] }, "images-on-nodes");
  const rendered = render(settings).flatMap(({ objects }) => objects);
  const images = [{ names: imagesOf(rendered).map(({ image }) => image), sizeBytes: 1 }];
  await cluster.mergePatch(targetOf(other), { status: { ...READY, images } }, { subresource: "status" });
  await with_({ images: [{ names: ["example.org/other:1"], sizeBytes: 1 }] }, "images-on-every-node");
  await cluster.mergePatch(targetOf(node), { status: { images: null } }, { subresource: "status" });
  await cluster.delete(targetOf(other), { propagation: "Background" });
});

test("Gateway API whose CRDs are old, mixed, or serve other versions, and a class of somebody else", async () => {
  const group = "gateway.networking.k8s.io";
  const annotations = {
    "api-approved.kubernetes.io": "unapproved, a test",
    [`${group}/bundle-version`]: "v1.3.0",
    [`${group}/channel`]: "standard",
  };
  const make = (plural: string, kind: string, version = "v1"): KubeObject => {
    const object = crd(group, { plural, kind }, version);
    const scope = kind === "GatewayClass" ? "Cluster" : "Namespaced";
    return { ...object, metadata: { ...object.metadata, annotations }, spec: { ...(object.spec as object), scope } };
  };
  const grants = make("referencegrants", "ReferenceGrant", "v1beta1");
  const routes = make("httproutes", "HTTPRoute");
  const all = [make("gatewayclasses", "GatewayClass"), make("gateways", "Gateway"), routes, grants];
  for (const object of all) await cluster.create(object);
  const names = ["gateway-api", "gateway-api-v1", "gateway-api-v1beta1", "gateway-api-version", "gateway-api-bundle"];
  const found = async (): Promise<Record<string, string>> =>
    Object.fromEntries((await results(cluster, new Date(), names)).map(({ name, status }) => [name, status]));
  expect(new Set(Object.values(await found()))).toEqual(new Set(["ok"]));
  const change = async (object: KubeObject, patch: object, name: string): Promise<void> => {
    await cluster.mergePatch(targetOf(object), patch);
    expect(["error", "warning"], name).toContain((await found())[name]);
    const { annotations: kept } = object.metadata;
    await cluster.mergePatch(targetOf(object), { metadata: { annotations: kept }, spec: object.spec });
  };
  const [{ name: _name, ...version }] = (routes.spec as { versions: [{ name: string }] }).versions;
  await change(
    routes,
    {
      spec: {
        versions: [
          { ...version, name: "v1", served: false },
          { ...version, name: "v1beta1", storage: false },
        ],
      },
    },
    "gateway-api-v1",
  );
  await change(
    grants,
    {
      spec: {
        versions: [
          { ...version, name: "v1beta1", served: false },
          { ...version, name: "v1alpha2", storage: false },
        ],
      },
    },
    "gateway-api-v1beta1",
  );
  await change(routes, { metadata: { annotations: { [`${group}/bundle-version`]: "v0.8.1" } } }, "gateway-api-version");
  await change(routes, { metadata: { annotations: { [`${group}/channel`]: "experimental" } } }, "gateway-api-bundle");

  const taken: KubeObject = {
    apiVersion: `${group}/v1`,
    kind: "GatewayClass",
    metadata: meta("istio"),
    spec: { controllerName: "example.org/other" },
  };
  const fresh = await openCluster({ kubeconfig: server.kubeconfig, env: {} });
  await waitFor(() => fresh.create(taken), { what: "the CRD to be served" });
  expect((await results(fresh, new Date(), ["gateway-class-owner"]))[0]?.status).toBe("error");
  for (const object of all) await cluster.delete(targetOf(object), { propagation: "Background" });
});

test("a CRD of the mesh that is being deleted", async () => {
  const held = crd("security.istio.io", { plural: "peerauthentications", kind: "PeerAuthentication" });
  await cluster.create({ ...held, metadata: { ...held.metadata, finalizers: ["example.org/holds"] } });
  await cluster.delete(targetOf(held), { propagation: "Background" });
  expect(await statusOf("crds-terminating")).toBe("error");
  await cluster.mergePatch(targetOf(held), { metadata: { finalizers: null } });
  await waitFor(async () => (await statusOf("crds-terminating")) === "ok", { what: "it to be gone" });
});

test("configuration that is written in an old version", async () => {
  const gateways = render(settings)
    .flatMap(({ objects }) => objects)
    .find(({ metadata }) => metadata.name === "gateways.networking.istio.io");
  if (gateways === undefined) throw new Error("no CRD of gateways is rendered");
  await waitFor(async () => (await cluster.get(targetOf(gateways))) === undefined, {
    what: "the other CRD to be gone",
  });
  await cluster.create(gateways);
  const old: KubeObject = {
    apiVersion: "networking.istio.io/v1alpha3",
    kind: "Gateway",
    metadata: meta("old", "shop"),
    spec: { selector: { a: "b" }, servers: [{ port: { number: 80, name: "http", protocol: "HTTP" }, hosts: ["*"] }] },
  };
  const fresh = await openCluster({ kubeconfig: server.kubeconfig, env: {} });
  await waitFor(
    () =>
      fresh
        .create(old)
        .then(() => true)
        .catch(() => undefined),
    { what: "the CRD to be served" },
  );
  expect((await results(fresh, new Date(), ["deprecated-versions"]))[0]?.status).toBe("warning");

  const rules = crd("networking.istio.io", { plural: "destinationrules", kind: "DestinationRule" });
  await fresh.create(rules);
  const outlierDetection = { consecutiveErrors: 5 };
  const deprecated: KubeObject = {
    apiVersion: "networking.istio.io/v1",
    kind: "DestinationRule",
    metadata: meta("old", "shop"),
    spec: { host: "old.example.org", trafficPolicy: { outlierDetection } },
  };
  const again = await openCluster({ kubeconfig: server.kubeconfig, env: {} });
  await waitFor(() => again.create(deprecated), { what: "the CRD to be served" });
  expect((await results(again, new Date(), ["deprecated-fields"]))[0]?.status).toBe("warning");
  // it stays: one that is still going would be an error to whoever looks next
});

test("an account that may not do what install does", async () => {
  await cluster.create({ apiVersion: "v1", kind: "ServiceAccount", metadata: meta("reader", "shop") });
  const rules = [{ apiGroups: ["*"], resources: ["*"], verbs: ["get", "list", "watch"] }];
  await cluster.create({
    apiVersion: "rbac.authorization.k8s.io/v1",
    kind: "ClusterRole",
    metadata: meta("reads"),
    rules,
  });
  await cluster.create({
    apiVersion: "rbac.authorization.k8s.io/v1",
    kind: "ClusterRoleBinding",
    metadata: meta("reads"),
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "reads" },
    subjects: [{ kind: "ServiceAccount", name: "reader", namespace: "shop" }],
  });
  const token = await cluster.createToken({ namespace: "shop", serviceAccount: "reader", audiences: [] });
  const reader = await openCluster({ kubeconfig: tokenKubeconfig(server, token), env: {} });
  // the server's authorizer learns of the binding a moment later
  const mayRead = () => reader.canI({ verb: "list", group: "", resource: "nodes" });
  await waitFor(async () => (await mayRead()) || undefined, { timeoutMs: 10_000, what: "the binding to hold" });
  const all = await results(reader);
  const message = all.find(({ name }) => name === "permissions")?.message;
  expect(message).toContain("create, patch, delete customresourcedefinitions");
  expect(message).not.toContain("list");
  expect(all.filter(({ status }) => status === "error").map(({ name }) => name)).toEqual(["permissions"]);
});

test("a namespace that is being deleted", async () => {
  await cluster.delete({ apiVersion: "v1", kind: "Namespace", name: "istio-system" });
  expect(await statusOf("namespace")).toBe("error");
});

test("an API server without one of its groups, and one that is gone", async () => {
  const partial = await startApiServer({ flags: ["--runtime-config=apps/v1=false"] });
  const lacking = await openCluster({ kubeconfig: partial.kubeconfig, env: {} });
  try {
    const [found] = await results(lacking, new Date(), ["kubernetes-apis"]);
    expect(found).toMatchObject({ status: "error", message: "no Deployment of apps/v1" });
  } finally {
    await partial.stop("TERM");
  }
  await expect(results(lacking)).rejects.toThrow(/ECONNREFUSED|cannot reach/);
});

test("every check of precheck was seen to fail for a real cause", () => {
  const unseen = checksOf("before").flatMap(({ name }) => (seen.has(name) ? [] : [name]));
  expect(unseen.sort()).toEqual(Object.keys(NOT_MADE).sort());
});
