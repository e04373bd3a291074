import { once } from "node:events";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { expect, test } from "vitest";
import { ClusterError } from "../../src/base/errors.ts";
import { commandTable } from "../../src/cli-table.ts";
import { TARGETS } from "../../src/commands/dashboard/targets.ts";
import { runDashboard } from "../../src/commands/dashboard.ts";
import { run as envoyStats } from "../../src/commands/envoy-stats.ts";
import { run as internalDebug } from "../../src/commands/internal-debug.ts";
import type { KubeObject } from "../../src/resources/object.ts";
import { fakeCluster } from "../support/fake-cluster.ts";
import { fakeIo } from "../support/fake-io.ts";
import { answering } from "../support/pod-answers.ts";
import { waitFor } from "../support/wait.ts";

const pod = (name: string, namespace: string, labels: Record<string, string> = {}): KubeObject => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name, namespace, labels },
  status: { phase: "Running" },
});
const objects = [
  pod("web", "shop"),
  pod("istiod-1", "istio-system", { app: "istiod" }),
  pod("istiod-2", "istio-system", { app: "istiod" }),
];
const STATS = { stats: [{ name: "server.uptime", value: 7 }, { name: "rq", value: 2 }, { histograms: {} }] };
const HOST = {
  address: { socket_address: { address: "10.0.0.1", port_value: 80 } },
  stats: [{ name: "rq_total", value: "3" }, { name: "rq_error" }],
};
const ANSWERS = {
  "/stats?format=json&usedonly": STATS,
  "/clusters?format=json": { cluster_statuses: [{ name: "outbound|80||web", host_statuses: [HOST] }] },
  "/stats/prometheus": "istio_requests_total 1\n",
  "/debug/syncz": "[]\n",
  "/debug/list": '["syncz"]\n',
};

test("envoy-stats: of a proxy, of its clusters by endpoint, and as Prometheus reads them", async () => {
  await using answers = await answering(ANSWERS);
  const shown = async (options: Record<string, string>): Promise<string> => {
    const io = fakeIo({ cluster: fakeCluster({ objects, portForward: answers.connect }) });
    await envoyStats({ args: ["web.shop"], options }, io);
    return io.stdout();
  };
  expect(await shown({})).toBe("STAT            VALUE\nserver.uptime   7\nrq              2\n");
  expect(await shown({ type: "clusters" })).toBe(
    "CLUSTER            ENDPOINT      STAT       VALUE\noutbound|80||web   10.0.0.1:80   rq_total   3\noutbound|80||web   10.0.0.1:80   rq_error   0\n",
  );
  expect(JSON.parse(await shown({ output: "json" }))).toEqual(STATS);
  expect(await shown({ output: "prom" })).toBe("istio_requests_total 1\n");
  await expect(shown({ output: "prom", type: "clusters" })).rejects.toThrow("has no Prometheus form");
});

test("internal-debug: the first control plane pod, all under their names, and what one that does not answer costs", async () => {
  await using answers = await answering(ANSWERS);
  const cluster = fakeCluster({ objects, portForward: answers.connect });
  const one = fakeIo({ cluster });
  await internalDebug({ args: ["debug/syncz"], options: {} }, one);
  expect(one.stdout()).toBe("[]\n");
  const listed = fakeIo({ cluster });
  await internalDebug({ args: [], options: { list: true } }, listed);
  expect(listed.stdout()).toBe('["syncz"]\n');
  const all = fakeIo({ cluster });
  expect((await internalDebug({ args: ["syncz"], options: { all: true } }, all)).exitCode).toBe(0);
  expect(all.stdout()).toBe("istiod-1:\n[]\nistiod-2:\n[]\n");
  const none = fakeIo({ cluster });
  expect((await internalDebug({ args: ["nothing"], options: { all: true } }, none)).exitCode).toBe(1);
  expect(none.stderr()).toMatch(/Not asked: istiod-1: .*404/);
  await expect(internalDebug({ args: ["nothing"], options: {} }, none)).rejects.toThrow("404");
  await expect(internalDebug({ args: [], options: {} }, none)).rejects.toThrow("name what to ask for");
});

test("every page that the command table names is somewhere, and the other way round", () => {
  const named = commandTable.flatMap(({ name }) => /^dashboard (.+)/.exec(name)?.[1] ?? []);
  expect(named).toEqual(Object.keys(TARGETS));
});

test("dashboard: a port of this machine leads to the pod until the signal; ports in use and absent pods are told", async () => {
  await using answers = await answering({ "/debug/list": "it is here" });
  const cluster = fakeCluster({ objects, portForward: answers.connect });
  const stop = new AbortController();
  const io = { ...fakeIo({ cluster }), signal: stop.signal };
  const running = runDashboard("istiod-debug", { args: [], options: { browser: "false" } }, io);
  await waitFor(() => io.stdout() !== "", { what: "the address to be told" });
  const url = io.stdout().trim();
  expect(url).toMatch(/^http:\/\/localhost:\d+\/debug\/list$/);
  expect(await (await fetch(url)).text()).toBe("it is here");
  stop.abort();
  expect((await running).exitCode).toBe(0);
  await expect(fetch(url)).rejects.toThrow();

  const busy = createServer().listen(0, "localhost");
  await once(busy, "listening");
  const port = String((busy.address() as AddressInfo).port);
  await expect(runDashboard("istiod-debug", { args: [], options: { port } }, io)).rejects.toThrow("cannot listen at");
  busy.close();
  await expect(runDashboard("kiali", { args: [], options: {} }, io)).rejects.toThrow("has the labels app=kiali");
  await expect(runDashboard("proxy", { args: [], options: {} }, io)).rejects.toThrow("name a pod");
});

test("dashboard: a pod that another one replaces while it is open is followed, and an address of IPv6 is a link", async () => {
  await using answers = await answering({ "/debug/list": "it is here" });
  const gone = new Set<string>();
  const asked: string[] = [];
  const cluster = fakeCluster({
    objects,
    portForward: ({ pod }) => {
      asked.push(pod);
      if (gone.has(pod)) throw new ClusterError("not-found", `there is no pod ${pod}`);
      return answers.connect();
    },
  });
  const stop = new AbortController();
  const io = { ...fakeIo({ cluster }), signal: stop.signal };
  const running = runDashboard("istiod-debug", { args: [], options: { browser: "false", address: "::1" } }, io);
  await waitFor(() => io.stdout() !== "", { what: "the address to be told" });
  const url = io.stdout().trim();
  expect(url).toMatch(/^http:\/\/\[::1\]:\d+\/debug\/list$/);
  expect(await (await fetch(url)).text()).toBe("it is here");
  const [first] = asked;
  const old = objects.find(({ metadata }) => metadata.name === first);
  if (old === undefined) throw new Error("no pod was asked");
  gone.add(old.metadata.name);
  await cluster.delete({
    apiVersion: "v1",
    kind: "Pod",
    namespace: old.metadata.namespace ?? "",
    name: old.metadata.name,
  });
  expect(await (await fetch(url, { headers: { connection: "close" } })).text()).toBe("it is here");
  expect(asked.at(-1)).not.toBe(first);
  stop.abort();
  await running;
});
