import { createServer, request, type Server } from "node:http";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { ProxyStatus } from "../../../src/controlplane/xds-status.ts";
import { openDeltaStream } from "../../../src/grpc/ads-client.ts";
import type { KubeObject } from "../../../src/resources/object.ts";
import { TYPE_URLS } from "../../../src/xds/types.ts";
import { type Installed, install, rootCert } from "../../support/controlplane/installed.ts";
import { namespace, pod } from "../../support/controlplane/mesh-objects.ts";
import { type MeshdProcess, spawnMeshd } from "../../support/controlplane/meshd-process.ts";
import { type RealProxy, startRealProxy } from "../../support/controlplane/real-proxy.ts";
import { freePorts } from "../../support/envoy/free-ports.ts";
import { waitFor } from "../../support/wait.ts";

// Two meshd processes at a real kube-apiserver, with the permissions of the rendered manifests, and two real Envoys whose
// connections are spread over both: a Service with two endpoints.

interface Replica {
  readonly name: string;
  readonly ports: Installed["ports"];
  process: MeshdProcess;
}

/** Workloads outside the cluster are given up soon, so that it can be seen. */
const GRACE_MS = 1_500;
const ENV = { PILOT_WORKLOAD_ENTRY_GRACE_PERIOD: `${GRACE_MS}ms` };
const HOST = "hello.internal";
const PREFIXES = ["127.243", "127.244"] as const;

let mesh: Installed;
let app: Server;
const replicas: Replica[] = [];
const proxies: RealProxy[] = [];

const apply = (object: KubeObject): Promise<unknown> =>
  mesh.cluster.apply(object, { fieldManager: "test", force: true });

async function newPorts(): Promise<Installed["ports"]> {
  const [http = 0, secureGrpc = 0, monitoring = 0, https = 0] = await freePorts(4);
  return { http, secureGrpc, monitoring, https };
}

async function ready({ ports, process }: Replica): Promise<void> {
  const isReady = () => fetch(`http://127.0.0.1:${ports.http}/ready`).then(({ status }) => status === 200);
  await waitFor(isReady, { timeoutMs: 30_000, what: "a ready meshd" }).catch((error: unknown) => {
    throw new Error(process.output(), { cause: error });
  });
}

async function stop(replica: Replica): Promise<void> {
  replica.process.process.kill("SIGTERM");
  expect(await replica.process.ended).toBe(0);
}

async function start(replica: Replica): Promise<void> {
  replica.process = spawnMeshd(replica.ports, mesh.kubeconfig, { name: replica.name, env: ENV });
  await ready(replica);
}

/** What the replicas that answer say of their proxies. */
async function statuses(): Promise<readonly ProxyStatus[]> {
  const answers = await Promise.allSettled(
    replicas.map(async ({ ports }) => {
      const answer = await fetch(`http://127.0.0.1:${ports.monitoring}/debug/syncz`);
      return (await answer.json()) as ProxyStatus[];
    }),
  );
  return answers.flatMap((answer) => (answer.status === "fulfilled" ? answer.value : []));
}

async function synced(): Promise<boolean> {
  const all = await statuses();
  const wanted = PREFIXES.map((_, index) => `web-${index}.shop`);
  const isSynced = (name: string): boolean => {
    const types = Object.values(all.find(({ proxy }) => proxy === name)?.types ?? {});
    return types.length > 0 && types.every(({ status }) => status === "SYNCED");
  };
  return wanted.every(isSynced);
}

/** The route with a number that every answer carries: which configuration a proxy has. */
const numbered = (step: number): KubeObject => ({
  apiVersion: "networking.istio.io/v1",
  kind: "VirtualService",
  metadata: { name: "hello", namespace: "shop" },
  spec: {
    hosts: [HOST],
    http: [{ route: [{ destination: { host: HOST } }], headers: { response: { set: { "x-step": String(step) } } } }],
  },
});

interface Answer {
  readonly status: number;
  readonly step: number;
}

/** A request through a proxy, as its application would send it; status 0 when there was no answer. */
function ask(prefix: string): Promise<Answer> {
  return new Promise((resolve) => {
    const options = { host: `${prefix}.0.1`, port: 15080, path: `http://${HOST}/`, agent: false };
    const asked = request({ ...options, headers: { host: HOST } }, (response) => {
      response.resume();
      const step = Number(response.headers["x-step"] ?? "-1");
      response.on("end", () => resolve({ status: response.statusCode ?? 0, step }));
    });
    asked.on("error", () => resolve({ status: 0, step: -1 }));
    asked.end();
  });
}

async function setMeshConfig(mesh_: string): Promise<void> {
  const target = { apiVersion: "v1", kind: "ConfigMap", namespace: "istio-system", name: "istio" };
  await mesh.cluster.mergePatch(target, { data: { mesh: mesh_ } });
}

beforeAll(async () => {
  mesh = await install();
  app = createServer((_request, response) => response.end("hello"));
  await new Promise<void>((resolve) => app.listen(8080, "127.243.9.1", resolve));
  // Kubernetes takes no endpoint on loopback: a ServiceEntry may name one.
  await apply({
    apiVersion: "networking.istio.io/v1",
    kind: "ServiceEntry",
    metadata: { name: "hello", namespace: "shop" },
    spec: {
      hosts: [HOST],
      ports: [{ number: 80, name: "http", protocol: "HTTP" }],
      resolution: "STATIC",
      endpoints: [{ address: "127.243.9.1", ports: { http: 8080 } }],
    },
  });
  await apply(numbered(0));
  for (const name of ["istiod-a", "istiod-b"]) {
    const ports = await newPorts();
    replicas.push({ name, ports, process: spawnMeshd(ports, mesh.kubeconfig, { name, env: ENV }) });
  }
  await Promise.all(replicas.map(ready));
  const [first, second] = replicas;
  const roots = await mesh.roots();
  for (const [index, prefix] of PREFIXES.entries()) {
    const name = `web-${index}`;
    const uid = await pod(
      mesh.cluster,
      { namespace: "shop", name, account: "web", ip: `${prefix}.0.1` },
      { app: "web" },
    );
    const token = await mesh.tokenOf("shop", "web", { name, uid });
    const where = { port: first!.ports.secureGrpc, morePorts: [second!.ports.secureGrpc] };
    proxies.push(
      await startRealProxy({ ...where, roots, token, namespace: "shop", pod: name, account: "web", prefix }),
    );
  }
  await waitFor(synced, { timeoutMs: 20_000, what: "sync" });
});

afterAll(async () => {
  for (const proxy of proxies) await proxy.stop();
  for (const { process } of replicas) {
    process.process.kill("SIGTERM");
    await process.ended;
  }
  await mesh?.stop();
  app?.close();
});

async function bothHave(step: number): Promise<boolean> {
  const answers = await Promise.all(PREFIXES.map(ask));
  return answers.every((answer) => answer.step === step);
}

/** Its listeners as they are now: those that drain still have what was before. */
async function writesAccessLogs(proxy: RealProxy): Promise<boolean> {
  const { configs } = JSON.parse(await proxy.dump("?resource=dynamic_listeners")) as {
    configs: { active_state: unknown }[];
  };
  return JSON.stringify(configs.map(({ active_state: active }) => active)).includes("StdoutAccessLog");
}

test("one of them leads, and proxies of both get a change", async () => {
  const leading = replicas.filter(({ process }) => process.output().includes('"leader":true'));
  expect(leading).toHaveLength(1);
  await apply(numbered(1));
  await waitFor(() => bothHave(1), { what: "the change in both proxies" });
  await waitFor(synced, { what: "sync" });
});

test("a change of the mesh's configuration reaches proxies without a restart; one that cannot be read changes nothing", async () => {
  const config = "rootNamespace: istio-system\n";
  const logs = (): Promise<readonly boolean[]> => Promise.all(proxies.map(writesAccessLogs));
  expect(await logs()).toEqual([false, false]);
  await setMeshConfig(`${config}accessLogFile: /dev/stdout\n`);
  await waitFor(async () => (await logs()).every(Boolean), { what: "access logs in both" });
  await setMeshConfig("accessLogFile: [\n");
  const told = (): boolean => replicas.every(({ process }) => process.output().includes("the last good one stays"));
  await waitFor(told, { what: "both to say that it cannot be read" });
  await apply(numbered(2));
  await waitFor(() => bothHave(2), { what: "a later change in both proxies" });
  expect(await logs()).toEqual([true, true]);
  await setMeshConfig(config);
  await waitFor(async () => !(await logs()).some(Boolean), { what: "no access logs" });
});

test("a rolling restart: no request fails, every change arrives, all proxies are in sync again", async () => {
  let step = 100;
  let isOver = false;
  const changing = (async () => {
    while (!isOver) await apply(numbered((step += 1)));
  })();
  const answers: Answer[] = [];
  const asking = PREFIXES.map(async (prefix) => {
    while (!isOver) answers.push(await ask(prefix));
  });
  for (const [index, replica] of replicas.entries()) {
    await stop(replica);
    // the one that is left writes what is shared, and pushes
    await namespace(mesh.cluster, `fresh-${index}`);
    await waitFor(() => mesh.cluster.get(rootCert(`fresh-${index}`)), {
      what: "the root certificate in a new namespace",
    });
    const since = step;
    await waitFor(async () => (await Promise.all(PREFIXES.map(ask))).every((answer) => answer.step > since), {
      what: "changes made while one replica is away",
    });
    await start(replica);
  }
  isOver = true;
  await Promise.all([changing, ...asking]);
  expect(answers.length).toBeGreaterThan(100);
  expect(answers.filter(({ status }) => status !== 200)).toEqual([]);
  await waitFor(() => bothHave(step), { what: "the last change in both proxies" });
  await waitFor(synced, { what: "sync" });
  const spread = new Set((await statuses()).map(({ proxy }) => proxy));
  expect(spread.size).toBe(PREFIXES.length);
  for (const proxy of proxies) expect(await proxy.stat("listener_manager.lds.update_rejected")).toBe(0);
});

test("after kill -9 of the leader the other leads when its lease is over, and serves all meanwhile", async () => {
  const leaderOf = async (): Promise<string> => {
    const lease = {
      apiVersion: "coordination.k8s.io/v1",
      kind: "Lease",
      namespace: "istio-system",
      name: "istio-leader",
    };
    return ((await mesh.cluster.get(lease))?.spec as { holderIdentity?: string } | undefined)?.holderIdentity ?? "";
  };
  const name = await waitFor(leaderOf, { what: "a leader" });
  const leader = replicas.find((replica) => replica.name === name);
  if (leader === undefined) throw new Error(`${name} is no replica`);
  leader.process.process.kill("SIGKILL");
  await leader.process.ended;
  await apply(numbered(9_999));
  await waitFor(() => bothHave(9_999), { what: "a change in both proxies" });
  await namespace(mesh.cluster, "after");
  await waitFor(() => mesh.cluster.get(rootCert("after")), { timeoutMs: 20_000, what: "the new leader to write" });
  expect(await leaderOf()).not.toBe(name);
  await start(leader);
  await waitFor(synced, { what: "sync" });
});

const ENTRY = {
  apiVersion: "networking.istio.io/v1",
  kind: "WorkloadEntry",
  namespace: "shop",
  name: "machines-10.9.0.1",
} as const;

/** A stream of a machine's proxy at a replica; the returned function ends it. */
async function machineAt({ ports }: Replica): Promise<() => void> {
  const silent = { onResource: () => undefined, onRemoved: () => undefined, onSettled: () => undefined };
  const metadata = { NAMESPACE: "shop", SERVICE_ACCOUNT: "other", AUTO_REGISTER_GROUP: "machines" };
  const request = {
    address: { host: "127.0.0.1", port: ports.secureGrpc },
    serverName: "istiod.istio-system.svc",
    roots: await mesh.roots(),
    credential: { kind: "token", token: await mesh.tokenOf("shop", "other") },
    clusterId: "Kubernetes",
    node: { id: "sidecar~10.9.0.1~m1.shop~shop.svc.cluster.local", metadata },
    typeUrl: TYPE_URLS.cluster,
    held: {},
  } as const;
  let isOver = false;
  let end = (): void => undefined;
  const open = (): void => {
    // As Envoy does: a replica that has not heard of the group refuses at first.
    const onEnd = (): void => void setTimeout(() => isOver || open(), 100);
    end = openDeltaStream(request, { ...silent, onEnd });
  };
  open();
  return () => {
    isOver = true;
    end();
  };
}

const entryNow = (): Promise<KubeObject | undefined> => mesh.cluster.get(ENTRY);
const noteOf = async (name: string): Promise<string | undefined> =>
  (await entryNow())?.metadata.annotations?.[`istio.io/${name}`];

async function heldBy({ name }: Replica): Promise<void> {
  const isHeld = async (): Promise<boolean> =>
    (await noteOf("workloadController")) === name && (await noteOf("connectedAt")) !== undefined;
  await waitFor(isHeld, { what: `the entry with ${name}` });
}

test("a machine's entry goes from replica to replica with its streams, comes back when it is deleted, and ends by the grace", async () => {
  const [first, second] = replicas as [Replica, Replica];
  await apply({
    apiVersion: "networking.istio.io/v1",
    kind: "WorkloadGroup",
    metadata: { name: "machines", namespace: "shop" },
    spec: { template: { serviceAccount: "other" } },
  });
  const leaveFirst = await machineAt(first);
  await heldBy(first);
  const uid = (await entryNow())?.metadata.uid;
  const leaveSecond = await machineAt(second);
  await heldBy(second);
  leaveSecond();
  // the stream at the other one is older, and is what is left
  await heldBy(first);
  const from = Date.now();
  await waitFor(() => Date.now() - from > 2 * GRACE_MS, { what: "more than the grace" });
  expect((await entryNow())?.metadata.uid).toBe(uid);
  // one that takes its leave, and a proxy that goes to the other
  await stop(first);
  leaveFirst();
  expect(await noteOf("disconnectedAt")).toBeDefined();
  const leaveAgain = await machineAt(second);
  await heldBy(second);
  await start(first);
  expect((await entryNow())?.metadata.uid).toBe(uid);
  // nobody here collects garbage, for which a deletion in the foreground would wait
  await mesh.cluster.delete(ENTRY, { propagation: "Background" });
  await waitFor(async () => ![uid, undefined].includes((await entryNow())?.metadata.uid), { what: "the entry again" });
  leaveAgain();
  await waitFor(async () => (await entryNow()) === undefined, { what: "no entry", timeoutMs: 15_000 });
});

test("a control plane that ends together with a machine takes its entry away when it is back", async () => {
  const [first] = replicas as [Replica];
  const leave = await machineAt(first);
  await heldBy(first);
  first.process.process.kill("SIGKILL");
  await first.process.ended;
  leave();
  expect(await noteOf("disconnectedAt")).toBeUndefined();
  await start(first);
  await waitFor(async () => (await entryNow()) === undefined, { what: "no entry", timeoutMs: 20_000 });
});
