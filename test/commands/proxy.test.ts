import { createServer, type Server } from "node:http";
import { connect } from "node:net";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { runView, views } from "../../src/commands/proxy-config/index.ts";
import { proxyStatus } from "../../src/commands/proxy-status.ts";
import type { KubeObject } from "../../src/resources/object.ts";
import { fakeCluster, type FakeCluster } from "../support/fake-cluster.ts";
import { fakeIo } from "../support/fake-io.ts";
import { expectGolden } from "../support/golden.ts";

const folder = join(import.meta.dirname, "testdata");
const pod = (name: string, namespace: string, more: object = {}): KubeObject => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name, namespace, ...more },
  status: { phase: "Running" },
});
const injected = { annotations: { "sidecar.istio.io/status": "{}" } };

let server: Server;
let answers: Record<string, unknown> = {};

beforeAll(async () => {
  server = createServer((request, response) => {
    const answer = answers[request.url ?? ""];
    response.statusCode = answer === undefined ? 404 : 200;
    response.end(answer === undefined ? "no such path" : JSON.stringify(answer));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
});
afterAll(() => new Promise((resolve) => server.close(resolve)));

function cluster(pods: readonly KubeObject[]): FakeCluster {
  const { port } = server.address() as AddressInfo;
  return fakeCluster({
    objects: [pod("istiod-1", "istio-system", { labels: { app: "istiod" } }), ...pods],
    portForward: () => connect(port, "127.0.0.1"),
  });
}

const synced = { status: "SYNCED", ackedAt: "2026-01-01T00:00:00.000Z" };
const entry = (proxy: string, types: object): object => ({
  proxy,
  proxy_type: "sidecar",
  cluster_id: "Kubernetes",
  istio_version: "0.1.0",
  control_plane: "istiod-1",
  types,
});
const options = { istioNamespace: "istio-system", output: "table" as const, wait: false, timeoutMs: 200 };

test("proxy-status --revision: the control plane of that name, and the pods it injected", async () => {
  answers = { "/debug/syncz": [] };
  const pods = ["old", "new"].map((revision) =>
    pod(`of-${revision}`, "shop", { annotations: { "sidecar.istio.io/status": JSON.stringify({ revision }) } }),
  );
  const objects = [pod("istiod-new", "istio-system", { labels: { app: "istiod", "istio.io/rev": "new" } }), ...pods];
  const forwarding = cluster([]);
  const io = fakeIo({
    cluster: { ...fakeCluster({ objects }), portForward: (...asked) => forwarding.portForward(...asked) },
  });
  const { proxies } = await proxyStatus({ ...options, revision: "new" }, io);
  expect(proxies.map(({ name, status }) => `${name} ${status}`)).toEqual(["of-new NOT CONNECTED"]);
  await expect(proxyStatus({ ...options, revision: "old" }, io)).rejects.toThrow(
    "no control plane of revision old runs",
  );
});

test("proxy-status: a table of every proxy; 0 only when all have acknowledged what is current", async () => {
  answers = {
    "/debug/syncz": [entry("web.shop", { cluster: synced, listener: synced, endpoint: synced, route: synced })],
  };
  const io = fakeIo({ cluster: cluster([pod("web", "shop", injected)]) });
  expect((await proxyStatus(options, io)).exitCode).toBe(0);
  expect(io.stdout()).toBe(
    "NAME       CLUSTER      ISTIOD     REVISION   VERSION   CDS      LDS      EDS      RDS\n" +
      "web.shop   Kubernetes   istiod-1   default    0.1.0     SYNCED   SYNCED   SYNCED   SYNCED\n",
  );
});

test.each([
  ["stale", { cluster: synced, listener: { status: "STALE", ackedAt: "" } }, "STALE"],
  ["refused", { cluster: { status: "NACK", lastError: "bad cluster" }, listener: synced }, "NACK"],
  ["without listeners", { cluster: synced }, "STALE"],
])("proxy-status: a proxy that is %s makes it 1", async (_, types, status) => {
  answers = { "/debug/syncz": [entry("web.shop", types)] };
  const io = fakeIo({ cluster: cluster([]) });
  const result = await proxyStatus({ ...options, output: "json" }, io);
  expect(result).toMatchObject({ exitCode: 1, proxies: [{ name: "web", namespace: "shop", status }] });
  expect(JSON.parse(io.stdout())).toEqual(result.proxies);
  if (status === "NACK") expect(io.stderr()).toBe("web.shop refused CDS: bad cluster\n");
});

test("proxy-status: a running pod whose proxy is connected to nobody is listed too", async () => {
  answers = { "/debug/syncz": [] };
  const io = fakeIo({ cluster: cluster([pod("lost", "shop", injected), pod("plain", "shop")]) });
  const result = await proxyStatus(options, io);
  expect(result.proxies.map(({ name, status }) => [name, status])).toEqual([["lost", "NOT CONNECTED"]]);
  expect(result.exitCode).toBe(1);
  expect((await proxyStatus({ ...options, namespace: "other" }, fakeIo({ cluster: cluster([]) }))).proxies).toEqual([]);
});

test("proxy-status --wait: ends when all are in sync", async () => {
  answers = { "/debug/syncz": [] };
  const io = fakeIo({ cluster: cluster([]), now: () => new Date() });
  setTimeout(() => {
    answers = { "/debug/syncz": [entry("web.shop", { cluster: synced, listener: synced })] };
  }, 50);
  expect((await proxyStatus({ ...options, wait: true, timeoutMs: 5000 }, io)).exitCode).toBe(0);
});

test("proxy-status: no control plane, or one that answers nonsense, is an error with what to do", async () => {
  await expect(proxyStatus(options, fakeIo({ cluster: fakeCluster() }))).rejects.toThrow("no control plane runs");
  answers = {};
  await expect(proxyStatus(options, fakeIo({ cluster: cluster([]) }))).rejects.toThrow("answered 404: no such path");
});

const dump = JSON.parse(readFileSync(join(folder, "config-dump.json"), "utf8")) as unknown;
const hosts = JSON.parse(readFileSync(join(folder, "clusters.json"), "utf8")) as unknown;

test.each(Object.keys(views))("proxy-config %s: istioctl's columns over what Envoy says", async (name) => {
  answers = { "/config_dump": dump, "/clusters?format=json": hosts };
  const now = (): Date => new Date("2026-11-21T12:00:00Z");
  const io = fakeIo({ cluster: cluster([pod("web", "shop")]), now });
  const input = (output: string): { args: string[]; options: Record<string, string> } => ({
    args: ["web.shop"],
    options: { output },
  });
  expect((await runView(name, input("table"), io)).exitCode).toBe(0);
  expectGolden(join(folder, `proxy-config-${name}.txt`), io.stdout());
  const json = fakeIo({ cluster: cluster([pod("web", "shop")]) });
  await runView(name, input("json"), json);
  expect(JSON.parse(json.stdout())).toEqual(views[name]?.data(name === "endpoints" ? hosts : dump));
});

test("proxy-config: pods by name, in the namespace of -n, and by Deployment; anything else is refused", async () => {
  answers = { "/config_dump": dump };
  const deployment: KubeObject = {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "web", namespace: "shop" },
    spec: { selector: { matchLabels: { app: "web" } } },
  };
  const fake = cluster([pod("web-1", "shop", { labels: { app: "web" } }), deployment]);
  const view = (text: string, more: Record<string, string> = {}): Promise<unknown> =>
    runView("routes", { args: [text], options: more }, fakeIo({ cluster: fake }));
  await expect(view("web-1.shop")).resolves.toBeDefined();
  await expect(view("web-1", { namespace: "shop" })).resolves.toBeDefined();
  await expect(view("deploy/web.shop")).resolves.toBeDefined();
  await expect(view("web-2.shop")).rejects.toThrow("there is no pod shop/web-2");
  await expect(view("svc/web.shop")).rejects.toThrow("names no pod");
});
