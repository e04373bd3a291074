import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { type AddressInfo, connect, createServer as createTcpServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openCluster } from "../../../src/kube/cluster.ts";
import type { Cluster, WatchEvent } from "../../../src/resources/cluster.ts";
import type { KubeObject } from "../../../src/resources/object.ts";
import { type RealApiServer, startApiServer } from "../../support/kube/apiserver.ts";
import { waitFor } from "../../support/wait.ts";

let server: RealApiServer;
let cluster: Cluster;
const NS = "kube-client";

beforeAll(async () => {
  server = await startApiServer();
  cluster = await openCluster({ kubeconfig: server.kubeconfig, env: {} });
  await cluster.create({ apiVersion: "v1", kind: "Namespace", metadata: { name: NS } });
});
afterAll(async () => {
  await server?.stop();
});

test("acts as whom the flags name: requests, watches and their answers are that user's", async () => {
  const who = async (options: { as?: string; asGroup?: readonly string[]; asUid?: string }) => {
    const acting = await openCluster({ kubeconfig: server.kubeconfig, env: {}, ...options });
    const review = { apiVersion: "authentication.k8s.io/v1", kind: "SelfSubjectReview", metadata: { name: "" } };
    return (await acting.create(review))["status"] as {
      userInfo: { username: string; groups: string[]; uid?: string };
    };
  };
  expect((await who({})).userInfo.username).not.toBe("jane");
  const jane = (await who({ as: "jane", asGroup: ["readers", "writers"], asUid: "7" })).userInfo;
  expect(jane).toMatchObject({ username: "jane", uid: "7" });
  expect(jane.groups).toEqual(expect.arrayContaining(["readers", "writers"]));
  const acting = await openCluster({ kubeconfig: server.kubeconfig, env: {}, as: "jane" });
  await expect(acting.get(ref("kube-root-ca.crt"))).rejects.toThrow(/"jane" cannot get resource "configmaps"/);
});

function configMap(name: string, data: Record<string, string>, labels: Record<string, string> = {}): KubeObject {
  return { apiVersion: "v1", kind: "ConfigMap", metadata: { name, namespace: NS, labels }, data };
}
const ref = (name: string) => ({ apiVersion: "v1", kind: "ConfigMap", namespace: NS, name });

test("reads, writes and deletes objects, and says nothing of missing ones", async () => {
  await cluster.create(configMap("a", { x: "1" }));
  expect((await cluster.get(ref("a")))?.["data"]).toEqual({ x: "1" });
  await expect(cluster.create(configMap("a", {}))).rejects.toMatchObject({ code: "already-exists" });
  const patched = await cluster.mergePatch(ref("a"), { data: { y: "2" } });
  expect(patched["data"]).toEqual({ x: "1", y: "2" });
  await cluster.replace({ ...patched, data: { z: "3" } });
  await expect(cluster.replace({ ...patched, data: { late: "1" } })).rejects.toMatchObject({ code: "conflict" });
  expect((await cluster.get(ref("a")))?.["data"]).toEqual({ z: "3" });
  await cluster.delete(ref("a"), { propagation: "Background" });
  expect(await cluster.get(ref("a"))).toBeUndefined();
  await cluster.delete(ref("a"));
  // Foreground is the default: the object stays, marked, until a garbage collector (none runs here) has seen its dependents.
  await cluster.create(configMap("b", {}));
  await cluster.delete(ref("b"));
  expect((await cluster.get(ref("b")))?.metadata["finalizers"]).toEqual(["foregroundDeletion"]);
  expect(await cluster.get({ apiVersion: "no.example/v1", kind: "Nothing", namespace: NS, name: "x" })).toBeUndefined();
  expect(await cluster.list({ apiVersion: "no.example/v1", kind: "Nothing" })).toEqual([]);
  await expect(
    cluster.create({ apiVersion: "no.example/v1", kind: "Nothing", metadata: { name: "x" } }),
  ).rejects.toMatchObject({ code: "no-such-kind" });
});

test("server-side apply keeps owners apart and force takes over", async () => {
  await cluster.apply(configMap("ssa", { x: "1" }), { fieldManager: "one" });
  await expect(cluster.apply(configMap("ssa", { x: "2" }), { fieldManager: "two" })).rejects.toMatchObject({
    code: "conflict",
  });
  const dry = await cluster.apply(configMap("ssa", { x: "3" }), { fieldManager: "one", dryRun: true });
  expect(dry["data"]).toEqual({ x: "3" });
  const forced = await cluster.apply(configMap("ssa", { x: "2" }), { fieldManager: "two", force: true });
  expect(forced["data"]).toEqual({ x: "2" });
  expect((await cluster.get(ref("ssa")))?.["data"]).toEqual({ x: "2" });
});

test("lists over several pages, with kinds on the items", async () => {
  const names = Array.from({ length: 520 }, (_, index) => `page-${index}`);
  for (let start = 0; start < names.length; start += 40)
    await Promise.all(
      names.slice(start, start + 40).map((name) => cluster.create(configMap(name, {}, { page: "yes" }))),
    );
  const listed = await cluster.list(
    { apiVersion: "v1", kind: "ConfigMap" },
    { namespace: NS, labelSelector: "page=yes" },
  );
  expect(listed.map((object) => object.metadata.name).sort()).toEqual(names.sort());
  expect(listed.every((object) => object.kind === "ConfigMap" && object.apiVersion === "v1")).toBe(true);
});

test("tokens are reviewed for their audience, and name their pod", async () => {
  await cluster.create({ apiVersion: "v1", kind: "ServiceAccount", metadata: { name: "web", namespace: NS } });
  const pod = await cluster.create({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "web-1", namespace: NS },
    spec: { serviceAccountName: "web", containers: [{ name: "app", image: "example.test/app:1" }] },
  });
  const token = await cluster.createToken({
    namespace: NS,
    serviceAccount: "web",
    audiences: ["istio-ca"],
    pod: { name: "web-1", uid: pod.metadata.uid! },
  });
  const reviewed = await cluster.reviewToken(token, ["istio-ca"]);
  expect(reviewed?.username).toBe(`system:serviceaccount:${NS}:web`);
  expect(reviewed?.groups).toContain("system:serviceaccounts");
  expect(reviewed?.extra["authentication.kubernetes.io/pod-uid"]).toEqual([pod.metadata.uid]);
  expect(await cluster.reviewToken(token, ["another"])).toBeUndefined();
  expect(await cluster.reviewToken("nonsense", ["istio-ca"])).toBeUndefined();
});

test("says what it may do and which version it talks to", async () => {
  expect((await cluster.version()).gitVersion).toMatch(/^v1\.\d+\.\d+/);
  expect(await cluster.canI({ verb: "create", group: "", resource: "pods", namespace: NS })).toBe(true);
  const token = await cluster.createToken({ namespace: NS, serviceAccount: "web", audiences: [] });
  const asWeb = await openCluster({ kubeconfig: kubeconfig(server.url, { token }), env: {} });
  expect(await asWeb.canI({ verb: "create", group: "", resource: "pods", namespace: NS })).toBe(false);
  await expect(asWeb.list({ apiVersion: "v1", kind: "Secret" })).rejects.toMatchObject({ code: "forbidden" });
});

/** What a watcher knows, as a map by name, and how often it was told anything. */
function recorder(): { names: Map<string, string>; events: WatchEvent[]; onEvent: (event: WatchEvent) => void } {
  const names = new Map<string, string>();
  const events: WatchEvent[] = [];
  return {
    names,
    events,
    onEvent(event) {
      events.push(event);
      if (event.type === "SYNCED") return;
      const { name } = event.object.metadata;
      if (event.type === "DELETED") names.delete(name);
      else names.set(name, JSON.stringify(event.object["data"] ?? {}));
    },
  };
}

test("watch follows through broken connections and reports deletions missed meanwhile", async () => {
  const gate = await createGate(new URL(server.url));
  const behind = await openCluster({ kubeconfig: kubeconfig(gate.url, { token: server.adminToken }), env: {} });
  const seen = recorder();
  const abort = new AbortController();
  await cluster.create(configMap("w1", { v: "1" }, { watched: "yes" }));
  await cluster.create(configMap("w2", { v: "1" }, { watched: "yes" }));
  const kind = { apiVersion: "v1", kind: "ConfigMap" };
  const done = behind.watch(kind, { namespace: NS, labelSelector: "watched=yes" }, seen.onEvent, abort.signal);
  await waitFor(() => seen.events.some((event) => event.type === "SYNCED"), { what: "the first list" });
  expect([...seen.names.keys()].sort()).toEqual(["w1", "w2"]);
  await cluster.mergePatch(ref("w1"), { data: { v: "2" } });
  await waitFor(() => seen.names.get("w1") === '{"v":"2"}', { what: "the change" });

  gate.close();
  await cluster.delete(ref("w1"), { propagation: "Background" });
  await cluster.mergePatch(ref("w2"), { data: { v: "3" } });
  await cluster.create(configMap("w3", { v: "1" }, { watched: "yes" }));
  gate.open();
  await waitFor(() => seen.names.get("w3") === '{"v":"1"}' && !seen.names.has("w1"), { what: "what was missed" });
  expect(seen.names.get("w2")).toBe('{"v":"3"}');
  expect(seen.events.filter((event) => event.type === "SYNCED")).toHaveLength(1);
  abort.abort();
  await done;
  gate.stop();
});

test("a watch whose connection is dead without a word is taken up anew after the time that was agreed", async () => {
  const gate = await createGate(new URL(server.url));
  const behind = await openCluster({ kubeconfig: kubeconfig(gate.url, { token: server.adminToken }), env: {} });
  const seen = recorder();
  const abort = new AbortController();
  const kind = { apiVersion: "v1", kind: "ConfigMap" };
  const only = { namespace: NS, labelSelector: "dead=yes", watchSeconds: 2 };
  const done = behind.watch(kind, only, seen.onEvent, abort.signal);
  await waitFor(() => seen.events.length === 1, { what: "the first list" });
  await cluster.create(configMap("d1", { v: "1" }, { dead: "yes" }));
  await waitFor(() => seen.names.has("d1"), { what: "the watch" });
  gate.freeze();
  await cluster.create(configMap("d2", { v: "1" }, { dead: "yes" }));
  // without that agreement it would be minutes
  await waitFor(() => seen.names.has("d2"), { what: "what the dead connection did not bring", timeoutMs: 20_000 });
  expect([...seen.names.keys()]).toEqual(["d1", "d2"]);
  abort.abort();
  await done;
  gate.stop();
});

test("watch lists again when its version is gone, and tells only the difference", async () => {
  const fake = await createExpiringServer();
  const behind = await openCluster({ kubeconfig: kubeconfig(fake.url, {}), env: {} });
  const seen = recorder();
  const abort = new AbortController();
  const done = behind.watch({ apiVersion: "v1", kind: "ConfigMap" }, {}, seen.onEvent, abort.signal);
  await waitFor(() => seen.names.has("new"), { what: "the second list" });
  expect([...seen.names.keys()].sort()).toEqual(["kept", "new"]);
  expect(
    seen.events.map((event) => (event.type === "SYNCED" ? "SYNCED" : `${event.type} ${event.object.metadata.name}`)),
  ).toEqual(["ADDED kept", "ADDED dropped", "SYNCED", "ADDED new", "DELETED dropped"]);
  abort.abort();
  await done;
  fake.stop();
});

test("watch of a kind that the cluster lacks waits for it to appear", async () => {
  const seen = recorder();
  const abort = new AbortController();
  const kind = { apiVersion: "example.test/v1", kind: "Widget" };
  const done = cluster.watch(kind, {}, seen.onEvent, abort.signal);
  await waitFor(() => seen.events.length === 1, { what: "the empty first list" });
  await cluster.create(widgets);
  const widget = { ...kind, metadata: { name: "w", namespace: NS }, data: { v: "1" } };
  await waitFor(() => cluster.create(widget), { what: "the new kind" });
  await waitFor(() => seen.names.has("w"), { what: "the object of the new kind" });
  abort.abort();
  await done;
});

test("the errors of opening a cluster say what to do", async () => {
  const open = (file: string, context?: string) =>
    openCluster({ kubeconfig: file, env: {}, ...(context === undefined ? {} : { context }) });
  await expect(openCluster({ env: { HOME: "/nonexistent" } })).rejects.toMatchObject({ code: "no-kubeconfig" });
  await expect(open("/nonexistent/config")).rejects.toMatchObject({ code: "no-kubeconfig" });
  await expect(open(server.kubeconfig, "gone")).rejects.toMatchObject({ code: "stale-context" });
  const broken = join(mkdtempSync(join(tmpdir(), "kube-client-")), "config");
  writeFileSync(broken, "{ not: [yaml");
  await expect(open(broken)).rejects.toMatchObject({ code: "bad-kubeconfig" });

  const nobody = await open(kubeconfig("https://127.0.0.1:1", {}));
  await expect(nobody.version()).rejects.toMatchObject({
    code: "unreachable",
    hint: expect.stringContaining("choose another with --context") as unknown,
  });
  const stranger = await open(kubeconfig(server.url, { token: "wrong" }));
  await expect(stranger.list({ apiVersion: "v1", kind: "Pod" })).rejects.toMatchObject({ code: "unauthorized" });
  const untrusted = await open(kubeconfig(server.url, { token: server.adminToken, ca: false }));
  await expect(untrusted.version()).rejects.toMatchObject({ code: "bad-certificate" });
});

test("in a pod the mounted service account is used, below the given root", async () => {
  const root = mkdtempSync(join(tmpdir(), "kube-client-"));
  const dir = join(root, "var/run/secrets/kubernetes.io/serviceaccount");
  mkdirSync(dir, { recursive: true });
  writeFileSync(join(dir, "token"), server.adminToken);
  writeFileSync(join(dir, "ca.crt"), server.caPem);
  const url = new URL(server.url);
  const env = { KUBERNETES_SERVICE_HOST: url.hostname, KUBERNETES_SERVICE_PORT: url.port };
  const inside = await openCluster({ env, cwd: root });
  expect((await inside.version()).gitVersion).toMatch(/^v1/);
  expect(inside.context.name).toBe("in-cluster");
});

function kubeconfig(url: string, options: { token?: string; ca?: boolean }): string {
  const file = join(mkdtempSync(join(tmpdir(), "kube-client-")), "config");
  const ca = { "certificate-authority-data": Buffer.from(server.caPem).toString("base64") };
  const trust = url.startsWith("http:") ? { "insecure-skip-tls-verify": true } : options.ca === false ? {} : ca;
  writeFileSync(
    file,
    JSON.stringify({
      apiVersion: "v1",
      kind: "Config",
      clusters: [{ name: "c", cluster: { server: url, ...trust } }],
      users: [{ name: "u", user: options.token === undefined ? {} : { token: options.token } }],
      contexts: [{ name: "c", context: { cluster: "c", user: "u" } }],
      "current-context": "c",
    }),
  );
  return file;
}

/** A TCP gate before the API server that can be shut: open connections break, new ones are refused. Frozen ones only stop. */
async function createGate(
  target: URL,
): Promise<{ url: string; close(): void; open(): void; freeze(): void; stop(): void }> {
  let shut = false;
  const sockets = new Set<{ destroy(): void }>();
  const frozen: (() => void)[] = [];
  const listener = createTcpServer((socket) => {
    if (shut) {
      socket.destroy();
      return;
    }
    const upstream = connect(Number(target.port), target.hostname);
    for (const one of [socket, upstream]) {
      sockets.add(one);
      one.on("error", () => {});
      one.on("close", () => sockets.delete(one));
    }
    socket.pipe(upstream);
    upstream.pipe(socket);
    frozen.push(() => {
      socket.unpipe(upstream).resume();
      upstream.unpipe(socket).resume();
    });
  });
  await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
  const breakAll = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    url: `https://127.0.0.1:${(listener.address() as AddressInfo).port}`,
    close() {
      shut = true;
      breakAll();
    },
    open() {
      shut = false;
    },
    freeze() {
      for (const stop of frozen.splice(0)) stop();
    },
    stop() {
      breakAll();
      listener.close();
    },
  };
}

/** Answers the second watch request with 410 and the second list with other objects, as an API server after compaction. */
async function createExpiringServer(): Promise<{ url: string; stop(): void }> {
  let lists = 0;
  const item = (name: string) => ({ metadata: { name, namespace: "d", resourceVersion: "5" } });
  const listener = createServer((request, response) => {
    const url = new URL(request.url ?? "", "http://x");
    response.setHeader("content-type", "application/json");
    if (url.pathname === "/api/v1") {
      response.end(JSON.stringify({ resources: [{ name: "configmaps", kind: "ConfigMap", namespaced: true }] }));
    } else if (url.searchParams.get("watch") === "true") {
      if (url.searchParams.get("resourceVersion") !== "10") return;
      response.end(`${JSON.stringify({ type: "ERROR", object: { kind: "Status", code: 410 } })}\n`);
    } else {
      lists += 1;
      const items = lists === 1 ? [item("kept"), item("dropped")] : [item("kept"), item("new")];
      response.end(JSON.stringify({ items, metadata: { resourceVersion: String(lists * 10) } }));
    }
  });
  await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(listener.address() as AddressInfo).port}`,
    stop() {
      listener.closeAllConnections();
      listener.close();
    },
  };
}

const widgets: KubeObject = {
  apiVersion: "apiextensions.k8s.io/v1",
  kind: "CustomResourceDefinition",
  metadata: { name: "widgets.example.test" },
  spec: {
    group: "example.test",
    scope: "Namespaced",
    names: { plural: "widgets", singular: "widget", kind: "Widget" },
    versions: [
      {
        name: "v1",
        served: true,
        storage: true,
        schema: { openAPIV3Schema: { type: "object", "x-kubernetes-preserve-unknown-fields": true } },
      },
    ],
  },
};
