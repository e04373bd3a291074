import { expect, test } from "vitest";
import { install, type InstallOptions } from "../../src/commands/install.ts";
import { rollback } from "../../src/commands/rollback.ts";
import { uninstall } from "../../src/commands/uninstall.ts";
import { upgrade, type UpgradeOptions } from "../../src/commands/upgrade.ts";
import { VERSION } from "../../src/gen/version.ts";
import { upgradeStep } from "../../src/model/version-skew.ts";
import type { KubeObject } from "../../src/resources/object.ts";
import type { FakeCluster } from "../support/fake-cluster.ts";
import { fakeIo } from "../support/fake-io.ts";
import { settlingCluster } from "../support/settling-cluster.ts";

const options: InstallOptions = {
  isConfirmed: true,
  dryRun: false,
  skipPrecheck: true,
  readinessTimeoutMs: 5000,
  istioNamespace: "istio-system",
};
const more = { gateways: false, force: false, wait: false, timeoutMs: 0 };

async function up(cluster: FakeCluster, asked: Partial<UpgradeOptions> = {}) {
  const io = fakeIo({ cluster });
  return { ...(await upgrade({ ...options, ...more, ...asked }, io)), io };
}

function find(cluster: FakeCluster, kind: string, name: string): KubeObject | undefined {
  return cluster.objects().find((object) => object.kind === kind && object.metadata.name === name);
}

/** As if a program of that version had installed it. */
function age(cluster: FakeCluster, version: string): void {
  const istiod = find(cluster, "Deployment", "istiod");
  if (istiod === undefined) throw new Error("there is no istiod");
  const labels = { ...istiod.metadata.labels, "operator.istio.io/version": version };
  cluster.set({ ...istiod, metadata: { ...istiod.metadata, labels } });
}

const [major = 0, minor = 0] = VERSION.split(".").map(Number);

test.each([
  ["0.1.0", "0.1.0", undefined],
  ["0.1.0", "0.1.4", undefined],
  ["0.1.9", "0.2.0", undefined],
  ["v1.31.0-rc.1", "1.32.2", undefined],
  ["0.1.0", "0.3.0", "0.1.0 is 2 minor versions behind 0.3.0"],
  ["0.2.0", "0.1.9", "0.2.0 is newer than 0.1.9"],
  ["0.1.2", "0.1.1", "0.1.2 is newer than 0.1.1"],
  ["1.0.0", "2.0.0", "1.0.0 is another major version than 2.0.0"],
])("from %s to %s: %s", (from, to, problem) => {
  expect(upgradeStep(from, to)).toEqual({ problem });
});

test("versions that are none cannot be compared", () => {
  expect(upgradeStep("latest", "0.1.0")).toBeUndefined();
});

test("in place with the recorded settings; it says from where to where and what changes; rollback brings the old state back", async () => {
  const cluster = settlingCluster();
  await expect(up(cluster)).rejects.toMatchObject({ code: "not-installed" });
  await install({ ...options, set: ["components.pilot.k8s.replicaCount=2"] }, fakeIo({ cluster }));
  age(cluster, `${major}.${minor}.0`);
  const replicas = (): unknown =>
    (find(cluster, "Deployment", "istiod")?.spec as { replicas?: number } | undefined)?.replicas;
  const same = await up(cluster, { dryRun: true });
  expect(same.io.stderr()).toContain(`Revision default goes from version ${major}.${minor}.0 to ${VERSION}.`);
  expect(replicas()).toBe(2);
  const changed = await up(cluster, { set: ["components.pilot.k8s.replicaCount=3"] });
  expect(changed.io.stderr()).toMatch(/objects will be written:\n {2}Deployment\/istio-system\/istiod\n/);
  expect(replicas()).toBe(3);
  await rollback({ ...options, revision: "default" }, fakeIo({ cluster }));
  expect(replicas()).toBe(2);
});

test("steps back and over a minor version are refused with the reason, and made with --force", async () => {
  const cluster = settlingCluster();
  await install({ ...options, profile: "minimal" }, fakeIo({ cluster }));
  age(cluster, `${major}.${minor + 2}.0`);
  await expect(up(cluster)).rejects.toMatchObject({
    code: "upgrade-path",
    message: `revision default: ${major}.${minor + 2}.0 is newer than ${VERSION}`,
  });
  await expect(up(cluster, { revision: "canary" })).rejects.toMatchObject({ code: "upgrade-path" });
  expect(find(cluster, "Deployment", "istiod-canary")).toBeUndefined();
  const forced = await up(cluster, { force: true });
  expect(forced.exitCode).toBe(0);
  expect(forced.io.stderr()).toContain("warning: not supported: ");
});

test("a second revision has the first one's settings and leaves the gateways; later it takes them over, and the first can go", async () => {
  const cluster = settlingCluster();
  await install({ ...options, set: ["meshConfig.accessLogFile=/dev/stdout"] }, fakeIo({ cluster }));
  const gateway = (): KubeObject | undefined => find(cluster, "Deployment", "istio-ingressgateway");
  const canary = await up(cluster, { revision: "canary" });
  expect(canary.io.stderr()).toContain("is installed beside revision default");
  expect(canary.io.stderr()).toContain("Next: meshctl tag set <tag> --revision canary --overwrite");
  const mesh = find(cluster, "ConfigMap", "istio-canary")?.["data"] as { mesh: string } | undefined;
  expect(mesh?.mesh).toContain("/dev/stdout");
  expect(gateway()?.metadata.labels?.["istio.io/rev"]).toBe("default");
  await expect(rollback({ ...options, revision: "canary" }, fakeIo({ cluster }))).rejects.toMatchObject({
    hint: expect.stringContaining("then meshctl uninstall --revision canary") as string,
  });
  // once more, and it is still without gateways
  await up(cluster, { revision: "canary" });
  expect(gateway()?.metadata.labels?.["istio.io/rev"]).toBe("default");

  const away = { purge: false, isConfirmed: true, dryRun: false, timeoutMs: 1000, istioNamespace: "istio-system" };
  const old = { ...away, revision: "default" };
  await expect(uninstall(old, fakeIo({ cluster }))).rejects.toMatchObject({
    code: "in-use",
    message: "revision default is in use:\n  gateways would go with it: istio-system/istio-ingressgateway",
    hint: expect.stringContaining("meshctl upgrade --revision <name> --gateways") as string,
  });
  await up(cluster, { revision: "canary", gateways: true });
  expect(gateway()?.metadata.labels?.["istio.io/rev"]).toBe("canary");
  await uninstall(old, fakeIo({ cluster }));
  expect(gateway()).toBeDefined();
  expect(find(cluster, "Deployment", "istiod")).toBeUndefined();
  // what is there alone is meant without being named
  const alone = await up(cluster);
  expect(alone.io.stderr()).toContain("Revision canary goes from version");
  expect(gateway()).toBeDefined();
});

test("pods that keep the proxy of before are shown; --wait over time is exit code 1", async () => {
  const cluster = settlingCluster();
  await install({ ...options, profile: "minimal" }, fakeIo({ cluster }));
  const metadata = { name: "web-1", namespace: "shop", annotations: { "istio.io/rev": "default" } };
  const spec = { containers: [{ name: "istio-proxy", image: "docker.io/meshctl/proxy:0.0.1" }] };
  cluster.set({ apiVersion: "v1", kind: "Pod", metadata, spec });
  const result = await up(cluster, { wait: true, timeoutMs: 1 });
  expect(result.exitCode).toBe(1);
  expect(result.io.stdout()).toContain("web-1   default");
  const canary = await up(cluster, { revision: "canary", wait: false });
  expect(canary.behind.map(({ pod }) => pod)).toEqual(["web-1"]);
});

test("of several revisions without a default one the name must be given", async () => {
  const cluster = settlingCluster();
  for (const revision of ["blue", "green"])
    await install({ ...options, profile: "minimal", revision }, fakeIo({ cluster }));
  // the first got tag default
  expect((await up(cluster)).io.stderr()).toContain("Revision blue goes");
  for (const kind of ["MutatingWebhookConfiguration", "Service"])
    for (const { metadata } of cluster.objects().filter((object) => object.kind === kind))
      if (metadata.labels?.["istio.io/tag"] !== undefined)
        await cluster.delete({ apiVersion: "v1", kind, ...metadata });
  await expect(up(cluster)).rejects.toMatchObject({
    code: "which-revision",
    message: "there are revisions blue, green",
  });
});
