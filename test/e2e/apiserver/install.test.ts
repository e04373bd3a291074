import { afterAll, beforeAll, expect, test } from "vitest";
import { planDiff } from "../../../src/commands/bring.ts";
import { install } from "../../../src/commands/install.ts";
import { precheck } from "../../../src/commands/precheck.ts";
import { uninstall } from "../../../src/commands/uninstall.ts";
import { upgrade } from "../../../src/commands/upgrade.ts";
import { applyObject, kindByKind } from "../../../src/install/apply.ts";
import { withoutCrds } from "../../../src/install/record.ts";
import { namespaceObject, render } from "../../../src/install/render.ts";
import { profileNames } from "../../../src/install/profiles.ts";
import { dropObjects, findPruned } from "../../../src/install/remove.ts";
import { settingsOf } from "../../../src/install/settings.ts";
import { openCluster } from "../../../src/kube/cluster.ts";
import type { Cluster } from "../../../src/resources/cluster.ts";
import type { KubeObject } from "../../../src/resources/object.ts";
import { fakeIo } from "../../support/fake-io.ts";
import { type RealApiServer, startApiServer } from "../../support/kube/apiserver.ts";
import { waitFor } from "../../support/wait.ts";

let server: RealApiServer;
let cluster: Cluster;

beforeAll(async () => {
  server = await startApiServer({ controllers: true });
  cluster = await openCluster({ kubeconfig: server.kubeconfig, env: {} });
  await waitFor(
    async () => {
      const { length } = (await everything()).filter((name) => / default\/(default|kube-root-ca.crt)$/.test(name));
      return length === 2;
    },
    { timeoutMs: 30_000, what: "the controllers to have set up namespace default" },
  );
});
afterAll(() => server.stop());

const CRD = { apiVersion: "apiextensions.k8s.io/v1", kind: "CustomResourceDefinition" };
const options = { set: [], isConfirmed: true, dryRun: false, skipPrecheck: true, istioNamespace: "istio-system" };
const away = { purge: true, isConfirmed: true, dryRun: false, timeoutMs: 100_000, istioNamespace: "istio-system" };

/**
 * Every object of the kinds that install, the controllers behind it and the control plane make; those in kube-* namespaces only
 * when they are the mesh's, for the controllers still make their own while the test runs.
 */
async function everything(): Promise<string[]> {
  const kinds: [string, string][] = [
    ["v1", "Namespace"],
    ["v1", "ServiceAccount"],
    ["v1", "ConfigMap"],
    ["v1", "Secret"],
    ["v1", "Service"],
    ["v1", "Pod"],
    ["apps/v1", "Deployment"],
    ["apps/v1", "ReplicaSet"],
    ["discovery.k8s.io/v1", "EndpointSlice"],
    ["coordination.k8s.io/v1", "Lease"],
    ["policy/v1", "PodDisruptionBudget"],
    ["networking.k8s.io/v1", "NetworkPolicy"],
    ["autoscaling/v2", "HorizontalPodAutoscaler"],
    ["admissionregistration.k8s.io/v1", "ValidatingAdmissionPolicy"],
    ["admissionregistration.k8s.io/v1", "ValidatingAdmissionPolicyBinding"],
    ["rbac.authorization.k8s.io/v1", "ClusterRole"],
    ["rbac.authorization.k8s.io/v1", "ClusterRoleBinding"],
    ["rbac.authorization.k8s.io/v1", "Role"],
    ["rbac.authorization.k8s.io/v1", "RoleBinding"],
    ["admissionregistration.k8s.io/v1", "MutatingWebhookConfiguration"],
    ["admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration"],
    ["apiextensions.k8s.io/v1", "CustomResourceDefinition"],
  ];
  const lists = await Promise.all(
    kinds.map(async ([apiVersion, kind]) =>
      (await cluster.list({ apiVersion, kind })).map((o) => `${kind} ${o.metadata.namespace ?? ""}/${o.metadata.name}`),
    ),
  );
  return lists
    .flat()
    .filter((name) => !/ kube-(system|public|node-lease)\//.test(name) || name.includes("istio"))
    .sort();
}

const applyAll = (objects: readonly KubeObject[]): Promise<unknown> =>
  kindByKind(objects, (object) => applyObject(cluster, object, { dryRun: false }));

test("every profile applies, prunes what the one before made, and finds nothing to change the second time", async () => {
  const before = await everything();
  for (const profile of profileNames()) {
    const settings = settingsOf(profile, profile === "production" ? ["values.global.networkPolicy.enabled=true"] : []);
    // CRDs are the same in all profiles and the longest to apply
    const components = profile === "ci" ? render(settings) : withoutCrds(render(settings));
    const objects = components.flatMap((part) => part.objects);
    await applyAll([namespaceObject(settings), ...objects]);
    const place = { namespace: settings.namespace, revision: "default", objects };
    await dropObjects(cluster, await findPruned(cluster, place));
    expect(await findPruned(cluster, place), profile).toEqual([]);
    const plan = { ...place, profile, request: {}, namespaces: [], components };
    if (profile === "production") expect(await planDiff({ cluster, plan })).toBe("");
  }
  const result = await uninstall(away, fakeIo({ cluster }));
  expect(result.exitCode).toBe(0);
  // garbage collection of what the controllers made follows
  const isAsBefore = async (): Promise<boolean> => {
    expect(await everything()).toEqual(before);
    return true;
  };
  await waitFor(isAsBefore, { timeoutMs: 30_000, what: "the cluster to be as before" });
});

test("a dry run changes nothing, also before there is a namespace", async () => {
  const before = await everything();
  const io = fakeIo({ cluster });
  const result = await install({ ...options, profile: "demo", dryRun: true, readinessTimeoutMs: 1000 }, io);
  expect(result.changes.every(({ change }) => change === "created")).toBe(true);
  expect(await everything()).toEqual(before);
});

test("--diff shows our own fields alone: what others set stays out of it, what they took from us is in it", async () => {
  const settings = settingsOf("minimal", []);
  const objects = [namespaceObject(settings), ...render(settings).flatMap((part) => part.objects)];
  await applyAll(objects);
  const target = { apiVersion: "apps/v1", kind: "Deployment", namespace: "istio-system", name: "istiod" };
  await cluster.mergePatch(target, { metadata: { annotations: { "example.org/note": "x" } }, spec: { replicas: 3 } });
  const io = fakeIo({ cluster });
  await install({ ...options, profile: "minimal", dryRun: true, diff: true, readinessTimeoutMs: 1000 }, io);
  expect(io.stdout()).not.toContain("example.org/note");
  expect(io.stdout().match(/^--- .*/gm)).toEqual(["--- a/Deployment/istio-system/istiod"]);
  // the server took the field from us when somebody else set it: to us it is new
  expect(io.stdout()).toMatch(/^\+  replicas: 1$/m);
  await cluster.mergePatch(target, { spec: { replicas: 1 } });
});

test("of two installs at once the second is refused, and names the first", async () => {
  const deadline = new AbortController();
  const slow = { ...options, profile: "minimal", readinessTimeoutMs: 60_000 };
  const first = install(slow, fakeIo({ cluster, signal: deadline.signal, now: () => new Date() }));
  const lease = {
    apiVersion: "coordination.k8s.io/v1",
    kind: "Lease",
    namespace: "istio-system",
    name: "meshctl-install",
  };
  await waitFor(() => cluster.get(lease), { what: "the lease of the first" });
  await expect(install(slow, fakeIo({ cluster, now: () => new Date() }))).rejects.toThrow(
    /another installation is running: by .+@.+ \(pid \d+\)/,
  );
  deadline.abort();
  await expect(first).rejects.toThrow();
  expect(await cluster.get(lease)).toBeUndefined();
});

test("what does not become ready is named with the reason the cluster gives; ready parts end the wait", async () => {
  const wait = { ...options, profile: "minimal" };
  const io = fakeIo({ cluster });
  await expect(install({ ...wait, readinessTimeoutMs: 3000 }, io)).rejects.toThrow(
    /not ready after 3 s[\s\S]*Deployment istio-system\/istiod: [A-Za-z]+/,
  );

  const play = playNodeAndControlPlane();
  const again = await install({ ...wait, readinessTimeoutMs: 60_000 }, fakeIo({ cluster }));
  await play;
  expect(again.changes.filter(({ change }) => change !== "unchanged")).toEqual([]);
  const third = fakeIo({ cluster });
  await install({ ...wait, readinessTimeoutMs: 10_000 }, third);
  expect(third.stdout()).toMatch(/^Nothing changed: all \d+ objects/);
});

test("upgrade in place finds the recorded settings; over an installation of another version it judges the step", async () => {
  const { set: _, ...rest } = options;
  const ask = { ...rest, gateways: false, force: false, wait: false, timeoutMs: 0, readinessTimeoutMs: 60_000 };
  const io = fakeIo({ cluster });
  const { changes } = await upgrade(ask, io);
  expect(changes.filter(({ change }) => change !== "unchanged")).toEqual([]);
  expect(io.stderr()).toContain("No object changes.");
  const target = { apiVersion: "apps/v1", kind: "Deployment", namespace: "istio-system", name: "istiod" };
  await cluster.mergePatch(target, { metadata: { labels: { "operator.istio.io/version": "99.0.0" } } });
  await expect(upgrade(ask, fakeIo({ cluster }))).rejects.toMatchObject({ code: "upgrade-path" });
  const forced = await upgrade({ ...ask, force: true }, fakeIo({ cluster }));
  const changed = forced.changes.filter(({ change }) => change !== "unchanged");
  expect(changed.map(({ object }) => object.kind)).toEqual(["Deployment"]);
});

test("precheck sees the installation that is there, and a foreign control plane", async () => {
  const result = await precheck({ istioNamespace: "istio-system", output: "json" }, fakeIo({ cluster }));
  const byName = Object.fromEntries(result.checks.map((check) => [check.name, check]));
  expect(byName["other-control-plane"]).toMatchObject({
    status: "ok",
    message: expect.stringContaining("upgrade") as string,
  });
  expect(byName["permissions"]?.status).toBe("ok");
  expect(byName["crds"]?.status).toBe("ok");
  // there is no node in this cluster
  expect(byName["nodes"]?.status).toBe("error");
  expect(result.exitCode).toBe(1);
});

test("uninstall takes away what the control plane wrote while it ran", async () => {
  for (const namespace of ["default", "kube-system"])
    await cluster.create({
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name: "istio-ca-root-cert", namespace },
      data: { "root-cert.pem": "x" },
    });
  const result = await uninstall(away, fakeIo({ cluster }));
  expect(result.removed.map((object) => object.metadata.name)).toContain("istio-ca-root-cert");
  expect((await everything()).filter((name) => /istio/.test(name))).toEqual([]);
  expect((await uninstall(away, fakeIo({ cluster }))).removed).toEqual([]);
});

test("a CRD whose deletion the API server forgot is nudged until it goes", async () => {
  const crds = render(settingsOf("minimal", []))
    .flatMap((part) => part.objects)
    .filter((object) => object.kind === CRD.kind);
  const [first] = crds;
  if (first === undefined) throw new Error("the profile has no CRD");
  // somebody whom only another change of the object wakes, as the server's own finalizer after its lost conflict
  const finalizers = ["test.meshctl.io/sleeper"];
  await applyObject(cluster, { ...first, metadata: { ...first.metadata, finalizers } }, { dryRun: false });
  const target = { ...CRD, name: first.metadata.name };
  const waker = waitFor(
    async () =>
      Object.keys((await cluster.get(target))?.metadata.annotations ?? {}).find((key) => key.endsWith("asked-again")),
    { timeoutMs: 60_000, what: "the nudge" },
  ).then(() => cluster.mergePatch(target, { metadata: { finalizers: null } }));
  const result = await uninstall(away, fakeIo({ cluster }));
  await waker;
  expect(result.removed.map((object) => object.metadata.name)).toEqual([first.metadata.name]);
  expect(await cluster.get(target)).toBeUndefined();
});

/** What a kubelet and meshd do in a real cluster: pods run, webhooks get their certificate. */
async function playNodeAndControlPlane(): Promise<void> {
  const pod = await waitFor(
    async () => (await cluster.list({ apiVersion: "v1", kind: "Pod" }, { namespace: "istio-system" }))[0],
    { timeoutMs: 20_000, what: "the control plane's pod" },
  );
  const ready = { type: "Ready", status: "True", lastTransitionTime: "2026-01-01T00:00:00Z" };
  const target = { apiVersion: "v1", kind: "Pod", namespace: "istio-system", name: pod.metadata.name };
  await cluster.mergePatch(target, { status: { phase: "Running", conditions: [ready] } }, { subresource: "status" });
  for (const [kind, name] of [
    ["MutatingWebhookConfiguration", "istio-sidecar-injector"],
    ["ValidatingWebhookConfiguration", "istio-validator-istio-system"],
  ] as const) {
    const hook = { apiVersion: "admissionregistration.k8s.io/v1", kind, name };
    const live = await waitFor(() => cluster.get(hook), { what: name });
    const webhooks = (live["webhooks"] as { clientConfig: object }[]).map((webhook) => ({
      ...webhook,
      // meshd also makes validation binding once it answers
      ...(kind.startsWith("Validating") ? { failurePolicy: "Fail" } : {}),
      clientConfig: { ...webhook.clientConfig, caBundle: Buffer.from(server.caPem).toString("base64") },
    }));
    await cluster.mergePatch(hook, { webhooks });
  }
}
