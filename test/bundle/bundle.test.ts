import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, expect, test } from "vitest";
import { run as bugReport } from "../../src/commands/bug-report.ts";
import { runView } from "../../src/commands/proxy-config/index.ts";
import { readArchive, writeArchive } from "../../src/bundle/files.ts";
import { CONTENTS } from "../../src/bundle/format.ts";
import { openBundle } from "../../src/bundle/open.ts";
import { emptyRecord, recording } from "../../src/bundle/record.ts";
import type { KubeObject } from "../../src/resources/object.ts";
import { fakeCluster } from "../support/fake-cluster.ts";
import { fakeIo } from "../support/fake-io.ts";
import { answering } from "../support/pod-answers.ts";

const folder = mkdtempSync(join(tmpdir(), "meshctl-bundle-"));
afterAll(() => rmSync(folder, { recursive: true }));

const pod = (name: string, namespace: string, more: object = {}): KubeObject => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name, namespace, annotations: { "sidecar.istio.io/status": "{}" }, ...more },
  status: { phase: "Running" },
});
const web = pod("web", "shop", { labels: { app: "web" } });
const istiod = pod("istiod-1", "istio-system", { labels: { app: "istiod" }, annotations: {} });
const hidden = pod("vault", "private");
const DUMP = { configs: [{ "@type": "type.googleapis.com/envoy.admin.v3.ClustersConfigDump" }] };
const ANSWERS = {
  "/config_dump": DUMP,
  "/config_dump?include_eds": DUMP,
  "/clusters?format=json": { cluster_statuses: [{ name: "agent" }] },
  "/debug/syncz": [],
  "/version": "0.1.0\n",
};

/** A bundle of a cluster of three pods. */
async function bundleOf(options: Readonly<Record<string, string>> = {}): Promise<{ path: string; err: string }> {
  await using answers = await answering(ANSWERS);
  const cluster = {
    ...fakeCluster({ objects: [web, istiod, hidden], portForward: answers.connect, forbidden: ["nodes"] }),
    logs: async () => "one line\n",
  };
  const io = fakeIo({ cluster, cwd: folder, now: () => new Date("2026-11-21T12:00:00Z") });
  expect((await bugReport({ args: [], options }, io)).exitCode).toBe(0);
  return { path: io.stdout().trim(), err: io.stderr() };
}

let whole: { path: string; err: string };
// the first run loads every command there is
beforeAll(async () => {
  whole = await bundleOf();
}, 120_000);

test("a cluster goes into a file and answers from there: objects, selectors, permissions, pods, logs, the time", async () => {
  const { path } = whole;
  const { cluster, createdAt } = await openBundle(path, "bug-report.tar.gz");
  expect(createdAt).toEqual(new Date("2026-11-21T12:00:00Z"));
  expect(cluster.context.name).toBe("fake (bug-report.tar.gz)");
  const pods = { apiVersion: "v1", kind: "Pod" };
  const names = async (options: object): Promise<readonly string[]> =>
    (await cluster.list(pods, options)).map(({ metadata }) => metadata.name);
  expect(await names({})).toEqual(["web", "istiod-1", "vault"]);
  expect(await names({ namespace: "shop" })).toEqual(["web"]);
  expect(await names({ labelSelector: "app in (istiod,other)", fieldSelector: "status.phase=Running" })).toEqual([
    "istiod-1",
  ]);
  expect(await names({ fieldSelector: "status.phase!=Running" })).toEqual([]);
  expect((await cluster.get({ ...pods, namespace: "shop", name: "web" }))?.metadata.labels).toEqual({ app: "web" });
  expect(await cluster.get({ ...pods, namespace: "shop", name: "nobody" })).toBeUndefined();
  expect(await cluster.version()).toMatchObject({ major: "1" });
  expect(await cluster.logs({ namespace: "shop", pod: "web", container: "istio-proxy" })).toBe("one line\n");
  const io = fakeIo({ cluster });
  await runView("endpoints", { args: ["web.shop"], options: { output: "json" } }, io);
  expect(JSON.parse(io.stdout())).toEqual([{ name: "agent" }]);
});

test("what was not asked is said to be unknown, what failed fails again, and nothing can be changed", async () => {
  const { path } = whole;
  const { cluster } = await openBundle(path, "b");
  await expect(cluster.list({ apiVersion: "example.com/v1", kind: "Toy" })).rejects.toMatchObject({
    code: "not-in-bundle",
  });
  await expect(cluster.canI({ verb: "delete", group: "", resource: "toys" })).rejects.toThrow(
    "b does not say whether you may delete toys",
  );
  await expect(cluster.portForward({ namespace: "shop", pod: "web", port: 1 })).rejects.toMatchObject({
    code: "not-in-bundle",
  });
  await expect(
    cluster.podHttp?.({ namespace: "shop", pod: "web", port: 15000 }, { method: "GET", path: "/certs" }),
  ).resolves.toMatchObject({ status: 404 });
  await expect(cluster.create(web)).rejects.toMatchObject({ code: "read-only" });
});

test("namespaces that are left out, and what does not fit, are not in it; the latter is named", async () => {
  const small = await bundleOf({ exclude: "private", outputDir: join(folder, "small") });
  const { cluster } = await openBundle(small.path, "b");
  const names = (await cluster.list({ apiVersion: "v1", kind: "Pod" })).map(({ metadata }) => metadata.name);
  expect(names).toEqual(["web", "istiod-1"]);
  await expect(bundleOf({ maxSize: "none" })).rejects.toThrow('expected a whole number above 0, got "none"');
});

test("a list that may not be seen whole is recorded as far as it may", async () => {
  const real = fakeCluster({ objects: [web], unlisted: ["Secret"] });
  const record = emptyRecord();
  const cluster = recording(real, record, () => Promise.reject(new Error("unused")));
  const secrets = { apiVersion: "v1", kind: "Secret" };
  await expect(cluster.list(secrets)).rejects.toMatchObject({ code: "forbidden" });
  expect(record.kinds.get("/Secret")?.problem).toEqual({
    code: "forbidden",
    words: expect.stringContaining("may not list") as string,
  });
  expect(await cluster.canI({ verb: "get", group: "", resource: "pods" })).toBe(true);
  expect([...record.access.values()]).toEqual([true]);
});

test.each([
  ["no archive", Buffer.from("hello"), "is no bundle"],
  ["an archive of something else", gzipSync(Buffer.alloc(1024)), `it has no ${CONTENTS}`],
])("%s is refused with what to do", async (_, bytes, words) => {
  const path = join(folder, "other.tar.gz");
  writeFileSync(path, bytes);
  await expect(openBundle(path, "other.tar.gz")).rejects.toThrow(words);
  await expect(openBundle(join(folder, "none"), "none")).rejects.toThrow("none cannot be read");
});

test("files with long paths come back as they went", async () => {
  const path = join(folder, "long.tar.gz");
  const name = `${"a".repeat(80)}/${"b".repeat(70)}/${"c".repeat(90)}`;
  const files = new Map([
    ["short", Buffer.from("1")],
    [name, Buffer.from("2")],
  ]);
  await writeArchive(path, files);
  expect(await readArchive(path, "long")).toEqual(files);
});
