import { chmodSync, copyFileSync, linkSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type RequestListener } from "node:http";
import { connect, createServer as createTcp, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { inject } from "../../../src/inject/inject.ts";
import type { Container } from "../../../src/resources/core.ts";
import type { TypedAny } from "../../../src/wire/codec.ts";
import { resourcesFor } from "../../../src/xds/resources.ts";
import type { XdsKind } from "../../../src/xds/types.ts";
import { testEnvoy } from "../envoy/binary.ts";
import { injectionContext } from "../injection.ts";
import { waitFor } from "../wait.ts";
import { xdsCase } from "../xds-case.ts";
import { startTestControlPlane, type TestControlPlane } from "./control-plane.ts";
import { type Answer, type Ask, ask, createNetwork, type Network, NODE, run, type Side } from "./netns-network.ts";
import { type AgentProcess, startAgent } from "./process.ts";

const AGENT = fileURLToPath(new URL("../../../bin/mesh-agent.js", import.meta.url));
const SERVER_NAME = "istiod.istio-system.svc";
const ROOTS = "var/run/secrets/istio/root-cert.pem";
const TOKEN = "var/run/secrets/tokens/istio-token";
const PROXY_USER = 1337;
const MESHD_PORT = 15012;

/** A service of the mesh: no host has the address, so a connection to it arrives by way of Envoy only. */
export const PEER = { url: "http://10.96.0.10", host: "peer.shop.svc.cluster.local" } as const;
/** Ports of a pod that take mutual TLS only. */
const STRICT_PORTS = [9090, 9091, 9092, 9443];

/** What the pods of one file share: a node with meshd, and a service that they call. */
export interface Lab {
  readonly network: Network;
  readonly plane: TestControlPlane;
  /** Brings meshd to the node's second address, or takes it away from there. */
  meshdAt(address: string, isThere: boolean): Promise<void>;
  /** A unix socket of this process that nobody else has. */
  socket(): string;
  readonly envoy: string;
  close(): Promise<void>;
}

/** A token of a service account, as the kubelet projects it. */
export function token(serviceAccount: string, expires: number = Date.now() + 3_600_000): string {
  return Buffer.from(JSON.stringify({ serviceAccount, expires })).toString("base64url");
}

function accountOf(text: string | undefined): { namespace: string; serviceAccount: string } | string {
  if (text === undefined) return "no token";
  const { serviceAccount, expires } = JSON.parse(Buffer.from(text, "base64url").toString()) as {
    readonly serviceAccount: string;
    readonly expires: number;
  };
  return Date.now() < expires ? { namespace: "shop", serviceAccount } : "the token has expired";
}

/** Starts it. `peer` answers the pods' calls to PEER. */
export async function startLab(peer: RequestListener): Promise<Lab> {
  const folder = mkdtempSync(join(tmpdir(), "mesh-lab-"));
  // The agent is not root.
  chmodSync(folder, 0o755);
  let count = 0;
  const socket = (): string => {
    count += 1;
    return join(folder, `socket-${count}`);
  };
  const network = await createNetwork(folder);
  const plane = await startTestControlPlane({ accountOf, ttlSeconds: 3_600, resources: resources() });
  const [toPlane, toPeer] = [socket(), socket()];
  const forward = createTcp((one) => {
    const other = connect(plane.port, "127.0.0.1");
    for (const end of [one, other])
      end.on("error", () => undefined).on("close", () => [one, other].map((e) => e.destroy()));
    one.pipe(other).pipe(one);
  });
  const app = createServer(peer);
  await Promise.all([listening(forward, toPlane), listening(app, toPeer)]);
  await network.node.listen(NODE.meshd, MESHD_PORT, toPlane);
  await network.node.listen(NODE.meshd, 7000, toPeer);
  return {
    network,
    plane,
    socket,
    envoy: executable(await testEnvoy(), join(folder, "envoy")),
    meshdAt: (address, isThere) =>
      isThere ? network.node.listen(address, MESHD_PORT, toPlane) : network.node.close(address, MESHD_PORT),
    close: async () => {
      app.closeAllConnections();
      for (const server of [app, forward]) server.close();
      await network.remove();
      await plane.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** The same file where every user may run it: the cache is in a home directory. */
function executable(binary: string, path: string): string {
  try {
    linkSync(binary, path);
  } catch {
    copyFileSync(binary, path);
  }
  return path;
}

async function listening(server: Server, path: string): Promise<void> {
  await new Promise<void>((resolve) => void server.listen(path, resolve));
}

export interface PodWish {
  readonly name: string;
  /** Where what was started is put, to be closed in the reverse order. */
  readonly open: { close(): unknown }[];
  readonly annotations?: Readonly<Record<string, string>>;
  /** ProxyConfig of the pod's annotation. */
  readonly proxyConfig?: Readonly<Record<string, unknown>>;
  /** Probes and hooks of its one container, `app`. */
  readonly container?: object;
  readonly app?: RequestListener;
  readonly token?: string;
  /** Where it looks for meshd. */
  readonly meshd?: string;
  readonly isNative?: boolean;
}

/** A pod as injection makes it: its containers are started as a kubelet would, one by one, in its network namespace. */
export interface LifePod {
  readonly side: Side;
  readonly address: string;
  /** The application's own container, after injection. */
  readonly app: Container;
  /** istio-init: the capture rules. */
  init(): Promise<void>;
  /** istio-proxy; again after its end. */
  proxy(): AgentProcess;
  /** A hook of istio-proxy, or another command in that container. */
  exec(command: readonly string[]): AgentProcess;
  /** Hooks of istio-proxy, as injection wrote them. */
  readonly hooks: { readonly postStart: readonly string[]; readonly preStop: readonly string[] };
  /** The projected token changes. */
  renewToken(text: string): void;
  /** A request from the node, as another pod's or the kubelet's. */
  get(portAndPath: string, how?: Ask): Promise<Answer>;
  /** A request of the application's to PEER. */
  call(path: string): Promise<Answer>;
  /** Rules of the namespace. */
  rules(): Promise<string>;
}

/** Makes the pod's namespace and starts its application on port 8080; nothing of the mesh runs yet. */
export async function createPod(lab: Lab, wish: PodWish): Promise<LifePod> {
  const { name, open } = wish;
  const side = await lab.network.pod();
  const { address } = side;
  const { init, proxy, app } = injected(wish);
  const path = lab.socket();
  const server = createServer(wish.app ?? ((request, response) => response.end(`app saw ${request.url}`)));
  await listening(server, path);
  open.push({ close: () => server.close().closeAllConnections() });
  await side.listen("0.0.0.0", 8080, path);
  const env = { ...environment(proxy, { name, address }), MESHCTL_ENVOY: lab.envoy };
  const user = ["setpriv", `--reuid=${PROXY_USER}`, `--regid=${PROXY_USER}`, "--clear-groups", "--"];
  let current: AgentProcess | undefined;
  const start = (args: readonly string[], files: Readonly<Record<string, string>>): AgentProcess => {
    const process = startAgent({
      args,
      env,
      files,
      program: [AGENT],
      under: [...side.enter, ...user],
      owner: PROXY_USER,
    });
    open.push({ close: () => process.clean() });
    return process;
  };
  return {
    side,
    address,
    app,
    init: async () => {
      await run([...side.enter, process.execPath, AGENT, ...(init.args ?? [])]);
    },
    proxy: () => {
      const args = (proxy.args ?? []).map((arg) => arg.replaceAll("$(POD_NAMESPACE)", "shop"));
      current = start(args, {
        "etc/hosts": `${wish.meshd ?? NODE.meshd} ${SERVER_NAME}\n`,
        "etc/istio/pod/labels": `app="${name}"\n`,
        [ROOTS]: lab.plane.root.certificate,
        [TOKEN]: wish.token ?? token(name),
      });
      return current;
    },
    exec: ([, ...args]) => start(args, {}),
    hooks: { postStart: hook(proxy, "postStart"), preStop: hook(proxy, "preStop") },
    renewToken: (text) => writeFileSync(join(current?.directory ?? "", TOKEN), text),
    get: (portAndPath, how) => ask(lab.network.node, `http://${address}${portAndPath}`, how),
    call: (path) => ask(side, `${PEER.url}${path}`, { headers: { host: PEER.host } }),
    rules: () => run([...side.enter, "iptables-save"]),
  };
}

/** Waits until the kubelet would call the proxy ready. */
export async function ready(pod: LifePod, agent: AgentProcess): Promise<void> {
  await waitFor(async () => (await pod.get(":15021/healthz/ready")).status === 200, {
    what: `15021 ready\n${agent.output()}`,
    timeoutMs: 60_000,
  });
}

/** A pod with its rules and its proxy, which is ready. */
export async function startReadyPod(lab: Lab, wish: PodWish): Promise<LifePod & { readonly agent: AgentProcess }> {
  const pod = await createPod(lab, wish);
  await pod.init();
  const agent = pod.proxy();
  await ready(pod, agent);
  return { ...pod, agent };
}

function injected({ name, annotations, proxyConfig = {}, container, isNative = false }: PodWish): {
  readonly init: Container;
  readonly proxy: Container;
  readonly app: Container;
} {
  const metadata = {
    name,
    labels: { app: name },
    annotations: { "proxy.istio.io/config": JSON.stringify({ concurrency: 1, ...proxyConfig }), ...annotations },
  };
  const context = injectionContext([], { nativeSidecars: isNative });
  const { pod } = inject({ metadata, spec: { containers: [{ name: "app", image: "app", ...container }] } }, context);
  const all = [...(pod.spec.initContainers ?? []), ...pod.spec.containers];
  const named = (wanted: string): Container => {
    const found = all.find((one) => one.name === wanted);
    if (found === undefined) throw new Error(`injection made no ${wanted}`);
    return found;
  };
  return { init: named("istio-init"), proxy: named("istio-proxy"), app: named("app") };
}

interface Variable {
  readonly name: string;
  readonly value?: string;
  readonly valueFrom?: { readonly fieldRef?: { readonly fieldPath: string } };
}

/** The container's environment as the kubelet fills it in. */
function environment(
  container: Container,
  { name, address }: { readonly name: string; readonly address: string },
): Readonly<Record<string, string>> {
  const fields: Readonly<Record<string, string>> = {
    "metadata.name": name,
    "metadata.namespace": "shop",
    "status.podIP": address,
    "status.hostIP": NODE.meshd,
    "spec.serviceAccountName": name,
    "spec.nodeName": "node",
  };
  const variables = (container as { readonly env?: readonly Variable[] }).env ?? [];
  return Object.fromEntries(
    variables.map((one) => [one.name, one.value ?? fields[one.valueFrom?.fieldRef?.fieldPath ?? ""] ?? ""]),
  );
}

function hook(container: Container, at: "postStart" | "preStop"): readonly string[] {
  type Hooks = Readonly<Record<string, { readonly exec?: { readonly command: readonly string[] } } | undefined>>;
  return (container as { readonly lifecycle?: Hooks }).lifecycle?.[at]?.exec?.command ?? [];
}

/** What meshd serves each pod: captured traffic in both directions; PEER, which is on the node and has no proxy. */
function resources(): readonly TypedAny[] {
  const name = "outbound|80||peer.shop.svc.cluster.local";
  const to = { clusters: [{ cluster: name, weight: 1 }] };
  const inbound = (targetPort: number, mtls: string, protocol: string): object => ({
    targetPort,
    protocol,
    mtls,
    cluster: `inbound|${targetPort}||`,
  });
  const ports = [inbound(8080, "PERMISSIVE", "http"), ...STRICT_PORTS.map((port) => inbound(port, "STRICT", "tcp"))];
  const { config, options } = xdsCase({
    clusters: [
      { name: "PassthroughCluster", discovery: "original-dst", protocol: "tcp" },
      { name: "BlackHoleCluster", discovery: "static", protocol: "tcp" },
      ...["InboundPassthroughCluster", "inbound|8080||", ...STRICT_PORTS.map((port) => `inbound|${port}||`)].map(
        (inward) => ({
          name: inward,
          direction: "inbound",
          discovery: "original-dst",
          protocol: inward === "inbound|8080||" ? "http" : "tcp",
          sourceAddress: "127.0.0.6",
        }),
      ),
      { name, protocol: "http" },
    ],
    endpoints: [{ cluster: name, endpoints: [{ address: NODE.meshd, port: 7000 }] }],
    outbound: [
      { name: "virtualOutbound", port: 15001, bindToPort: true, kind: "capture" },
      { name: "0.0.0.0_80", port: 80, kind: "http", routeTable: "80" },
    ],
    routes: [{ name: "80", hosts: [{ name: PEER.host, domains: [PEER.host], routes: [{ action: to }] }] }],
    inbound: { ports },
  });
  const built = resourcesFor(config, options);
  const kinds: readonly XdsKind[] = ["cluster", "endpoint", "listener", "route"];
  return kinds.flatMap((kind) =>
    built.names(kind).map(({ name: wanted }) => {
      const resource = built.resource(kind, wanted);
      if (resource === undefined) throw new Error(`no ${kind} ${wanted}`);
      return resource;
    }),
  );
}
