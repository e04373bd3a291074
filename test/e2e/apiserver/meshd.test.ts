import { afterAll, beforeAll, expect, test } from "vitest";
import type { ProxyStatus, TypeStatus } from "../../../src/controlplane/xds-status.ts";
import type { KubeObject } from "../../../src/resources/object.ts";
import type { XdsKind } from "../../../src/xds/types.ts";
import { askForClusters } from "../../support/controlplane/ask.ts";
import { type Installed, install } from "../../support/controlplane/installed.ts";
import { pod, service, slice } from "../../support/controlplane/mesh-objects.ts";
import { spawnMeshd } from "../../support/controlplane/meshd-process.ts";
import { type RealProxy, startRealProxy } from "../../support/controlplane/real-proxy.ts";
import { waitFor } from "../../support/wait.ts";

// One real Envoy, fed by meshd over xDS, from a real kube-apiserver. meshd runs as the installed service account, with the
// permissions of the rendered manifests.

let mesh: Installed;
let cluster: Installed["cluster"];
let ports: Installed["ports"];
let log: Installed["log"];
let proxy: RealProxy;
let roots: string;

async function status(): Promise<ProxyStatus | undefined> {
  const answer = await fetch(`http://127.0.0.1:${ports.monitoring}/debug/syncz`);
  return ((await answer.json()) as ProxyStatus[])[0];
}

async function typeStatus(kind: XdsKind): Promise<TypeStatus | undefined> {
  return (await status())?.types[kind];
}

async function synced(): Promise<boolean> {
  const types = (await status())?.types ?? {};
  return (["cluster", "endpoint", "listener", "route"] as const).every((kind) => types[kind]?.status === "SYNCED");
}

/** How many resources were sent since the log was emptied. */
function resourcesSent(): number {
  return log.lines
    .filter(({ message }) => message === "pushed")
    .reduce((sum, { fields }) => sum + Number(fields["resources"]), 0);
}

beforeAll(async () => {
  mesh = await install();
  ({ cluster, ports, log } = mesh);
  const place = { namespace: "shop", name: "web-1", account: "web", ip: "127.231.0.1" };
  const uid = await pod(cluster, place, { app: "web" });
  await service(cluster, { namespace: "shop", name: "web" }, ["10.244.0.7"]);
  await service(cluster, { namespace: "shop", name: "reviews" }, ["10.244.0.8"]);
  await mesh.startPlane();
  roots = await mesh.roots();
  const token = await mesh.tokenOf("shop", "web", { name: "web-1", uid });
  const who = { namespace: "shop", pod: "web-1", account: "web", prefix: "127.231" };
  proxy = await startRealProxy({ port: ports.secureGrpc, roots, token, ...who });
});

afterAll(async () => {
  await proxy?.stop();
  await mesh?.stop();
});

test("clusters, endpoints, listeners and routes arrive, and are said to be in sync from the ACK of the current bytes", async () => {
  await waitFor(synced, { timeoutMs: 20_000, what: "sync" });
  const dump = await proxy.dump();
  expect(dump).toContain("outbound|80||reviews.shop.svc.cluster.local");
  expect(dump).toContain('"10.244.0.8"');
  const found = (await status())!;
  expect(Object.keys(found.types)).toEqual(["cluster", "endpoint", "listener", "route"]);
  expect(found).toMatchObject({
    proxy: "web-1.shop",
    proxy_type: "sidecar",
    cluster_id: "Kubernetes",
    control_plane: "istiod-0",
  });
  for (const type of Object.values(found.types)) {
    expect(type.ackedHash).toBe(type.currentHash);
    expect(type.sentHash).toBe(type.currentHash);
  }
  expect(await proxy.stat("control_plane.connected_state")).toBe(1);
  expect((await fetch(`http://127.0.0.1:${ports.http}/ready`)).status).toBe(200);
  expect(log.lines.filter(({ level }) => level === "error")).toEqual([]);
});

test("a changed endpoint is live in Envoy, and nothing else is sent", async () => {
  const before = await typeStatus("endpoint");
  log.clear();
  await cluster.apply(slice({ namespace: "shop", name: "reviews" }, ["10.244.0.8", "10.244.0.9"]), {
    fieldManager: "test",
    force: true,
  });
  await waitFor(async () => (await proxy.dump()).includes('"10.244.0.9"'), { what: "the new endpoint in Envoy" });
  await waitFor(synced, { what: "sync" });
  expect((await typeStatus("endpoint"))?.currentHash).not.toBe(before?.currentHash);
  expect(resourcesSent()).toBe(1);
  expect(log.lines.find(({ message }) => message === "pushed")?.fields["kind"]).toBe("endpoint");
});

test("a refused resource is shown as NACK with Envoy's words; others go on, and a mended one clears it", async () => {
  const object = (regex: string): KubeObject => ({
    apiVersion: "networking.istio.io/v1",
    kind: "VirtualService",
    metadata: { name: "broken", namespace: "shop" },
    spec: {
      hosts: ["reviews"],
      http: [{ match: [{ uri: { regex } }], route: [{ destination: { host: "reviews" } }] }],
    },
  });
  await cluster.apply(object("/a(b"), { fieldManager: "test", force: true });
  const nack = await waitFor(
    async () => {
      const found = await typeStatus("route");
      return found?.status === "NACK" ? found : undefined;
    },
    { what: "the NACK" },
  );
  expect(nack.lastError).toContain("missing )");
  expect(nack.ackedHash).not.toBe(nack.currentHash);
  log.clear();
  await cluster.apply(slice({ namespace: "shop", name: "reviews" }, ["10.244.0.10"]), {
    fieldManager: "test",
    force: true,
  });
  await waitFor(async () => (await proxy.dump()).includes('"10.244.0.10"'), { what: "an endpoint meanwhile" });
  expect((await typeStatus("endpoint"))?.status).toBe("SYNCED");
  expect(resourcesSent()).toBe(1);
  await cluster.apply(object("/a.*"), { fieldManager: "test", force: true });
  await waitFor(synced, { what: "sync after mending" });
  expect((await typeStatus("route"))?.lastError).toBeUndefined();
});

test("a changed cluster does not go on warming: its endpoints follow it", async () => {
  const rule: KubeObject = {
    apiVersion: "networking.istio.io/v1",
    kind: "DestinationRule",
    metadata: { name: "reviews", namespace: "shop" },
    spec: { host: "reviews", trafficPolicy: { connectionPool: { tcp: { maxConnections: 77 } } } },
  };
  await cluster.apply(rule, { fieldManager: "test", force: true });
  const active = "?resource=dynamic_active_clusters";
  // Well before the 15 s after which Envoy itself would give up waiting.
  const isActive = async () => /"max_connections": 77/.test(await proxy.dump(active));
  await waitFor(isActive, { timeoutMs: 5_000, what: "the changed cluster to be active" });
  expect(await proxy.admin("/clusters")).toContain("outbound|80||reviews.shop.svc.cluster.local::10.244.0.10:8080");
  await waitFor(synced, { what: "sync" });
});

test("state of the world is served too", async () => {
  const name = { namespace: "shop", name: "web-2", account: "web", ip: "127.232.0.1" };
  const uid = await pod(cluster, name, { app: "web" });
  const token = await mesh.tokenOf("shop", "web", { name: "web-2", uid });
  const more = { namespace: "shop", pod: "web-2", account: "web", prefix: "127.232", protocol: "sotw" } as const;
  const second = await startRealProxy({ port: ports.secureGrpc, roots, token, ...more });
  try {
    const found = async () => {
      const all = (await (await fetch(`http://127.0.0.1:${ports.monitoring}/debug/syncz`)).json()) as ProxyStatus[];
      return all.find((one) => one.proxy === "web-2.shop");
    };
    const isSynced = async () => {
      const types = Object.values((await found())?.types ?? {});
      return types.length === 4 && types.every((type) => type.status === "SYNCED");
    };
    await waitFor(isSynced, { what: "sync by state of the world" });
    await cluster.apply(slice({ namespace: "shop", name: "reviews" }, ["10.244.0.30"]), {
      fieldManager: "test",
      force: true,
    });
    await waitFor(async () => (await second.dump()).includes('"10.244.0.30"'), { what: "the new endpoint" });
    await cluster.apply(slice({ namespace: "shop", name: "reviews" }, ["10.244.0.10"]), {
      fieldManager: "test",
      force: true,
    });
    await waitFor(isSynced, { what: "sync after changes" });
  } finally {
    await second.stop();
  }
  const gone = async () =>
    ((await (await fetch(`http://127.0.0.1:${ports.monitoring}/debug/syncz`)).json()) as ProxyStatus[]).length === 1;
  await waitFor(gone, { what: "the second proxy to be gone" });
});

test("a deleted service goes from Envoy", async () => {
  await service(cluster, { namespace: "shop", name: "late" }, ["10.244.0.20"]);
  await waitFor(async () => (await proxy.dump()).includes("outbound|80||late.shop.svc.cluster.local"), {
    what: "the new service",
  });
  const background = { propagation: "Background" } as const;
  await cluster.delete({ apiVersion: "v1", kind: "Service", namespace: "shop", name: "late" }, background);
  await waitFor(async () => !(await proxy.admin("/clusters")).includes("late.shop"), { what: "the service to go" });
  await waitFor(synced, { what: "sync" });
});

test("a workload gets its own configuration and no other's", async () => {
  const node = (name: string, account: string, ns = "shop") => ({
    id: `sidecar~127.231.0.1~${name}.${ns}~${ns}.svc.cluster.local`,
    metadata: { NAMESPACE: ns, SERVICE_ACCOUNT: account },
  });
  const CANCELLED = 1;
  const ask = (
    token: string | undefined,
    who: ReturnType<typeof node> | { id: string; metadata: Record<string, string> },
  ) => askForClusters({ port: ports.secureGrpc, roots, token, node: who });
  const uid =
    (await cluster.get({ apiVersion: "v1", kind: "Pod", namespace: "shop", name: "web-1" }))?.metadata.uid ?? "";
  const web = await mesh.tokenOf("shop", "web", { name: "web-1", uid });
  expect(await ask(web, node("web-1", "web"))).toMatchObject({ code: CANCELLED });
  expect(await ask(undefined, node("web-1", "web"))).toMatchObject({ code: 16 });
  expect(await ask("a.b.c", node("web-1", "web"))).toMatchObject({ code: 16 });
  expect(await ask(web, node("web-1", "web", "istio-system"))).toMatchObject({ code: 7 });
  expect(await ask(web, node("web-2", "web"))).toMatchObject({ code: 7 });
  expect(await ask(await mesh.tokenOf("shop", "other"), node("web-1", "web"))).toMatchObject({ code: 7 });
  expect(await ask(web, { id: "nonsense", metadata: {} })).toMatchObject({ code: 3 });
  const elsewhere = await cluster.createToken({ namespace: "shop", serviceAccount: "web", audiences: ["vault"] });
  expect(await ask(elsewhere, node("web-1", "web"))).toMatchObject({ code: 16 });
});

test("debug answers callers of the pod itself; the CA's key is nowhere in it", async () => {
  const url = `http://127.0.0.1:${ports.monitoring}`;
  const dump = await (await fetch(`${url}/debug/config_dump?proxyID=web-1.shop`)).text();
  expect(dump).toContain("outbound|80||reviews.shop.svc.cluster.local");
  expect(dump).not.toContain("PRIVATE KEY");
  expect((await fetch(`${url}/debug/config_dump`)).status).toBe(400);
  expect((await fetch(`${url}/debug/config_dump?proxyID=nobody`)).status).toBe(404);
  expect((await fetch(`${url}/debug/pprof`)).status).toBe(404);
  const metrics = await (await fetch(`${url}/metrics`)).text();
  expect(metrics).toMatch(/^pilot_xds\{version="[^"]+"\} 1$/m);
  expect(metrics).toMatch(/^citadel_server_success_cert_issuance_count [1-9]/m);
  expect(metrics).toMatch(/^pilot_total_xds_rejects\{type="rds"\} 1$/m);
});

test("a graceful stop lets Envoy go; after the next start nothing is sent again", async () => {
  await waitFor(synced, { what: "sync" });
  await mesh.stopPlane();
  await waitFor(async () => (await proxy.stat("control_plane.connected_state")) === 0, { what: "Envoy to notice" });
  log.clear();
  await mesh.startPlane();
  await waitFor(synced, { what: "sync after the restart" });
  expect(resourcesSent()).toBe(0);
});

test("after kill -9 the next one takes over within five seconds, and nothing is sent again", async () => {
  await mesh.stopPlane();
  const child = spawnMeshd(ports, mesh.kubeconfig);
  await waitFor(synced, { timeoutMs: 30_000, what: "sync with the process" }).catch((error: unknown) => {
    throw new Error(child.output(), { cause: error });
  });
  child.process.kill("SIGKILL");
  await child.ended;
  log.clear();
  await mesh.startPlane();
  await waitFor(synced, { timeoutMs: 5_000, what: "sync after kill -9" });
  expect(resourcesSent()).toBe(0);
});

test("SIGTERM ends the process with 0", async () => {
  await mesh.stopPlane();
  const child = spawnMeshd(ports, mesh.kubeconfig);
  const ready = () => fetch(`http://127.0.0.1:${ports.http}/ready`).then((answer) => answer.status === 200);
  await waitFor(ready, { timeoutMs: 30_000, what: "readiness of the process" });
  child.process.kill("SIGTERM");
  expect(await child.ended).toBe(0);
});
