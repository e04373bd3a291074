import { mkdir } from "node:fs/promises";
import { type Server, type Socket, connect } from "node:net";
import { join } from "node:path";
import { errorText } from "../base/errors.ts";
import type { Logger } from "../base/logger.ts";
import { createApi } from "./api/api.ts";
import type { Api } from "./api/types.ts";
import { createCache } from "./controllers/cache.ts";
import type { ClusterFacts } from "./controllers/controller.ts";
import { startControllers } from "./controllers/index.ts";
import type { DaemonConfig, DaemonMessage } from "./daemon-protocol.ts";
import { openDoorway } from "./doorway.ts";
import { createEventRecorder } from "./events.ts";
import { installGatewayApi } from "./gateway-api.ts";
import { ids } from "./ids.ts";
import { parseMapping } from "./node/images.ts";
import { createLoopbackNetwork } from "./node/network/loopback.ts";
import { addressPlan } from "./node/network/netns-plan.ts";
import { createNetnsNetwork } from "./node/network/netns.ts";
import type { NodeNetwork } from "./node/network/types.ts";
import { type LocalNode, type NodeOptions, startNode } from "./node/node.ts";
import { preparePrograms } from "./node/programs.ts";
import { packageRoot } from "./package-root.ts";
import { removeStateDir } from "./state.ts";
import { findTool } from "./tools.ts";
import { noWatchdog, startWatchdog } from "./watchdog.ts";

/** A running cluster in this process. */
interface LocalCluster {
  readonly kubeconfig: string;
  readonly server: string;
  close(): Promise<void>;
}

interface LocalClusterOptions {
  readonly config: DaemonConfig;
  /** The socket on which the machine reaches the API, handed over from outside of this network namespace. */
  readonly handedOver: Server | undefined;
  readonly log: Logger;
  readonly now: () => Date;
  readonly path: string | undefined;
}

/** Composes endpoint, controllers and node, and waits until the first pod could run. */
async function startLocalCluster(options: LocalClusterOptions): Promise<LocalCluster> {
  const { config, log, now, handedOver } = options;
  await mkdir(config.runDir, { recursive: true, mode: config.network === "netns" ? 0o755 : 0o700 });
  const watcher = config.network === "loopback" ? startWatchdog(config.runDir) : noWatchdog;
  const network = await openNetwork(options);
  const api = await openApi(config, network, log);
  await installGatewayApi(api.client);
  if (handedOver !== undefined) bridge(handedOver, config.apiPort);
  const stop = new AbortController();
  const cache = createCache(api.client, stop.signal);
  const events = createEventRecorder(api.client, "meshctl-local", now);
  const apiAddress = api.addresses.at(-1) ?? { host: network.nodeIp, port: config.apiPort };
  const nodeName = `${config.name}-node`;
  const cluster: ClusterFacts = {
    nodeName,
    caPem: api.caPem,
    apiAddress,
    realPort: (port) => network.realPort(port),
    loadBalancerAddress: (service) => network.loadBalancerAddress(service),
  };
  startControllers({ client: api.client, cache, events, log, now, signal: stop.signal, cluster });
  const node = await openNode(options, {
    api,
    network,
    cache,
    watcher,
    signal: stop.signal,
    name: nodeName,
    apiAddress,
  });
  api.setPodBackend(node.backend);
  api.setServiceResolver(node.resolveService);
  await defaultAccount(api);
  return {
    kubeconfig: api.kubeconfig(`meshctl-${config.name}`),
    server: `https://127.0.0.1:${api.addresses[0]?.port ?? config.apiPort}`,
    async close() {
      stop.abort();
      handedOver?.close();
      await node.close();
      await api.close();
    },
  };
}

type NodeParts = Pick<NodeOptions, "network" | "cache" | "watcher" | "signal" | "name" | "apiAddress"> & {
  readonly api: Api;
};

async function openNode({ config, log, now }: LocalClusterOptions, { api, ...parts }: NodeParts): Promise<LocalNode> {
  const programs = await preparePrograms({
    packageRoot: packageRoot(),
    node: process.execPath,
    envoy: config.envoy,
    directory: config.runDir,
    mount: config.network === "netns",
  });
  return startNode({
    ...parts,
    client: api.client,
    events: createEventRecorder(api.client, "kubelet", now),
    log,
    now,
    programs,
    images: new Map(config.images.flatMap((text) => [parseMapping(text)].filter((entry) => entry !== undefined))),
    directory: join(config.runDir, "pods"),
    issueToken: ({ metadata, spec }, audience, expirationSeconds) =>
      api.issueToken({
        namespace: metadata.namespace ?? "",
        serviceAccount: spec?.serviceAccountName ?? "default",
        audiences: audience === undefined ? [] : [audience],
        expirationSeconds,
        pod: { name: metadata.name, uid: metadata.uid ?? "" },
      }),
  });
}

function openNetwork({ config, log, path }: LocalClusterOptions): Promise<NodeNetwork> {
  const directory = join(config.runDir, "network");
  if (config.network === "loopback") {
    return createLoopbackNetwork({
      log,
      setpriv: findTool("setpriv", path),
      root: process.getuid?.() === 0,
      directory,
    });
  }
  const tool = (name: string): string => findTool(name, path) ?? name;
  const tools = {
    ip: tool("ip"),
    iptablesRestore: tool("iptables-restore"),
    nsenter: tool("nsenter"),
    setpriv: tool("setpriv"),
    sh: tool("sh"),
    unshare: tool("unshare"),
  };
  const plan = addressPlan(config.planIndex);
  const userNamespace = config.inside && { own: config.inside, listen: openDoorway().listen };
  return createNetnsNetwork({ plan, tools, directory, userNamespace });
}

/** The last address is the one for pods; in one network the machine's and the pods' are the same. */
function openApi(config: DaemonConfig, network: NodeNetwork, log: Logger): Promise<Api> {
  const port = config.apiPort;
  const forMachine = { host: "127.0.0.1", port };
  const forPods = { host: network.nodeIp, port: 6443 };
  return createApi({
    listen: config.network === "loopback" ? [forMachine] : [forMachine, forPods],
    serviceCidr: network.serviceCidr,
    log: (message) => {
      log.info({ part: "api" }, message);
    },
  });
}

/** Connections that arrive in the machine's network namespace go to the same port of this one. */
function bridge(server: Server, port: number): void {
  server.on("connection", (outer: Socket) => {
    const inner = connect({ host: "127.0.0.1", port, noDelay: true });
    outer.setNoDelay(true);
    outer.pipe(inner).pipe(outer);
    for (const socket of [outer, inner]) {
      socket.on("error", () => {
        outer.destroy();
        inner.destroy();
      });
    }
    outer.once("close", () => inner.destroy());
    inner.once("close", () => outer.destroy());
  });
}

/** Pods are refused until their namespace has its account: the first one should not meet that. */
async function defaultAccount(api: Api): Promise<void> {
  await new Promise<void>((resolve) => {
    const found = new AbortController();
    api.client.watch(
      ids.serviceAccounts,
      { namespace: "default" },
      ({ object }) => {
        if (object.metadata.name !== "default") return;
        found.abort();
        resolve();
      },
      found.signal,
    );
  });
}

/** Runs a node until `ended` resolves; tells the starting command how it went. */
export async function runNode(options: Omit<LocalClusterOptions, "path" | "now">, ended: Promise<void>): Promise<void> {
  const { config, log } = options;
  const tell = (message: DaemonMessage): void => {
    if (process.connected) process.send?.(message);
  };
  let cluster: LocalCluster;
  try {
    cluster = await startLocalCluster({ ...options, now: () => new Date(), path: process.env["PATH"] });
  } catch (error) {
    log.error({ error: errorText(error) }, "the cluster could not be started");
    tell({ type: "failed", message: errorText(error), code: (error as NodeJS.ErrnoException).code });
    return;
  }
  tell({ type: "ready", kubeconfig: cluster.kubeconfig, server: cluster.server });
  await ended;
  await cluster.close();
  if (config.tied) await removeStateDir(config.stateDir);
}
