import { expect, test } from "vitest";
import { createMetrics } from "../../src/controlplane/metrics.ts";
import { createModel } from "../../src/model/model.ts";
import type { KubeObject } from "../../src/resources/object.ts";
import { createWorldStore } from "../../src/resources/world-store.ts";

/** Lines of the exposition that begin with any of these names. */
async function lines(metrics: { text(): Promise<string> }, ...names: readonly string[]): Promise<readonly string[]> {
  const text = await metrics.text();
  return text.split("\n").filter((line) => names.some((name) => new RegExp(`^${name}[{ ]`).test(line)));
}

test("what dashboards read of streams", async () => {
  const metrics = createMetrics({ world: { list: () => [] } });
  const proxy = "web.shop";
  metrics.stream({ type: "opened", proxy });
  metrics.stream({ type: "pushed", kind: "cluster", proxy, bytes: 5, resources: 1, tookMs: 20, queuedMs: 700 });
  metrics.stream({ type: "taken", proxy, tookMs: 30 });
  metrics.stream({ type: "acked", kind: "cluster", proxy, sinceMs: 200 });
  metrics.stream({ type: "refused", kind: "listener", proxy, error: "bad listener" });
  metrics.stream({ type: "refused", kind: "secret", proxy, error: "bad secret" });
  metrics.stream({ type: "expired", kind: "route", proxy });
  const names = ["pilot_xds_pushes", "pilot_total_xds_rejects", "pilot_xds_lds_reject", "pilot_xds_expired_nonce"];
  expect([...(await lines(metrics, ...names))].sort()).toEqual([
    // the others from the start, so that a first refusal is an increase
    ...["cds", "ecds", "eds"].map((type) => `pilot_total_xds_rejects{type="${type}"} 0`),
    'pilot_total_xds_rejects{type="lds"} 1',
    ...["nds", "rds"].map((type) => `pilot_total_xds_rejects{type="${type}"} 0`),
    'pilot_total_xds_rejects{type="sds"} 1',
    'pilot_xds_expired_nonce{type="rds"} 1',
    'pilot_xds_lds_reject{node="web.shop"} 1',
    'pilot_xds_pushes{type="cds"} 1',
  ]);
  const sums = ["queue_time", "convergence_time"].map((name) => `pilot_proxy_${name}_sum`);
  expect(await lines(metrics, ...sums, "pilot_xds_send_time_sum")).toEqual(
    expect.arrayContaining([
      "pilot_proxy_queue_time_sum 0.7",
      "pilot_proxy_convergence_time_sum 0.2",
      "pilot_xds_send_time_sum 0.03",
    ]),
  );
  expect((await lines(metrics, "pilot_xds"))[0]).toMatch(/^pilot_xds\{version=".+"\} 1$/);
  metrics.stream({ type: "closed", proxy });
  expect(await lines(metrics, "pilot_xds_lds_reject")).toEqual([]);
});

test("what dashboards read of the mesh and its changes", async () => {
  const world = createWorldStore();
  const object = (kind: string, spec: KubeObject["spec"]): KubeObject => ({
    apiVersion: kind === "Service" ? "v1" : "networking.istio.io/v1",
    kind,
    metadata: { name: "a", namespace: "shop" },
    spec,
  });
  const changes = [
    { type: "set" as const, object: object("DestinationRule", { subsets: [{ name: "v1" }, { name: "v2" }] }) },
    { type: "set" as const, object: object("Service", {}) },
  ];
  world.apply(changes);
  const metrics = createMetrics({ world, model: createModel(world) });
  metrics.applied({ changes: [...changes, { ...changes[1]!, type: "delete" }], tookMs: 1, waitedMs: 1 });
  const names = ["pilot_destrule_subsets", "pilot_services", "pilot_k8s_cfg_events", "pilot_k8s_reg_events"];
  expect([...(await lines(metrics, ...names))].sort()).toEqual([
    // subsets of different names are no fault
    "pilot_destrule_subsets 0",
    'pilot_k8s_cfg_events{type="DestinationRule",event="update"} 1',
    'pilot_k8s_reg_events{type="Service",event="delete"} 1',
    'pilot_k8s_reg_events{type="Service",event="update"} 1',
    "pilot_services 1",
  ]);
  metrics.rootExpires(new Date(Date.now() + 3_600_000));
  const left = Number((await lines(metrics, "citadel_server_root_cert_expiry_seconds"))[0]?.split(" ")[1]);
  expect(left).toBeGreaterThan(3_590);
  expect(left).toBeLessThanOrEqual(3_600);
});

test("what dashboards read of the webhooks", async () => {
  const metrics = createMetrics({ world: { list: () => [] } });
  const resource = { group: "networking.istio.io", version: "v1", resource: "virtualservices" };
  metrics.webhook("validate", "allowed", 1, resource);
  metrics.webhook("validate", "refused", 1, resource);
  metrics.webhook("inject", "skipped", 1, undefined);
  const labels = 'group="networking.istio.io",version="v1",resource="virtualservices"';
  expect(await lines(metrics, "galley_validation_passed", "galley_validation_failed")).toEqual([
    `galley_validation_passed{${labels}} 1`,
    `galley_validation_failed{${labels}} 1`,
  ]);
  expect(await lines(metrics, "sidecar_injection_skip_total")).toEqual(["sidecar_injection_skip_total 1"]);
});
