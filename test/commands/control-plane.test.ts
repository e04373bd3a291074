import { join } from "node:path";
import { expect, test } from "vitest";
import { parse } from "../../src/cli-parse.ts";
import type { Cluster } from "../../src/resources/cluster.ts";
import type { KubeObject } from "../../src/resources/object.ts";
import { fakeCluster } from "../support/fake-cluster.ts";
import { fakeIo } from "../support/fake-io.ts";
import { expectGolden } from "../support/golden.ts";
import { answering } from "../support/pod-answers.ts";

const folder = join(import.meta.dirname, "testdata");
const pod = (name: string, namespace: string, metadata: object = {}): KubeObject => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name, namespace, ...metadata },
  status: { phase: "Running" },
});
const istiod = (name: string): KubeObject =>
  pod(name, "istio-system", { labels: { app: "istiod", "istio.io/rev": "default" } });
const rule: KubeObject = {
  apiVersion: "networking.istio.io/v1",
  kind: "VirtualService",
  metadata: { name: "reviews.v1", namespace: "shop", generation: 3 },
};

/** Runs a command line in a cluster whose pods answer so. */
async function ran(
  line: string,
  answers: Readonly<Record<string, unknown>>,
  objects: readonly KubeObject[] = [istiod("istiod-1"), rule],
): Promise<{ exitCode: number; out: string; err: string }> {
  await using pods = await answering(answers);
  return await ranIn(fakeCluster({ objects, portForward: pods.connect }), line);
}

async function ranIn(cluster: Cluster, line: string): Promise<{ exitCode: number; out: string; err: string }> {
  const io = fakeIo({ cluster });
  const parsed = parse(line.split(" "));
  if (parsed.type !== "run") throw new Error(`${line} is not run`);
  const { exitCode } = await (await parsed.spec.load())(parsed.input, io);
  return { exitCode, out: io.stdout(), err: io.stderr() };
}

const QUESTION =
  "/debug/config_distribution?apiVersion=networking.istio.io%2Fv1&kind=VirtualService&namespace=shop&name=reviews.v1";
const live = { control_plane: "istiod-1", generation: 3, present: true, proxies: 2, behind: 0, reasons: [] };
const behind = {
  ...live,
  behind: 2,
  reasons: [
    { proxy: "web.shop", type: "route", resource: "8000", error: "Only unique names\n are permitted" },
    { proxy: "api.shop", type: "listener", resource: "virtualInbound" },
  ],
};

test("wait: live everywhere is 0; the kind by any name, the object with its namespace or with -n", async () => {
  const answers = { [QUESTION]: live, "/debug/syncz": [] };
  for (const line of ["wait virtualservice reviews.v1.shop", "x wait vs/reviews.v1.shop --for=distribution"])
    expect(await ran(line, answers)).toEqual({
      exitCode: 0,
      out: "VirtualService shop/reviews.v1 generation 3 is live in 2 of 2 proxies\n",
      err: "",
    });
});

test("wait: 1 with who is behind and why: refused, not confirmed, served by nobody", async () => {
  const late = await ran("wait vs reviews.v1.shop --timeout 1ms", { [QUESTION]: behind, "/debug/syncz": [] });
  expect(late.exitCode).toBe(1);
  expectGolden(join(folder, "wait-behind.txt"), `${late.out}${late.err}`);
  const lost = pod("lost", "shop", { annotations: { "sidecar.istio.io/status": "{}" } });
  const answers = { [QUESTION]: live, "/debug/syncz": [] };
  const absent = await ran("wait vs reviews.v1.shop --timeout 1ms -o json", answers, [istiod("istiod-1"), rule, lost]);
  expect(absent.exitCode).toBe(1);
  expect(JSON.parse(absent.out)).toMatchObject({ live: 2, proxies: 3, behind: [{ proxy: "lost.shop" }] });
});

test.each([
  ["one that knows an earlier generation", { ...live, generation: 2 }, "has generation 2"],
  ["one that does not have it", { ...live, generation: undefined, present: false }, "does not have it"],
])("wait: of the control plane's pods %s holds it up", async (_, answer, reason) => {
  const { exitCode, out } = await ran("wait vs reviews.v1.shop --timeout 1ms", {
    [QUESTION]: answer,
    "/debug/syncz": [],
  });
  expect(exitCode).toBe(1);
  expect(out).toContain(reason);
});

test("wait: a share is enough, a later generation too, and delete wants the opposite", async () => {
  const half = { ...behind, behind: 1 };
  const answers = { [QUESTION]: half, "/debug/syncz": [] };
  expect((await ran("wait vs reviews.v1.shop --threshold 0.5", answers)).exitCode).toBe(0);
  expect((await ran("wait vs reviews.v1.shop --threshold 0.6 --timeout 1ms", answers)).exitCode).toBe(1);
  expect((await ran("wait vs reviews.v1.shop --threshold 0.5 --generation 2", answers)).exitCode).toBe(0);
  const gone = { ...live, generation: undefined, present: false };
  const deleted = await ran("wait --for=delete vs reviews.v1.shop", { [QUESTION]: gone, "/debug/syncz": [] });
  expect(deleted).toMatchObject({ exitCode: 0, out: "VirtualService shop/reviews.v1 is gone from 2 of 2 proxies\n" });
  const there = await ran("wait --for=delete vs reviews.v1.shop --timeout 1ms", { [QUESTION]: live });
  expect(there).toMatchObject({ exitCode: 1, out: expect.stringContaining("still has VirtualService") as string });
});

test.each([
  ["wait vs nobody.shop", "there is no VirtualService shop/nobody"],
  ["wait vs", "expected a kind and a name"],
  ["wait thing reviews", "nothing is called thing"],
  ["wait vs reviews.v1.shop --threshold 2", "expected a share above 0 and up to 1"],
  ["wait vs reviews.v1.shop --generation x", "expected a whole number above 0"],
])("%s is refused", async (line, words) => {
  await expect(ran(line, {})).rejects.toThrow(words);
});

const scope = (scope_name: string, log_level: string): object => ({
  scope_name,
  log_level,
  stack_trace_level: "none",
  description: `What ${scope_name} does`,
});

test("admin log: a table of one pod, one under each name of several; changes go to all of them by POST", async () => {
  const answers = {
    "/debug/scopez": [scope("ads", "info"), scope("ca", "warn")],
    "/debug/scopez?level=ads%3Adebug&reset=": [scope("ads", "debug")],
  };
  const one = await ran("admin log", answers);
  expectGolden(join(folder, "admin-log.txt"), one.out);
  const two = await ran("istiod log --level ads:debug --reset", answers, [istiod("istiod-1"), istiod("istiod-2")]);
  expect(two.out.match(/^istiod-[12]:\nACTIVE SCOPE.*\nads .*debug +none$/gm)).toHaveLength(2);
  const data = await ran("admin log -o json", answers);
  expect(JSON.parse(data.out)).toEqual([
    { ...scope("ads", "info"), istiod: "istiod-1" },
    { ...scope("ca", "warn"), istiod: "istiod-1" },
  ]);
});

test("remote-clusters: 1 when a pod of the control plane has not everything yet", async () => {
  const own = { id: "Kubernetes", secretName: "", syncStatus: "synced", kind: "kubernetes" };
  const consul = { id: "consul http://c", secretName: "", syncStatus: "syncing", kind: "registry" };
  expect((await ran("remote-clusters", { "/debug/clusterz": [own] })).exitCode).toBe(0);
  const late = await ran("x remote-clusters", { "/debug/clusterz": [own, consul] });
  expect(late).toEqual({
    exitCode: 1,
    out:
      "NAME              SECRET   STATUS    ISTIOD     REVISION\n" +
      "Kubernetes                 synced    istiod-1   default\n" +
      "consul http://c            syncing   istiod-1   default\n",
    err: "",
  });
});

test("remote-clusters: a cluster whose API server does not answer is away, whatever was known of it", async () => {
  const east = { id: "east", secretName: "istio-system/east", syncStatus: "synced", kind: "kubernetes" };
  expect((await ran("remote-clusters", { "/debug/clusterz": [{ ...east, reachable: true }] })).exitCode).toBe(0);
  const away = await ran("remote-clusters", { "/debug/clusterz": [{ ...east, reachable: false, error: "refused" }] });
  expect(away.exitCode).toBe(1);
  expect(away.out).toMatch(/^east +istio-system\/east +away /m);
});

const hook = (name: string, revision: string): KubeObject => ({
  apiVersion: "admissionregistration.k8s.io/v1",
  kind: "MutatingWebhookConfiguration",
  metadata: { name, labels: { "istio.io/rev": revision } },
  webhooks: [
    {
      name: "namespace.sidecar-injector.istio.io",
      namespaceSelector: { matchLabels: { "istio-injection": "enabled" } },
      objectSelector: { matchExpressions: [{ key: "sidecar.istio.io/inject", operator: "NotIn", values: ["false"] }] },
    },
  ],
});
const namespace = (labels: object): KubeObject => ({
  apiVersion: "v1",
  kind: "Namespace",
  metadata: { name: "shop", labels: labels as Record<string, string> },
});

test("check-inject: which webhooks are called, what the injector then does, and none or two are errors", async () => {
  const web = { ...pod("web", "shop", { labels: { app: "web" } }), spec: { containers: [{ name: "app" }] } };
  const enabled = namespace({ "istio-injection": "enabled" });
  const one = await ran("check-inject web.shop", {}, [hook("injector", "default"), enabled, web]);
  expect(one.exitCode).toBe(0);
  expectGolden(join(folder, "check-inject.txt"), one.out);
  const two = await ran("x check-inject web.shop", {}, [
    hook("injector", "default"),
    hook("other", "canary"),
    enabled,
    web,
  ]);
  expect(two).toMatchObject({ exitCode: 1, err: "ERROR: multiple webhooks will inject, which can lead to errors\n" });
  const none = await ran("check-inject web.shop", {}, [enabled, web]);
  expect(none).toMatchObject({ exitCode: 1, err: "ERROR: no Istio injection hooks present.\n" });
  const never = await ran("check-inject -n shop -l sidecar.istio.io/inject=false", {}, [
    hook("injector", "default"),
    enabled,
  ]);
  expect(never.exitCode).toBe(1);
  expect(never.out).toMatch(/injector +default +✘ +takes namespace label istio-injection=enabled\n✘ not injected: /);
  await expect(ran("check-inject", {})).rejects.toThrow("name one pod, or its labels");
});

const stats = (requests: number): string =>
  [
    `envoy_server_uptime{} 10`,
    ...[
      ["200", requests],
      ["503", requests / 4],
    ].map(
      ([code, count]) =>
        `istio_requests_total{reporter="destination",destination_workload="web",destination_workload_namespace="shop",response_code="${code}"} ${count}`,
    ),
    ...["10", "+Inf"].map(
      (le) =>
        `istio_request_duration_milliseconds_bucket{reporter="destination",destination_workload="web",destination_workload_namespace="shop",response_code="200",le="${le}"} ${requests}`,
    ),
  ].join("\n");

test("metrics: counted by the proxies where there is no Prometheus, else as Prometheus has it", async () => {
  const proxy = pod("web-1", "shop", { annotations: { "sidecar.istio.io/status": "{}" } });
  const recorded = {
    ...fakeCluster({ objects: [proxy] }),
    podHttp: (_: unknown, { path }: { readonly path: string }) =>
      Promise.resolve({ status: path.startsWith("/stats/prometheus") ? 200 : 404, body: stats(40) }),
  };
  const own = await ranIn(recorded, "metrics web.shop deploy/other.shop");
  expect(own.exitCode).toBe(0);
  expectGolden(join(folder, "metrics.txt"), own.out);
  const prometheus = pod("prometheus-1", "istio-system", { labels: { "app.kubernetes.io/name": "prometheus" } });
  const of = `reporter="destination",destination_workload="web",destination_workload_namespace="shop"`;
  const vector = (value: string): object => ({ status: "success", data: { result: [{ value: [0, value] }] } });
  const query = (text: string): string => `/api/v1/query?query=${encodeURIComponent(text)}`;
  const quantile = (share: number): string =>
    query(`histogram_quantile(${share},sum(rate(istio_request_duration_milliseconds_bucket{${of}}[2m])) by (le))`);
  const answers = {
    [query(`sum(rate(istio_requests_total{${of}}[2m]))`)]: vector("12.5"),
    [query(`sum(rate(istio_requests_total{${of},response_code=~"0|[45][0-9]{2}"}[2m]))`)]: vector("0.5"),
    [quantile(0.5)]: vector("3"),
    [quantile(0.9)]: vector("7.25"),
    [quantile(0.99)]: vector("NaN"),
  };
  const told = await ran("x metrics web.shop -d 2m -o json", answers, [prometheus, proxy]);
  expect(JSON.parse(told.out)).toEqual([
    { workload: "web.shop", totalRps: 12.5, errorRps: 0.5, p50Ms: 3, p90Ms: 7.25 },
  ]);
});
