import { afterAll, beforeAll, expect, test } from "vitest";
import type { CheckResult } from "../../../src/checks/check.ts";
import { checksOf } from "../../../src/checks/registry.ts";
import { precheck } from "../../../src/commands/precheck.ts";
import { namespaceObject, render } from "../../../src/install/render.ts";
import { settingsOf } from "../../../src/install/settings.ts";
import { openCluster } from "../../../src/kube/cluster.ts";
import type { Cluster } from "../../../src/resources/cluster.ts";
import type { KubeObject } from "../../../src/resources/object.ts";
import { tokenKubeconfig } from "../../support/controlplane/token-kubeconfig.ts";
import { fakeIo } from "../../support/fake-io.ts";
import { type RealApiServer, startApiServer } from "../../support/kube/apiserver.ts";
import { waitFor } from "../../support/wait.ts";

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
const meta = (name: string, namespace?: string, labels?: Record<string, string>) => ({
  name,
  ...(namespace === undefined ? {} : { namespace }),
  ...(labels === undefined ? {} : { labels }),
});
const node: KubeObject = { apiVersion: "v1", kind: "Node", metadata: meta("n1"), spec: {} };
const READY = {
  conditions: [{ type: "Ready", status: "True" }],
  allocatable: { cpu: "4", memory: "8Gi", pods: "110" },
  nodeInfo: {
    architecture: "amd64",
    operatingSystem: "linux",
    kernelVersion: "6.8.0",
    kubeletVersion: "v1.36.0",
    containerRuntimeVersion: "containerd://2.0.0",
    bootID: "x",
    kubeProxyVersion: "",
    machineID: "x",
    osImage: "x",
    systemUUID: "x",
  },
};
const shop: KubeObject = { apiVersion: "v1", kind: "Namespace", metadata: meta("shop") };

function targetOf({ apiVersion, kind, metadata: { name, namespace } }: KubeObject) {
  return { apiVersion, kind, name, ...(namespace === undefined ? {} : { namespace }) };
}

/** Without names: every check of precheck. */
async function results(
  of: Cluster = cluster,
  now = new Date(),
  checks: readonly string[] = [],
): Promise<readonly CheckResult[]> {
  const io = fakeIo({ cluster: of, now: () => now });
  return (await precheck({ istioNamespace: "istio-system", output: "json", external: false, checks }, io)).checks;
}

async function statusOf(name: string, now = new Date()): Promise<string | undefined> {
  return (await results(cluster, now, [name]))[0]?.status;
}

function crd(
  group: string,
  names: { plural: string; kind: string; shortNames?: readonly string[] },
  version = "v1",
): KubeObject {
  return {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: meta(`${names.plural}.${group}`),
    spec: {
      group,
      scope: "Namespaced",
      names: { ...names, singular: names.kind.toLowerCase() },
      versions: [
        {
          name: version,
          served: true,
          storage: true,
          schema: { openAPIV3Schema: { type: "object", "x-kubernetes-preserve-unknown-fields": true } },
        },
      ],
    },
  };
}

function hook(name: string, webhook: object): KubeObject {
  const defaults = { admissionReviewVersions: ["v1"], sideEffects: "None", failurePolicy: "Fail" };
  const rules = [{ apiGroups: ["example.org"], apiVersions: ["v1"], operations: ["CREATE"], resources: ["things"] }];
  const clientConfig = { service: { name: "gone", namespace: "shop" } };
  return {
    apiVersion: "admissionregistration.k8s.io/v1",
    kind: "MutatingWebhookConfiguration",
    metadata: meta(name),
    webhooks: [{ ...defaults, rules, clientConfig, ...webhook }],
  };
}

const workload = (kind: "Deployment" | "DaemonSet", name: string, labels = { app: name }): KubeObject => ({
  apiVersion: "apps/v1",
  kind,
  metadata: meta(name, "shop", labels),
  spec: {
    selector: { matchLabels: labels },
    template: { metadata: { labels }, spec: { containers: [{ name: "a", image: "a" }] } },
  },
});

const foreignMesh = crd("networking.istio.io", { plural: "gateways", kind: "Gateway" }, "v1alpha2");

const CONDITIONS: readonly (readonly [check: string, ...objects: KubeObject[]])[] = [
  ["webhooks-reachable", hook("left-over", { name: "a.example.org" })],
  ["injection-webhooks", hook("foreign", { name: "namespace.sidecar-injector.istio.io", failurePolicy: "Ignore" })],
  ["other-meshes", hook("linkerd", { name: "linkerd-proxy-injector.linkerd.io", failurePolicy: "Ignore" })],
  ["crds", foreignMesh],
  ["crd-stored-versions", foreignMesh],
  [
    "gateway-api",
    {
      ...crd("gateway.networking.k8s.io", { plural: "gateways", kind: "Gateway" }),
      metadata: {
        ...meta("gateways.gateway.networking.k8s.io"),
        annotations: { "api-approved.kubernetes.io": "unapproved, a test" },
      },
    },
  ],
  ["other-control-plane", workload("Deployment", "istiod")],
  ["istio-operator", workload("Deployment", "istio-operator")],
  ["cni-plugin", workload("DaemonSet", "istio-cni-node")],
  ["ambient-proxy", workload("DaemonSet", "ztunnel")],
  [
    "helm-releases",
    {
      apiVersion: "v1",
      kind: "Secret",
      type: "helm.sh/release.v1",
      metadata: meta("r", "istio-system", { name: "istiod" }),
    },
  ],
  ["ca-secret-left", { apiVersion: "v1", kind: "Secret", metadata: meta("istio-ca-secret", "istio-system") }],
  ["plugged-ca", { apiVersion: "v1", kind: "Secret", metadata: meta("cacerts", "istio-system") }],
  ["root-configmaps-left", { apiVersion: "v1", kind: "ConfigMap", metadata: meta("istio-ca-root-cert", "shop") }],
  [
    "quota",
    { apiVersion: "v1", kind: "ResourceQuota", metadata: meta("q", "istio-system"), spec: { hard: { pods: "1" } } },
  ],
  [
    "limit-range",
    {
      apiVersion: "v1",
      kind: "LimitRange",
      metadata: meta("l", "istio-system"),
      spec: { limits: [{ type: "Container", min: { memory: "1Gi" } }] },
    },
  ],
  [
    "pod-security",
    {
      apiVersion: "v1",
      kind: "Namespace",
      metadata: meta("strict", undefined, {
        "istio-injection": "enabled",
        "pod-security.kubernetes.io/enforce": "restricted",
      }),
    },
  ],
  [
    "namespace-labels",
    { apiVersion: "v1", kind: "Namespace", metadata: meta("odd", undefined, { "istio-injection": "yes" }) },
  ],
  [
    "namespace-label-conflict",
    {
      apiVersion: "v1",
      kind: "Namespace",
      metadata: meta("both", undefined, { "istio-injection": "enabled", "istio.io/rev": "x" }),
    },
  ],
  [
    "namespace-revisions-left",
    { apiVersion: "v1", kind: "Namespace", metadata: meta("waits", undefined, { "istio.io/rev": "1-20" }) },
  ],
  [
    "cluster-roles",
    {
      apiVersion: "rbac.authorization.k8s.io/v1",
      kind: "ClusterRoleBinding",
      metadata: meta("istiod-old"),
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "view" },
      subjects: [{ kind: "ServiceAccount", name: "istiod", namespace: "old" }],
    },
  ],
  [
    "deprecated-annotations",
    {
      apiVersion: "v1",
      kind: "Service",
      metadata: { ...meta("old", "shop"), annotations: { "alpha.istio.io/canonical-serviceaccounts": "x" } },
      spec: { ports: [{ port: 80 }] },
    },
  ],
  [
    "aggregated-apis",
    {
      apiVersion: "apiregistration.k8s.io/v1",
      kind: "APIService",
      metadata: meta("v1.things.example.org"),
      spec: {
        group: "things.example.org",
        version: "v1",
        groupPriorityMinimum: 100,
        versionPriority: 100,
        service: { name: "gone", namespace: "shop" },
      },
    },
  ],
];

test("an empty cluster with a node: nothing fails", async () => {
  expect((await results()).filter(({ status }) => status === "error" || status === "warning")).toEqual([]);
});

test.each(CONDITIONS.map(([name, ...objects]) => [name, objects] as const))("%s", async (name, objects) => {
  const severity = checksOf("before").find((check) => check.name === name)?.severity;
  for (const object of objects) await cluster.create(object);
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
  await with_({ nodeInfo: { ...READY.nodeInfo, kernelVersion: "3.10.0" } }, "node-kernel");
  await with_({ nodeInfo: { ...READY.nodeInfo, kubeletVersion: "v1.29.0" } }, "kubelet-skew");
  await with_({ allocatable: { ...READY.allocatable, cpu: "50m" } }, "capacity-cpu");
  await with_({ allocatable: { ...READY.allocatable, memory: "64Mi" } }, "capacity-memory");
  await with_({ allocatable: { ...READY.allocatable, pods: "0" } }, "capacity-pods");
  await cluster.mergePatch(targetOf(node), { spec: { taints: [{ key: "a", effect: "NoSchedule" }] } });
  await with_({}, "node-taints");
  await cluster.mergePatch(targetOf(node), { spec: { taints: null } });
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
