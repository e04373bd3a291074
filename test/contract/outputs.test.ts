import { existsSync, readdirSync, readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { ClusterError } from "../../src/base/errors.ts";
import { parse } from "../../src/cli-parse.ts";
import { commandTable } from "../../src/cli-table.ts";
import { views } from "../../src/commands/proxy-config/index.ts";
import type { View } from "../../src/commands/proxy-config/view.ts";
import { proxyStatus } from "../../src/commands/proxy-status.ts";
import { renderAddon } from "../../src/install/addons.ts";
import type { KubeObject } from "../../src/resources/object.ts";
import { parseYaml, toYaml } from "../../src/resources/yaml-plain.ts";
import { fakeCluster } from "../support/fake-cluster.ts";
import { fakeIo } from "../support/fake-io.ts";
import { startFakeRegistry } from "../support/images/fake-registry.ts";
import { makeImage } from "../support/images/make-image.ts";
import { settle, settlingCluster } from "../support/settling-cluster.ts";
import { jaegerTraces, SHOP_TRACE } from "../support/jaeger-answers.ts";
import { dataOf, expectNoStaleTables, expectValid, schemaOf, SCHEMAS } from "../support/outputs.ts";
import { answering } from "../support/pod-answers.ts";

/** What programs read holds to its schema in schemas/output (design D15). */
const root = join(import.meta.dirname, "../..");

test("every command that prints data has a schema, and every schema a command", () => {
  const names = commandTable
    .filter((spec) => spec.hidden !== true && spec.options.some(({ flags }) => /--output (?!<folder>)/.test(flags)))
    .map(({ name }) => name.replaceAll(" ", "-"));
  for (const name of names) expect(existsSync(join(SCHEMAS, `${name}.schema.json`)), name).toBe(true);
  const extra = ["common", "explain-list", "explain-code"];
  const files = readdirSync(SCHEMAS).map((file) => file.replace(".schema.json", ""));
  expect(files.toSorted()).toEqual([...names, ...extra].toSorted());
});

const BROKEN = `apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: web, namespace: shop }
spec:
  hosts: [web]
  http:
    - route: [{ destination: { host: nowhere, subset: v1 } }]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: other, namespace: shop }
spec: { hosts: [web], httpp: [], http: [{ route: [{ destination: { host: web } }] }] }
`;

test.each(["analyze --offline -", "validate -f -"])("%s", async (line) => {
  const data = await dataOf(line, { stdin: BROKEN });
  expect((data as readonly unknown[]).length).toBeGreaterThan(0);
  expectValid(line.split(" ")[0] ?? "", data);
});

test.each(["list", "show production", "dump demo"])("profile %s", async (line) => {
  expectValid(`profile-${line.split(" ")[0] ?? ""}`, await dataOf(`profile ${line}`));
});

test.each(["reference", "reference proxy-config"])("%s", async (line) => {
  expectValid("reference", await dataOf(line));
});

const node: KubeObject = {
  apiVersion: "v1",
  kind: "Node",
  metadata: { name: "n" },
  status: { conditions: [{ type: "Ready", status: "True" }] },
};
const istiod: KubeObject = {
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: "istiod-1", namespace: "istio-system", labels: { app: "istiod", "istio.io/rev": "default" } },
  spec: { containers: [{ name: "discovery", image: "x/meshd:1.2.3" }] },
  status: { phase: "Running" },
};

const refuse = (): never => {
  throw new ClusterError("refused", "nothing listens there");
};

test("precheck, with checks of every sort", async () => {
  const data = await dataOf("precheck", { cluster: fakeCluster({ objects: [node], forbidden: ["roles"] }) });
  expect(new Set((data as { checks: { status: string }[] }).checks.map(({ status }) => status))).toEqual(
    new Set(["ok", "error", "skipped"]),
  );
  expectValid("precheck", data);
});

test("check, with checks of every sort", async () => {
  const objects = [node, istiod, { ...istiod, apiVersion: "apps/v1", kind: "Deployment" }];
  const data = await dataOf("check --no-external", { cluster: fakeCluster({ objects, portForward: refuse }) });
  expect(new Set((data as { checks: { status: string }[] }).checks.map(({ status }) => status))).toEqual(
    new Set(["ok", "error", "warning", "skipped"]),
  );
  expectValid("check", data);
});

test("version, with and without a cluster", async () => {
  expectValid("version", await dataOf("version --no-remote"));
  const syncz = [{ proxy: "web.shop", istio_version: "1.2.3", proxy_type: "sidecar", types: {} }];
  await using pods = await answering({ "/version": "1.2.3", "/debug/syncz": syncz });
  const cluster = fakeCluster({ objects: [istiod], portForward: pods.connect });
  const data = await dataOf("version", { env: { KUBECONFIG: "/x" }, cluster });
  expect(data).toMatchObject({ meshVersion: [{}], dataPlaneVersion: [{ ID: "web.shop" }] });
  expectValid("version", data);
});

test("proxy-status", async () => {
  const types = {
    cluster: { status: "SYNCED", ackedAt: "2026-01-01T00:00:00.000Z" },
    listener: { status: "NACK", lastError: "no" },
  };
  const entry = {
    proxy: "web.shop",
    proxy_type: "sidecar",
    cluster_id: "Kubernetes",
    istio_version: "1",
    control_plane: "istiod-1",
    types,
  };
  await using pods = await answering({ "/debug/syncz": [entry] });
  const lost: KubeObject = {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "lost", namespace: "shop", annotations: { "sidecar.istio.io/status": "{}" } },
    status: { phase: "Running" },
  };
  const cluster = fakeCluster({ objects: [istiod, lost], portForward: pods.connect });
  for (const output of ["json", "yaml"] as const) {
    const io = fakeIo({ cluster });
    await proxyStatus({ istioNamespace: "istio-system", output, wait: false, timeoutMs: 1 }, io);
    const data: unknown = output === "json" ? JSON.parse(io.stdout()) : parseYaml(io.stdout());
    expect(data).toHaveLength(2);
    expectValid("proxy-status", data);
  }
});

test.each(["tag list", "revision list", "orphans"])("%s", async (line) => {
  const labels = { app: "istiod", "istio.io/rev": "canary", "app.kubernetes.io/managed-by": "meshctl" };
  const managed = { ...labels, "operator.istio.io/managed": "Reconcile" };
  const at = { namespace: "istio-system" };
  const left = { apiVersion: "v1", kind: "Service", metadata: { ...at, name: "istiod-gone", labels: managed } };
  const tag = { ...managed, "istio.io/tag": "prod", "istio.io/rev": "gone" };
  const control = { apiVersion: "apps/v1", kind: "Deployment", metadata: { ...at, name: "istiod-canary", labels } };
  const objects: KubeObject[] = [
    { ...control, spec: {} },
    { ...left, metadata: { ...left.metadata, labels: { ...managed, "istio.io/rev": "gone" } } },
    { ...left, metadata: { ...left.metadata, name: "istiod-revision-tag-prod", labels: tag } },
    { apiVersion: "v1", kind: "Namespace", metadata: { name: "shop", labels: { "istio.io/rev": "canary" } } },
  ];
  const data = await dataOf(line, { cluster: fakeCluster({ objects }) });
  expect(data).not.toEqual([]);
  expectValid(line.replaceAll(" ", "-"), data);
});

test("proxy-config all", async () => {
  const file = join(root, "test/commands/testdata/config-dump.json");
  expectValid("proxy-config-all", await dataOf(`proxy-config all --file ${file}`));
});
test.each(["pod", "service"])("describe %s", async (what) => {
  const text = readFileSync(join(root, "test/scenarios/describe", `${what}.scenario`), "utf8");
  const mesh = /==== file mesh.yaml\n([\s\S]*?)==== command\ndescribe \w+ (\S+)/.exec(text);
  const data = await dataOf(`describe ${what} ${mesh?.[2]} -f -`, { stdin: mesh?.[1] ?? "" });
  expectValid(`describe-${what}`, data);
  expect(JSON.stringify(data)).toContain("VirtualService shop/reviews-too");
});
test("envoy-stats", async () => {
  const pod = { apiVersion: "v1", kind: "Pod", metadata: { name: "web", namespace: "shop" } };
  await using answers = await answering({ "/stats?format=json&usedonly": { stats: [{ name: "rq", value: 2 }] } });
  const cluster = fakeCluster({ objects: [pod], portForward: answers.connect });
  expectValid("envoy-stats", await dataOf("envoy-stats web.shop", { cluster }));
});
test("proxy-config log", async () => {
  const pod = { apiVersion: "v1", kind: "Pod", metadata: { name: "web", namespace: "shop" } };
  await using answers = await answering({ "/logging": "active loggers:\n  admin: warning\n" });
  const cluster = fakeCluster({ objects: [pod], portForward: answers.connect });
  const data = await dataOf("proxy-config log web.shop", { cluster });
  expectValid("proxy-config-log", data);
  expect(data).toEqual([{ name: "web.shop", loggers: { admin: "warning" } }]);
});
test.each(Object.keys(views))("proxy-config %s", (view) => {
  const testdata = join(root, "test/commands/testdata");
  const file = view === "endpoints" ? "clusters.json" : "config-dump.json";
  const { items, data: dataOfItems } = views[view] as View;
  const found = items(JSON.parse(readFileSync(join(testdata, file), "utf8")));
  const data = dataOfItems?.(found) ?? found;
  expectValid(`proxy-config-${view}`, data);
  expect(parseYaml(toYaml(data))).toEqual(data);
});

test.each(["explain VirtualService", "explain gtw.status", "explain MeshConfig.extensionProviders"])(
  "%s",
  async (line) => {
    expectValid("explain", await dataOf(line));
  },
);

const MESH = `apiVersion: v1
kind: Pod
metadata: { name: web, namespace: shop, labels: { app: web } }
spec: { containers: [{ name: app, image: x, ports: [{ containerPort: 8080 }] }] }
---
apiVersion: v1
kind: Service
metadata: { name: web, namespace: shop }
spec: { selector: { app: web }, ports: [{ name: http, port: 80, targetPort: 8080 }] }
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: web, namespace: shop }
spec: { hosts: [web], http: [{ match: [{ uri: { exact: / } }], route: [{ destination: { host: web } }] }] }
`;

test.each(["ir", "xds"])("translate --to %s", async (form) => {
  expectValid("translate", await dataOf(`translate -f - --to ${form}`, { stdin: MESH }));
});

test.each([
  ["http://web/", "delivered"],
  ["http://web/other", "failed"],
  ["http://elsewhere.example/", "left"],
])("trace-route %s", async (url, kind) => {
  const data = await dataOf(`trace-route -f - --from web.shop ${url}`, { stdin: MESH });
  expect(data).toMatchObject({ ends: { kind } });
  expectValid("trace-route", data);
});

test("authz check", async () => {
  const data = await dataOf("authz check web.shop -f - --port 8080 --path /x", { stdin: MESH });
  expect(data).toMatchObject({ decision: "allow", reasons: [] });
  expectValid("authz-check", data);
});

const RULES = `---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: some, namespace: shop }
spec: { rules: [{ from: [{ source: { namespaces: [bank] } }], to: [{ operation: { methods: [GET] } }] }] }
---
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: { name: strict, namespace: shop }
spec: { mtls: { mode: STRICT } }
`;

test.each([
  ["authz-check", "authz check web.shop -f -"],
  ["authz-check", "authz check web.shop -f - --from web.shop --port 8080"],
  ["authz-explain", "authz explain web.shop -f - --from web.shop --port 8080"],
  ["authz-affected", "authz affected some.shop -f -"],
  ["auth-can", "auth can web.shop -f - --port 8080"],
  ["mtls-report", "mtls report -f -"],
])("%s: %s", async (name, line) => {
  expectValid(name, await dataOf(line, { stdin: MESH + RULES }));
});

test("explain of codes, and of everything", async () => {
  expectValid("explain-code", await dataOf("explain IST0101"));
  expectValid("explain-list", await dataOf("explain"));
});

test("a schema refuses what is not its command's", () => {
  const validate = schemaOf("precheck");
  expect(validate({ checks: [{ name: "a", category: "b", affirmation: "c", status: "fine" }] })).toBe(false);
  expect(validate({ checks: [], more: 1 })).toBe(false);
});

test("addons list, with addons in every state", async () => {
  const cluster = settlingCluster();
  cluster.set({ apiVersion: "v1", kind: "Namespace", metadata: { name: "istio-system" } });
  for (const name of ["kiali", "prometheus"] as const)
    for (const object of renderAddon(name, { namespace: "istio-system" }, { managed: false }))
      cluster.set(name === "kiali" ? object : settle(object));
  const data = await dataOf("addons list", { cluster });
  expect((data as readonly { state: string }[]).map(({ state }) => state)).toEqual([
    "not installed",
    "not installed",
    "not ready",
    "not installed",
    "ready",
  ]);
  expectValid("addons-list", data);
});

test("trace, and a line of logs", async () => {
  await using jaeger = await answering({ "/api/traces/abc1": jaegerTraces({ abc1: SHOP_TRACE }), "/config_dump": {} });
  const pod = (name: string, labels: Record<string, string>): KubeObject => ({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, namespace: "shop", labels },
    status: { phase: "Running" },
  });
  const line =
    '[2026-11-21T06:59:30.000Z] "GET / HTTP/1.1" 503 UF a b "c" 0 5 20 19 "d" "e" "f" "g" "10.0.0.1:1" outbound|80||h j k l m n';
  const cluster = fakeCluster({
    objects: [pod("jaeger-1", { app: "jaeger" }), pod("web-1", {})],
    portForward: jaeger.connect,
    logs: () => [`${line}\n`],
  });
  expectValid("trace", await dataOf("trace abc1", { cluster }));
  const io = fakeIo({ cluster });
  const parsed = parse(["logs", "web-1.shop", "-o", "json"]);
  if (parsed.type !== "run") throw new Error("logs is not run");
  await (await parsed.spec.load())(parsed.input, io);
  const entry = JSON.parse(io.stdout()) as object;
  expect(Object.keys(entry).length).toBeGreaterThan(20);
  expectValid("logs", entry);
});

test("images", async () => {
  const dir = await mkdtemp(join(tmpdir(), "meshctl-images-"));
  const registry = await startFakeRegistry();
  try {
    const archive = await makeImage(dir, { name: "docker.io/meshctl/meshd:1", content: "meshd" });
    await writeFile(join(dir, "ctr"), "#!/bin/sh\n", { mode: 0o755 });
    const options = { cwd: dir, env: { PATH: `${dir}:/usr/bin:/bin` } };
    const node = { apiVersion: "v1", kind: "Node", metadata: { name: "n1" }, status: { images: [{ names: ["a:1"] }] } };
    const cluster = fakeCluster({ objects: [node] });
    expectValid("images-list", await dataOf("images list --nodes", { ...options, cluster }));
    expectValid("images-list", await dataOf(`images list --from ${archive}`, options));
    expectValid("images-verify", await dataOf(`images verify ${archive}`, options));
    const bare = await makeImage(dir, { name: "x.example/bare:1", content: "x", hasSbom: false, hasLabels: false });
    expectValid("images-verify", await dataOf(`images verify ${bare}`, options));
    expectValid("images-bundle", await dataOf(`images bundle ${archive} --out b.tar`, options));
    expectValid("images-load", await dataOf(`images load ${archive}`, options));
    // what is sent the first time is there the second time
    await dataOf(`images push ${registry.host}/mesh ${bare} --plain-http`, options).catch(() => undefined);
    expectValid("images-push", await dataOf(`images push ${registry.host}/mesh ${bare} --plain-http`, options));
  } finally {
    registry.stop();
    await rm(dir, { recursive: true, force: true });
  }
});

test("every golden of a table belongs to a case", () => {
  expectNoStaleTables();
});
