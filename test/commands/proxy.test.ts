import { createServer, type Server } from "node:http";
import { connect } from "node:net";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { run as compareRoots } from "../../src/commands/proxy-config/compare-roots.ts";
import { runAll, runView, views } from "../../src/commands/proxy-config/index.ts";
import { run as log } from "../../src/commands/proxy-config/log.ts";
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
  answers = { "/config_dump": dump, "/config_dump?include_eds": dump, "/clusters?format=json": hosts };
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
  const items = views[name]?.items(name === "endpoints" ? hosts : dump) ?? [];
  expect(items.length, name).toBeGreaterThan(0);
  expect(JSON.parse(json.stdout())).toEqual(views[name]?.data?.(items) ?? items);
});

const dumpFile = join(folder, "config-dump.json");
const offline = async (name: string, options: Record<string, string | boolean>, file = dumpFile): Promise<string> => {
  const io = fakeIo({ now: () => new Date("2026-11-21T12:00:00Z") });
  await runView(name, { args: [], options: { ...options, file } }, io);
  return io.stdout();
};

test("proxy-config --file: a dump says what its proxy would, and opens no cluster", async () => {
  for (const name of Object.keys(views).filter((each) => each !== "endpoints"))
    expect(await offline(name, {}), name).toBe(readFileSync(join(folder, `proxy-config-${name}.txt`), "utf8"));
  // endpoints as they were sent: a dump does not know what Envoy thinks of them
  expect(await offline("endpoints", {})).toMatch(/10\.245\.0\.4:5678 +DRAINING +OK +outbound\|/);
  const stdin = fakeIo({ stdin: readFileSync(dumpFile, "utf8") });
  await runView("clusters", { args: [], options: { file: "-" } }, stdin);
  expect(stdin.stdout()).toBe(await offline("clusters", {}));
});

test.each([
  ["no JSON", "configs", "is no JSON"],
  ["no dump", "{}", 'it has no list "configs"'],
  ["a dump without endpoints", '{"configs":[]}', "holds no endpoints"],
])("proxy-config --file: %s is refused with what to do", async (_, text, words) => {
  const io = fakeIo({ stdin: text });
  await expect(runView("endpoints", { args: [], options: { file: "-" } }, io)).rejects.toThrow(words);
});

test.each([
  ["clusters", { direction: "inbound" }],
  ["clusters", { fqdn: "WEB.shop" }],
  ["clusters", { port: "80", subset: "v1" }],
  ["listeners", { port: "15006" }],
  ["listeners", { type: "http+tcp" }],
  ["routes", { name: "80" }],
  ["endpoints", { status: "unhealthy" }],
  ["endpoints", { address: "10.245.0.3" }],
])("proxy-config %s with %o shows some rows of all", async (name, options) => {
  answers = { "/config_dump": dump, "/clusters?format=json": hosts };
  const shown = async (more: object): Promise<readonly string[]> => {
    const io = fakeIo({ cluster: cluster([pod("web", "shop")]) });
    const { rows } = await runView(name, { args: ["web.shop"], options: { ...more } }, io);
    return rows.map((row) => row.join(" "));
  };
  const [some, all] = [await shown(options), await shown({})];
  expect(some.length).toBeGreaterThan(0);
  expect(some.length).toBeLessThan(all.length);
  expect(all).toEqual(expect.arrayContaining([...some]));
});

test("proxy-config: brief tables, counts, chains, everything at once", async () => {
  expectGolden(
    join(folder, "proxy-config-forms.txt"),
    [
      await offline("listeners", { verbose: "false" }),
      await offline("routes", { verbose: "false" }),
      await offline("clusters", { summary: true }),
      await offline("secret", { chain: true }),
    ].join("\n"),
  );
  const all = fakeIo({ now: () => new Date("2026-11-21T12:00:00Z") });
  await runAll({ args: [], options: { file: dumpFile, withHeaders: true } }, all);
  expect(all.stdout().match(/^------ [A-Z]+ INFO ------$/gm)).toHaveLength(7);
  expectGolden(join(folder, "proxy-config-all.txt"), all.stdout());
  // each row as the view alone has it, behind what it is of
  const words = (line: string): string => line.replaceAll(/ +/g, " ").trim();
  const lines = all.stdout().split("\n").map(words);
  for (const name of ["clusters", "listeners", "routes", "secret", "ecds"])
    for (const row of (await offline(name, {})).trim().split("\n").slice(1).map(words))
      expect(
        lines.some((line) => line.endsWith(row) && /^[a-z]+\//.test(line)),
        row,
      ).toBe(true);
  const data = fakeIo();
  await runAll({ args: [], options: { file: dumpFile, output: "json" } }, data);
  expect(JSON.parse(data.stdout())).toEqual(dump);
});

test("a dump that lacks what every proxy has is said to, where an empty table would say that there is nothing", async () => {
  const bare = { args: [], options: { file: "-" } };
  const stdin = JSON.stringify({ configs: [{ "@type": "type.googleapis.com/envoy.admin.v3.SecretsConfigDump" }] });
  for (const [view, section] of [
    ["bootstrap", "BootstrapConfigDump"],
    ["clusters", "ClustersConfigDump"],
    ["listeners", "ListenersConfigDump"],
  ] as const) {
    const io = fakeIo({ stdin });
    await expect(runView(view, bare, io)).rejects.toThrow(`stdin holds no ${section}`);
    expect(io.stdout()).toBe("");
  }
});

test("proxy-config log: shows levels, changes them in order, and refuses what is no level before it asks anybody", async () => {
  const asked: string[] = [];
  const envoy = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    response.end("active loggers:\n  admin: warning\n  http: debug\n");
  });
  await new Promise<void>((resolve) => envoy.listen(0, "127.0.0.1", resolve));
  const { port } = envoy.address() as AddressInfo;
  const shop = fakeCluster({
    objects: [pod("web", "shop", { labels: { app: "web" } })],
    portForward: () => connect(port, "127.0.0.1"),
  });
  const io = fakeIo({ cluster: shop });
  try {
    await log({ args: ["web.shop"], options: { reset: true, level: "http:debug,info" } }, io);
    expect(asked).toEqual(
      ["level=warning", "misc=error", "http=debug", "level=info"]
        .map((q) => `POST /logging?${q}`)
        .concat("POST /logging"),
    );
    expect(io.stdout()).toBe("web.shop:\nactive loggers:\n  admin: warning\n  http: debug\n\n");
    const json = fakeIo({ cluster: shop });
    await log({ args: [], options: { selector: "app=web", namespace: "shop", output: "json" } }, json);
    expect(JSON.parse(json.stdout())).toEqual([{ name: "web.shop", loggers: { admin: "warning", http: "debug" } }]);
    asked.length = 0;
    await expect(log({ args: ["web.shop"], options: { level: "http:loud" } }, io)).rejects.toThrow(
      '"http:loud" is no level',
    );
    await expect(log({ args: [], options: {} }, io)).rejects.toThrow("one of both");
    expect(asked).toEqual([]);
  } finally {
    envoy.close();
  }
});

test("proxy-config rootca-compare: 0 for the same roots, 1 for others", async () => {
  answers = { "/config_dump": dump };
  const pods = cluster([pod("web", "shop"), pod("db", "shop")]);
  const same = fakeIo({ cluster: pods });
  expect((await compareRoots({ args: ["web.shop", "db.shop"], options: {} }, same)).exitCode).toBe(0);
  expect(same.stdout()).toBe("web.shop and db.shop trust the same roots\n");
  const none = fakeIo({ cluster: cluster([pod("web", "shop"), pod("db", "shop")]) });
  answers = { "/config_dump": { configs: [] } };
  expect((await compareRoots({ args: ["web.shop", "db.shop"], options: {} }, none)).exitCode).toBe(1);
  expect(none.stdout()).toBe("web.shop holds no roots (ROOTCA)\n");
  await expect(compareRoots({ args: ["web.shop"], options: {} }, same)).rejects.toThrow("expected two pods, got 1");
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
  await expect(view("svc/web.shop")).rejects.toThrow("there is no Service shop/web");
  await expect(view("job/web.shop")).rejects.toThrow("names no pod");
  await expect(runView("routes", { args: [], options: {} }, fakeIo())).rejects.toThrow("name a pod, or a dump");
});
