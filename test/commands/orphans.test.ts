import { expect, test } from "vitest";
import { install } from "../../src/commands/install.ts";
import { orphans } from "../../src/commands/orphans.ts";
import { tagSet } from "../../src/commands/tag-set.ts";
import { uninstall } from "../../src/commands/uninstall.ts";
import type { FakeCluster } from "../support/fake-cluster.ts";
import { fakeIo } from "../support/fake-io.ts";
import { settlingCluster } from "../support/settling-cluster.ts";

const common = { isConfirmed: true, dryRun: false, istioNamespace: "istio-system" };
const options = { ...common, profile: "minimal", skipPrecheck: true, readinessTimeoutMs: 5000 };
const look = { istioNamespace: "istio-system", output: "table", remove: false, isConfirmed: false } as const;

async function lookAt(cluster: FakeCluster): Promise<readonly string[]> {
  const { orphans: found } = await orphans(look, fakeIo({ cluster }));
  return found.map(({ kind, name, reason }) => `${kind} ${name}: ${reason}`);
}

const drop = (cluster: FakeCluster, kind: string, name: string, namespace?: string): Promise<void> =>
  cluster.delete({ apiVersion: "v1", kind, name, ...(namespace === undefined ? {} : { namespace }) });

test("a cluster without a mesh, and a mesh that is whole, have none", async () => {
  const cluster = settlingCluster();
  const io = fakeIo({ cluster });
  expect(await orphans(look, io)).toMatchObject({ exitCode: 0, orphans: [] });
  expect(io.stdout()).toBe("Nothing was left behind.\n");
  await install(options, fakeIo({ cluster }));
  await install({ ...options, revision: "canary" }, fakeIo({ cluster }));
  await tagSet({ ...look, tag: "prod", revision: "canary", overwrite: false }, fakeIo({ cluster }));
  for (const name of ["istio-leader", "istio-leader-canary"])
    cluster.set({ apiVersion: "coordination.k8s.io/v1", kind: "Lease", metadata: { name, namespace: "istio-system" } });
  const metadata = { name: "istio-ca-root-cert", namespace: "default" };
  cluster.set({ apiVersion: "v1", kind: "ConfigMap", metadata });
  expect(await lookAt(cluster)).toEqual([]);
});

test("a revision whose Deployment is gone leaves its objects, its tags and its lease; --delete takes them and nothing else", async () => {
  const cluster = settlingCluster();
  await install(options, fakeIo({ cluster }));
  const names = (): string[] =>
    cluster.objects().map(({ kind, metadata }) => `${kind} ${metadata.namespace ?? ""}/${metadata.name}`);
  const before = names();
  await install({ ...options, revision: "canary" }, fakeIo({ cluster }));
  await tagSet({ ...look, tag: "prod", revision: "canary", overwrite: false }, fakeIo({ cluster }));
  const lease = { name: "istio-leader-canary", namespace: "istio-system" };
  cluster.set({ apiVersion: "coordination.k8s.io/v1", kind: "Lease", metadata: lease });
  await drop(cluster, "Deployment", "istiod-canary", "istio-system");
  await drop(cluster, "Service", "istiod-canary", "istio-system");
  const found = await lookAt(cluster);
  expect(found[0]).toMatch(/^MutatingWebhookConfiguration .*: its Service istio-system\/istiod-canary is not there$/);
  expect(found).toContain("ClusterRole istiod-clusterrole-canary-istio-system: revision canary is not installed");
  expect(found).toContain("Service istiod-revision-tag-prod: tag prod names revision canary, which is not installed");
  expect(found).toContain("ConfigMap meshctl-record-canary: revision canary is not installed");
  expect(found).toContain("Lease istio-leader-canary: its control plane is not installed");
  const no = fakeIo({ cluster, answer: "n" });
  expect((await orphans({ ...look, remove: true }, no)).exitCode).toBe(1);
  expect(await lookAt(cluster)).toEqual(found);
  await expect(orphans({ ...look, remove: true }, fakeIo({ cluster }))).rejects.toThrow("nobody can be asked");
  expect((await orphans({ ...look, remove: true, isConfirmed: true }, fakeIo({ cluster }))).exitCode).toBe(0);
  expect(names()).toEqual(before);
});

test("the last control plane leaves root certificates, the CA's key and CRDs: these only uninstall --purge removes", async () => {
  const cluster = settlingCluster();
  await install(options, fakeIo({ cluster }));
  await uninstall({ ...common, purge: false, timeoutMs: 1000 }, fakeIo({ cluster }));
  for (const namespace of ["default", "shop"])
    cluster.set({ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "istio-ca-root-cert", namespace } });
  cluster.set({ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "istio-ca-crl", namespace: "shop" } });
  for (const name of ["istio-ca-secret", "istio-ca-next"])
    cluster.set({ apiVersion: "v1", kind: "Secret", metadata: { name, namespace: "istio-system" } });
  const found = await lookAt(cluster);
  expect(found.filter((line) => !line.startsWith("CustomResourceDefinition"))).toEqual([
    "ConfigMap istio-ca-root-cert: no control plane is installed",
    "ConfigMap istio-ca-root-cert: no control plane is installed",
    "ConfigMap istio-ca-crl: no control plane is installed",
    "Secret istio-ca-secret: no control plane is installed",
    "Secret istio-ca-next: no control plane is installed",
  ]);
  expect(found.length).toBe(5 + 16);
  const io = fakeIo({ cluster });
  expect((await orphans({ ...look, remove: true, isConfirmed: true }, io)).exitCode).toBe(1);
  expect(io.stderr()).toContain("16 CRDs would take configuration along: meshctl uninstall --purge removes them.");
  expect((await lookAt(cluster)).length).toBe(16);
});

test("a webhook of another mesh whose service is gone is told too; an installation that has not ended is none", async () => {
  const cluster = settlingCluster();
  const stuck = fakeIo({ cluster, signal: AbortSignal.abort() });
  await expect(install(options, stuck)).rejects.toThrow();
  expect(await lookAt(cluster)).toEqual([]);
  cluster.set({
    apiVersion: "admissionregistration.k8s.io/v1",
    kind: "ValidatingWebhookConfiguration",
    metadata: { name: "istiod-old" },
    webhooks: [
      { name: "validation.istio.io", clientConfig: { service: { name: "istiod-old", namespace: "istio-system" } } },
    ],
  });
  expect(await lookAt(cluster)).toEqual([
    "ValidatingWebhookConfiguration istiod-old: its Service istio-system/istiod-old is not there",
  ]);
});
