import { expect, test } from "vitest";
import { ClusterError } from "../../src/base/errors.ts";
import { install, type InstallOptions } from "../../src/commands/install.ts";
import { rollback } from "../../src/commands/rollback.ts";
import { uninstall } from "../../src/commands/uninstall.ts";
import type { KubeObject } from "../../src/resources/object.ts";
import { fakeIo } from "../support/fake-io.ts";
import { readyNode, settle, settlingCluster } from "../support/settling-cluster.ts";

const options: InstallOptions = {
  set: [],
  isConfirmed: true,
  dryRun: false,
  skipPrecheck: false,
  readinessTimeoutMs: 5000,
  istioNamespace: "istio-system",
};
const away = { purge: true, isConfirmed: true, dryRun: false, timeoutMs: 1000, istioNamespace: "istio-system" };

const node = readyNode;
const cluster = settlingCluster;

test("objects are applied in the order in which they need one another, and the result says what was done", async () => {
  const fake = cluster();
  const io = fakeIo({ cluster: fake });
  const result = await install({ ...options, profile: "demo" }, io);
  expect(result.exitCode).toBe(0);
  const place = (text: string): number => fake.changes().findIndex((change) => change.includes(text));
  const order = [
    "Namespace",
    "CustomResourceDefinition",
    "ServiceAccount",
    "ConfigMap istio-system/istio",
    "Deployment istio-system/istiod",
  ];
  const places = [...order, "MutatingWebhook", "Deployment istio-system/istio-ingressgateway"].map(place);
  expect(places).toEqual([...places].sort((a, b) => a - b));
  expect(places).not.toContain(-1);
  expect(io.stderr()).toContain("✔ Control plane: ready");
  expect(io.stdout()).toMatch(/^Installed: \d+ created, 0 changed, 0 unchanged\.\nNext: /);
});

test("a second install changes nothing and says so", async () => {
  const fake = cluster();
  await install(options, fakeIo({ cluster: fake }));
  const io = fakeIo({ cluster: fake });
  const result = await install(options, io);
  expect(result.changes.every(({ change }) => change === "unchanged")).toBe(true);
  expect(io.stdout()).toMatch(/^Nothing changed: all \d+ objects are as they should be\.\n$/);
});

test("the gateway waits for the injector's certificate; what is awaited is named with its reason", async () => {
  const fake = cluster({ onApply: (object) => (object.kind.startsWith("Mutating") ? object : settle(object)) });
  const error = await install({ ...options, readinessTimeoutMs: 100 }, fakeIo({ cluster: fake })).catch(
    (e: unknown) => e,
  );
  expect(error).toBeInstanceOf(ClusterError);
  expect((error as Error).message).toContain(
    "MutatingWebhookConfiguration istio-sidecar-injector: the control plane has not yet written its certificate into it",
  );
  expect(fake.changes().some((change) => change.includes("ingressgateway"))).toBe(false);
});

test("the reason of a Deployment is what its pod's container says", async () => {
  const pod: KubeObject = {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "istiod-1", namespace: "istio-system", labels: { app: "istiod", istio: "pilot" } },
    status: {
      containerStatuses: [
        { name: "discovery", state: { waiting: { reason: "ImagePullBackOff", message: "no such image" } } },
      ],
    },
  };
  const fake = cluster({
    objects: [node(), pod],
    onApply: (object) => (object.kind === "Deployment" ? object : settle(object)),
  });
  await expect(install({ ...options, readinessTimeoutMs: 100 }, fakeIo({ cluster: fake }))).rejects.toThrow(
    "Deployment istio-system/istiod: container discovery of pod istiod-1: ImagePullBackOff: no such image",
  );
});

test("nodes that cannot redirect make proxies reached by explicit addresses", async () => {
  const values = async (nodes: KubeObject[]): Promise<string> => {
    const fake = cluster({ objects: nodes });
    await install({ ...options, skipPrecheck: true }, fakeIo({ cluster: fake }));
    const map = fake.objects().find(({ metadata }) => metadata.name === "istio-sidecar-injector");
    return (map?.["data"] as { values: string } | undefined)?.values ?? "";
  };
  const none = { "meshctl.io/interception": "none" };
  expect(await values([node(none)])).toContain('"interceptionMode": "NONE"');
  expect(await values([node(), { ...node(none), metadata: { name: "n2", labels: none } }])).toContain(
    '"interceptionMode": "REDIRECT"',
  );
});

test("a failed check stops before anything is changed", async () => {
  const fake = cluster({ forbidden: ["customresourcedefinitions"] });
  const io = fakeIo({ cluster: fake });
  expect((await install(options, io)).exitCode).toBe(1);
  expect(fake.changes()).toEqual([]);
  expect(io.stderr()).toMatch(/not allowed to create.* customresourcedefinitions/);
});

test("it asks before it changes anything; nobody to ask is an error that names -y", async () => {
  const fake = cluster();
  const no = fakeIo({ cluster: fake, answer: "n" });
  expect((await install({ ...options, isConfirmed: false }, no)).exitCode).toBe(1);
  await expect(install({ ...options, isConfirmed: false }, fakeIo({ cluster: fake }))).rejects.toThrow(
    "nobody can be asked",
  );
  expect(fake.changes()).toEqual([]);
  const yes = fakeIo({ cluster: fake, answer: "y" });
  expect((await install({ ...options, isConfirmed: false }, yes)).exitCode).toBe(0);
});

test("a typo in a setting is found before the cluster is asked anything", async () => {
  await expect(install({ ...options, set: ["components.pilt.enabled=true"] }, fakeIo())).rejects.toThrow("no setting");
});

test("the validation webhook keeps the policy that the control plane gave it", async () => {
  const fake = cluster();
  await install(options, fakeIo({ cluster: fake }));
  const hook = fake.objects().find(({ kind }) => kind === "ValidatingWebhookConfiguration");
  const webhooks = ((hook?.["webhooks"] ?? []) as object[]).map((webhook) => ({ ...webhook, failurePolicy: "Fail" }));
  fake.set({ ...hook, webhooks } as KubeObject);
  const result = await install(options, fakeIo({ cluster: fake }));
  expect(result.changes.every(({ change }) => change === "unchanged")).toBe(true);
});

test("uninstall --purge takes everything away and leaves what was there", async () => {
  const mine: KubeObject = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "mine", namespace: "default" } };
  const fake = cluster({ objects: [node(), mine] });
  const before = fake.objects().map(({ kind, metadata }) => `${kind}/${metadata.name}`);
  await install({ ...options, profile: "demo" }, fakeIo({ cluster: fake }));
  for (const namespace of ["istio-system", "default"])
    fake.set({ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "istio-ca-root-cert", namespace } });
  fake.set({ apiVersion: "v1", kind: "Secret", metadata: { name: "istio-ca-secret", namespace: "istio-system" } });
  const lease = { name: "istio-leader", namespace: "istio-system" };
  fake.set({ apiVersion: "coordination.k8s.io/v1", kind: "Lease", metadata: lease });
  const result = await uninstall(away, fakeIo({ cluster: fake }));
  expect(result.exitCode).toBe(0);
  expect(fake.objects().map(({ kind, metadata }) => `${kind}/${metadata.name}`)).toEqual(before);
  const empty = fakeIo({ cluster: fake });
  expect((await uninstall(away, empty)).removed).toEqual([]);
  expect(empty.stdout()).toBe("There is nothing to remove.\n");
});

test("uninstall without --purge keeps CRDs and the namespace; a namespace that was there before is always kept", async () => {
  const namespace: KubeObject = { apiVersion: "v1", kind: "Namespace", metadata: { name: "istio-system" } };
  const fake = cluster({ objects: [node(), namespace] });
  await install(options, fakeIo({ cluster: fake }));
  await uninstall({ ...away, purge: false }, fakeIo({ cluster: fake }));
  const kinds = new Set(fake.objects().map(({ kind }) => kind));
  expect([...kinds].sort()).toEqual(["CustomResourceDefinition", "Namespace", "Node"]);
  await uninstall(away, fakeIo({ cluster: fake }));
  expect(new Set(fake.objects().map(({ kind }) => kind))).toEqual(new Set(["Node", "Namespace"]));
});

test("uninstall --dry-run and a no change nothing; pods that keep a proxy are named", async () => {
  const fake = cluster();
  await install(options, fakeIo({ cluster: fake }));
  const annotations = { "sidecar.istio.io/status": "{}" };
  fake.set({ apiVersion: "v1", kind: "Pod", metadata: { name: "web-1", namespace: "shop", annotations } });
  const count = fake.objects().length;
  const dry = fakeIo({ cluster: fake });
  await uninstall({ ...away, dryRun: true }, dry);
  expect(dry.stdout()).toContain("Deployment istio-system/istiod would be removed");
  expect(dry.stderr()).toContain("shop/web-1");
  expect((await uninstall({ ...away, isConfirmed: false }, fakeIo({ cluster: fake, answer: "" }))).exitCode).toBe(1);
  expect(fake.objects().length).toBe(count);
});

test("what is no longer rendered is removed, CRDs and the record stay; a dry run says what would go", async () => {
  const fake = cluster();
  await install({ ...options, profile: "default" }, fakeIo({ cluster: fake }));
  const crds = (): number => fake.objects().filter(({ kind }) => kind === "CustomResourceDefinition").length;
  const before = crds();
  const dry = fakeIo({ cluster: fake });
  await install({ ...options, profile: "minimal", dryRun: true }, dry);
  expect(dry.stdout()).toContain("Deployment istio-system/istio-ingressgateway would be removed\n");
  const io = fakeIo({ cluster: fake });
  const result = await install({ ...options, profile: "minimal" }, io);
  expect(result.changes.filter(({ change }) => change === "removed").map(({ object }) => object.kind)).toEqual([
    "Deployment",
    "Service",
    "RoleBinding",
    "Role",
    "ServiceAccount",
  ]);
  expect(fake.objects().some(({ metadata }) => metadata.name.includes("ingressgateway"))).toBe(false);
  expect(fake.objects().some(({ metadata }) => metadata.name === "meshctl-record")).toBe(true);
  expect(crds()).toBe(before);
});

test("another installation that is running is named, with how to break its lease; one that is long gone is taken over", async () => {
  const fake = cluster();
  const lease = (renewTime: string): KubeObject => ({
    apiVersion: "coordination.k8s.io/v1",
    kind: "Lease",
    metadata: { name: "meshctl-install", namespace: "istio-system" },
    spec: { holderIdentity: "ana@laptop (pid 7)", leaseDurationSeconds: 60, acquireTime: renewTime, renewTime },
  });
  fake.set(lease("2026-11-21T06:59:30.000000Z"));
  const error = await install(options, fakeIo({ cluster: fake })).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({
    code: "install-running",
    message: "another installation is running: by ana@laptop (pid 7) since 2026-11-21T06:59:30Z",
    hint: expect.stringContaining("kubectl delete lease -n istio-system meshctl-install") as string,
  });
  expect(fake.changes().filter((change) => !change.startsWith("apply Namespace"))).toEqual([]);
  fake.set(lease("2026-11-21T06:50:00.000000Z"));
  expect((await install(options, fakeIo({ cluster: fake }))).exitCode).toBe(0);
  expect(fake.objects().some(({ kind }) => kind === "Lease")).toBe(false);
});

test("--diff shows what would change before it asks", async () => {
  const fake = cluster();
  await install(options, fakeIo({ cluster: fake }));
  const same = fakeIo({ cluster: fake });
  await install({ ...options, diff: true, dryRun: true }, same);
  expect(same.stdout()).not.toContain("Deployment");
  const io = fakeIo({ cluster: fake, answer: "n" });
  const set = ["components.pilot.k8s.replicaCount=2"];
  expect((await install({ ...options, set, diff: true, isConfirmed: false }, io)).exitCode).toBe(1);
  expect(io.stdout()).toContain("--- a/Deployment/istio-system/istiod\n");
  expect(io.stdout()).toContain("-  replicas: 1\n+  replicas: 2\n");
});

test("rollback brings back what was installed before, also after an install that did not end; without a record it says so", async () => {
  const fake = cluster();
  const istiod = (): unknown =>
    fake.objects().find(({ kind, metadata }) => kind === "Deployment" && metadata.name === "istiod")?.spec as object;
  const back = { ...options, revision: "default", readinessTimeoutMs: 5000 };
  await expect(rollback(back, fakeIo({ cluster: fake }))).rejects.toThrow("no earlier state of revision default");
  await install({ ...options, profile: "minimal" }, fakeIo({ cluster: fake }));
  await install(
    { ...options, profile: "demo", set: ["components.pilot.k8s.strategy.type=Recreate"] },
    fakeIo({ cluster: fake }),
  );
  expect(istiod()).toHaveProperty("strategy.type", "Recreate");
  const io = fakeIo({ cluster: fake });
  await rollback(back, io);
  expect(istiod()).toHaveProperty("strategy.rollingUpdate");
  expect(fake.objects().some(({ metadata }) => metadata.name === "istio-ingressgateway")).toBe(false);
  expect(io.stderr()).toContain('This brings back profile "minimal"');
  // there and back again
  await rollback(back, fakeIo({ cluster: fake }));
  expect(istiod()).toHaveProperty("strategy.type", "Recreate");

  const stuck = fakeIo({ cluster: fake, signal: AbortSignal.abort() });
  await expect(install({ ...options, profile: "minimal" }, stuck)).rejects.toThrow();
  const last = fakeIo({ cluster: fake });
  await rollback(back, last);
  expect(last.stderr()).toContain('This brings back profile "demo"');
});

test("revisions stand side by side; one is not uninstalled while a namespace or a proxy uses it", async () => {
  const fake = cluster();
  await install({ ...options, profile: "minimal" }, fakeIo({ cluster: fake }));
  await install({ ...options, profile: "minimal", revision: "canary" }, fakeIo({ cluster: fake }));
  const names = (kind: string): string[] =>
    fake.objects().flatMap((object) => (object.kind === kind ? [object.metadata.name] : []));
  expect(names("Deployment")).toEqual(["istiod", "istiod-canary"]);
  expect(names("MutatingWebhookConfiguration")).toEqual(["istio-sidecar-injector", "istio-sidecar-injector-canary"]);

  const shop = {
    apiVersion: "v1",
    kind: "Namespace",
    metadata: { name: "shop", labels: { "istio.io/rev": "canary" } },
  };
  const pod = {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "web", namespace: "shop", annotations: { "istio.io/rev": "canary" } },
  };
  fake.set(shop);
  fake.set(pod);
  const canary = { ...away, purge: false, revision: "canary" };
  await expect(uninstall(canary, fakeIo({ cluster: fake }))).rejects.toThrow(
    "revision canary is in use:\n  1 pods have a proxy of it: shop/web\n  1 namespaces ask it for proxies: shop",
  );
  expect(names("Deployment")).toEqual(["istiod", "istiod-canary"]);
  expect((await uninstall({ ...canary, force: true }, fakeIo({ cluster: fake }))).exitCode).toBe(0);
  expect(names("Deployment")).toEqual(["istiod"]);
  expect(names("ConfigMap").filter((name) => name.includes("canary"))).toEqual([]);
  expect(names("CustomResourceDefinition").length).toBe(16);
});

test("over a newer control plane nothing is installed: install compares versions as precheck does", async () => {
  const fake = cluster();
  await install(options, fakeIo({ cluster: fake }));
  const target = { apiVersion: "apps/v1", kind: "Deployment", namespace: "istio-system", name: "istiod" };
  await fake.mergePatch(target, { metadata: { labels: { "operator.istio.io/version": "99.0.0" } } });
  const count = fake.changes().length;
  const io = fakeIo({ cluster: fake });
  expect((await install(options, io)).exitCode).toBe(1);
  expect(io.stderr()).toContain("99.0.0");
  expect(io.stderr()).toContain("Nothing was changed.");
  expect(fake.changes().length).toBe(count);
});
