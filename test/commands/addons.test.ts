import { expect, test } from "vitest";
import { UsageError } from "../../src/base/errors.ts";
import { run as addonsInstall } from "../../src/commands/addons-install.ts";
import { run as addonsList } from "../../src/commands/addons-list.ts";
import { run as addonsRemove } from "../../src/commands/addons-remove.ts";
import type { CommandInput } from "../../src/commands/io.ts";
import { findRemoval } from "../../src/install/remove.ts";
import type { FakeCluster } from "../support/fake-cluster.ts";
import { fakeIo } from "../support/fake-io.ts";
import { settlingCluster } from "../support/settling-cluster.ts";

function withMesh(): FakeCluster {
  const cluster = settlingCluster();
  cluster.set({ apiVersion: "v1", kind: "Namespace", metadata: { name: "istio-system" } });
  return cluster;
}

function install(cluster: FakeCluster, args: readonly string[], options: CommandInput["options"] = {}) {
  const io = fakeIo({ cluster });
  return addonsInstall({ args, options }, io).then((result) => ({ ...result, text: io.stdout() }));
}

const namesOf = (cluster: FakeCluster): readonly string[] =>
  cluster
    .objects()
    .map(({ kind, metadata }) => `${kind} ${metadata.name}`)
    .filter((name) => !/^Node |istio-system$/.test(name) || name.startsWith("ClusterRole"))
    .toSorted();

test("an addon is applied, a second time nothing changes, and what a former version had goes", async () => {
  const cluster = withMesh();
  const first = await install(cluster, ["prometheus"]);
  expect(first.text).toBe("Installed: 6 created, 0 changed, 0 unchanged.\nmeshctl dashboard prometheus\n");
  expect((await install(cluster, ["prometheus"])).text).toMatch(/^Nothing changed: all 6 objects/);
  const [some] = cluster.objects().filter(({ kind }) => kind === "Service");
  expect(some).toBeDefined();
  if (some === undefined) return;
  cluster.set({ ...some, metadata: { ...some.metadata, name: "of-a-former-version" } });
  expect((await install(cluster, ["prometheus"])).text).toContain("1 removed");
  expect(namesOf(cluster)).not.toContain("Service of-a-former-version");
});

test("other settings change what reads them", async () => {
  const cluster = withMesh();
  await install(cluster, ["prometheus", "jaeger"]);
  const { changes } = await install(cluster, ["prometheus", "jaeger"], {
    scrapeInterval: "5s",
    retention: "2h",
    image: ["prometheus=a/b:1"],
  });
  const changed = changes.filter(({ change }) => change === "changed").map(({ object }) => object);
  expect(changed.map(({ kind, metadata }) => `${kind} ${metadata.name}`)).toEqual([
    "ConfigMap prometheus",
    "Deployment prometheus",
  ]);
  expect(JSON.stringify(changed)).toContain("scrape_interval: 5s");
  expect(JSON.stringify(changed)).toContain("--storage.tsdb.retention.time=2h");
});

test("a dry run changes nothing", async () => {
  const cluster = withMesh();
  const before = namesOf(cluster);
  const { text } = await install(cluster, ["kiali"], { dryRun: true });
  expect(text).toContain("Deployment istio-system/kiali would be created");
  expect(namesOf(cluster)).toEqual(before);
});

test("a namespace that somebody else made stays as it is, and stays when the addon goes", async () => {
  const cluster = withMesh();
  const own = { apiVersion: "v1", kind: "Namespace", metadata: { name: "observability", labels: { team: "a" } } };
  cluster.set(own);
  await install(cluster, ["otel-collector"]);
  await addonsRemove({ args: ["otel-collector"], options: { skipConfirmation: true } }, fakeIo({ cluster }));
  const left = cluster.objects().find(({ metadata }) => metadata.name === "observability");
  expect(left?.metadata.labels).toEqual({ team: "a" });
  const other = withMesh();
  await install(other, ["otel-collector"]);
  expect(namesOf(other)).toContain("Namespace observability");
  await addonsRemove({ args: ["otel-collector"], options: { skipConfirmation: true } }, fakeIo({ cluster: other }));
  expect(namesOf(other)).toEqual([]);
});

test("remove takes one addon and leaves the others; it asks first", async () => {
  const cluster = withMesh();
  await install(cluster, [], { all: true });
  const no = fakeIo({ cluster, ask: () => Promise.resolve("n") });
  expect((await addonsRemove({ args: ["kiali"], options: {} }, no)).exitCode).toBe(1);
  expect(namesOf(cluster)).toContain("Deployment kiali");
  await addonsRemove({ args: ["kiali"], options: { skipConfirmation: true } }, fakeIo({ cluster }));
  expect(namesOf(cluster).filter((name) => name.includes("kiali"))).toEqual([]);
  expect(namesOf(cluster)).toContain("Deployment prometheus");
  const again = fakeIo({ cluster });
  await addonsRemove({ args: ["kiali"], options: { skipConfirmation: true } }, again);
  expect(again.stdout()).toBe("There is nothing to remove.\n");
});

test("uninstall takes them with the mesh", async () => {
  const cluster = withMesh();
  await install(cluster, [], { all: true });
  const { running, supporting } = await findRemoval(cluster, "istio-system", false);
  const going = [...running, ...supporting].map(({ kind, metadata }) => `${kind} ${metadata.name}`);
  expect(going).toEqual(expect.arrayContaining(["Deployment kiali", "ClusterRole prometheus-istio-system"]));
  expect(going).toEqual(expect.arrayContaining(["Deployment opentelemetry-collector"]));
});

test("list tells each addon's state", async () => {
  const cluster = withMesh();
  await install(cluster, ["jaeger"]);
  const io = fakeIo({ cluster });
  await addonsList({ args: [], options: {} }, io);
  const lines = io.stdout().trimEnd().split("\n");
  expect(lines[0]).toMatch(/^ADDON +STATE +IMAGE +FOR$/);
  expect(lines.find((line) => line.startsWith("jaeger"))).toMatch(/^jaeger +ready +docker\.io\/jaegertracing\/jaeger:/);
  expect(lines.find((line) => line.startsWith("kiali"))).toMatch(/^kiali +not installed /);
});

test.each([
  [["promtheus"], {}, 'there is no addon "promtheus"'],
  [[], {}, "which addon?"],
  [["kiali"], { image: ["kialli=x"] }, "--image: expected ADDON=IMAGE"],
  [["prometheus"], { scrapeInterval: "often" }, "--scrape-interval: expected a duration"],
] as const)("%j %j is refused before the cluster is asked", async (args, options, words) => {
  const io = fakeIo({});
  await expect(addonsInstall({ args, options } as unknown as CommandInput, io)).rejects.toThrow(words);
  await expect(addonsInstall({ args, options } as unknown as CommandInput, io)).rejects.toBeInstanceOf(UsageError);
});

test("without the mesh's namespace there is nowhere to go", async () => {
  await expect(install(settlingCluster(), ["kiali"])).rejects.toThrow("there is no namespace istio-system");
});
