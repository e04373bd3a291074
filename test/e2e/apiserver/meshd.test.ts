import { afterAll, beforeAll, expect, test } from "vitest";
import type { Logger } from "../../../src/base/logger.ts";
import { type ControlPlane, createControlPlane } from "../../../src/controlplane/main.ts";
import type { ProxyStatus } from "../../../src/controlplane/xds-status.ts";
import { openCluster } from "../../../src/kube/cluster.ts";
import type { Cluster } from "../../../src/resources/cluster.ts";
import { applyCrds, namespace, pod, service, slice } from "../../support/controlplane/mesh-objects.ts";
import { type RealProxy, startRealProxy } from "../../support/controlplane/real-proxy.ts";
import { freePorts } from "../../support/envoy/free-ports.ts";
import { type RealApiServer, startApiServer } from "../../support/kube/apiserver.ts";
import { waitFor } from "../../support/wait.ts";

// One real Envoy, fed by meshd over xDS, from a real kube-apiserver.

let server: RealApiServer;
let cluster: Cluster;
let plane: ControlPlane;
let proxy: RealProxy;
let ports: { http: number; secureGrpc: number; monitoring: number; https: number };
const logged: { level: string; fields: Readonly<Record<string, unknown>>; message: string }[] = [];
const at = (level: string) => (fields: Readonly<Record<string, unknown>>, message: string) =>
  void logged.push({ level, fields, message });
const log: Logger = { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") };

async function startPlane(): Promise<ControlPlane> {
  const local = (port: number) => ({ host: "127.0.0.1", port });
  const started = createControlPlane({
    cluster: await openCluster({ kubeconfig: server.kubeconfig, env: {} }),
    namespace: "istio-system",
    instance: "istiod-0",
    clusterId: "Kubernetes",
    revision: "default",
    domain: "cluster.local",
    listen: {
      http: local(ports.http),
      secureGrpc: local(ports.secureGrpc),
      monitoring: local(ports.monitoring),
      https: local(ports.https),
    },
    log,
  });
  await started.start();
  return started;
}

async function status(): Promise<ProxyStatus | undefined> {
  const answer = await fetch(`http://127.0.0.1:${ports.monitoring}/debug/syncz`);
  return ((await answer.json()) as ProxyStatus[])[0];
}

async function synced(): Promise<boolean> {
  const found = await status();
  return ["cluster", "endpoint", "listener"].every((kind) => found?.types[kind as "cluster"]?.status === "SYNCED");
}

beforeAll(async () => {
  server = await startApiServer();
  cluster = await openCluster({ kubeconfig: server.kubeconfig, env: {} });
  const [http = 0, secureGrpc = 0, monitoring = 0, https = 0] = await freePorts(4);
  ports = { http, secureGrpc, monitoring, https };
  await applyCrds(cluster);
  await namespace(cluster, "istio-system");
  await namespace(cluster, "shop", ["web"]);
  const uid = await pod(
    cluster,
    { namespace: "shop", name: "web-1", account: "web", ip: "127.231.0.1" },
    { app: "web" },
  );
  await service(cluster, { namespace: "shop", name: "web" }, ["10.244.0.7"]);
  await service(cluster, { namespace: "shop", name: "reviews" }, ["10.244.0.8"]);
  plane = await startPlane();
  const token = await cluster.createToken({
    namespace: "shop",
    serviceAccount: "web",
    audiences: ["istio-ca"],
    pod: { name: "web-1", uid },
  });
  const rootCert = await waitFor(
    () => cluster.get({ apiVersion: "v1", kind: "ConfigMap", namespace: "shop", name: "istio-ca-root-cert" }),
    { what: "the root certificate in the namespace" },
  );
  const roots = (rootCert["data"] as Record<string, string>)["root-cert.pem"]!;
  proxy = await startRealProxy({
    port: ports.secureGrpc,
    roots,
    token,
    namespace: "shop",
    pod: "web-1",
    account: "web",
    prefix: "127.231",
  });
});

afterAll(async () => {
  await proxy?.stop();
  await plane?.close();
  await server?.stop();
});

test("clusters, endpoints, listeners and routes arrive, and are said to be in sync from the ACK of the current bytes", async () => {
  await waitFor(synced, { timeoutMs: 20_000, what: "sync" });
  const dump = await proxy.dump();
  expect(dump).toContain("outbound|80||reviews.shop.svc.cluster.local");
  expect(dump).toContain('"10.244.0.8"');
  const names = Object.keys((await status())!.types);
  expect(names).toEqual(["cluster", "endpoint", "listener", "route"]);
  expect((await status())!.proxy).toBe("web-1.shop");
  expect((await status())!.types.route?.status).toBe("SYNCED");
  expect(await proxy.stat("control_plane.connected_state")).toBe(1);
});
