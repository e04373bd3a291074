import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { KubeObject } from "../../src/resources/object.ts";
import { fakeCluster } from "../support/fake-cluster.ts";
import { dataOf, expectNoStaleTables, expectValid } from "../support/outputs.ts";
import { answering } from "../support/pod-answers.ts";

/** What commands that ask the control plane's pods print holds to its schema in schemas/output (design D15). */
const istiod: KubeObject = {
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: "istiod-1", namespace: "istio-system", labels: { app: "istiod", "istio.io/rev": "default" } },
  status: { phase: "Running" },
};
const DUMP_FILE = join(import.meta.dirname, "../commands/testdata/config-dump.json");
const DUMPED = "web-mgdf4tdj95-fxkxd.shop";

test.each([
  ["the same", "90", true],
  ["another one", "of-before", false],
])("proxy-status of one pod, which runs %s", async (_, listener, matches) => {
  const held = readFileSync(DUMP_FILE, "utf8");
  const types = { cluster: { status: "SYNCED" }, listener: { status: "SYNCED" } };
  const syncz = [{ proxy: DUMPED, cluster_id: "c", istio_version: "1", control_plane: "istiod-1", types }];
  const wanted = JSON.parse(
    matches ? held : held.replaceAll('"stat_prefix": "', `"stat_prefix": "${listener}`),
  ) as object;
  await using pods = await answering({ "/debug/syncz": syncz, [`/debug/config_dump?proxyID=${DUMPED}`]: wanted });
  const cluster = fakeCluster({ objects: [istiod], portForward: pods.connect });
  const data = await dataOf(`proxy-status --file ${DUMP_FILE}`, { cluster });
  expect(data).toMatchObject({ matches });
  expectValid("proxy-status", data);
});

test("what the control plane's pods tell: admin log, remote-clusters, wait", async () => {
  const path =
    "/debug/config_distribution?apiVersion=networking.istio.io%2Fv1&kind=VirtualService&namespace=shop&name=web";
  const reasons = [{ proxy: "web.shop", type: "route", resource: "80", error: "no" }];
  const scope = { scope_name: "ads", log_level: "info", stack_trace_level: "none", description: "d" };
  await using pods = await answering({
    "/debug/syncz": [],
    "/debug/scopez": [scope],
    "/debug/clusterz": [{ id: "c", secretName: "", syncStatus: "synced", kind: "kubernetes" }],
    [path]: { generation: 1, present: true, proxies: 2, behind: 1, reasons },
  });
  const rule = {
    apiVersion: "networking.istio.io/v1",
    kind: "VirtualService",
    metadata: { name: "web", namespace: "shop", generation: 1 },
  };
  const cluster = fakeCluster({ objects: [istiod, rule], portForward: pods.connect });
  for (const line of ["admin log", "remote-clusters", "wait vs web.shop --timeout 1ms"]) {
    const data = await dataOf(line, { cluster });
    expect(JSON.stringify(data)).toContain("istiod-1");
    expectValid(line.startsWith("wait") ? "wait" : line.replace(" ", "-"), data);
  }
});

test("check-inject", async () => {
  const namespaceSelector = { matchLabels: { "istio-injection": "enabled" } };
  const hook = {
    apiVersion: "admissionregistration.k8s.io/v1",
    kind: "MutatingWebhookConfiguration",
    metadata: { name: "injector", labels: { "istio.io/rev": "default" } },
    webhooks: [{ name: "namespace.sidecar-injector.istio.io", namespaceSelector }],
  };
  const cluster = fakeCluster({ objects: [hook] });
  const data = await dataOf("check-inject -n shop -l app=web", { cluster });
  expect(data).toMatchObject({ webhooks: [{ webhook: "injector", injected: false }] });
  expectValid("check-inject", data);
});

test("metrics, of a workload that served something and of one that did not", async () => {
  const annotations = { "sidecar.istio.io/status": "{}" };
  const pod = { ...istiod, metadata: { name: "web-1", namespace: "shop", annotations } };
  const labels = 'reporter="destination",destination_workload="web",destination_workload_namespace="shop"';
  const body = [
    "envoy_server_uptime{} 10",
    `istio_requests_total{${labels},response_code="200"} 4`,
    `istio_request_duration_milliseconds_bucket{${labels},response_code="200",le="5"} 4`,
    `istio_request_duration_milliseconds_bucket{${labels},response_code="200",le="+Inf"} 4`,
  ].join("\n");
  const podHttp = (): Promise<{ status: number; body: string }> => Promise.resolve({ status: 200, body });
  const data = await dataOf("metrics web.shop api.shop", { cluster: { ...fakeCluster({ objects: [pod] }), podHttp } });
  expect(data).toMatchObject([{ workload: "web.shop", p50Ms: expect.any(Number) as number }, { workload: "api.shop" }]);
  expectValid("metrics", data);
});

test("every golden of a table belongs to a case", () => {
  expectNoStaleTables();
});
