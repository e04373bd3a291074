import { type Server, createServer } from "node:net";
import type { Duplex } from "node:stream";
import type { Logger } from "../../../base/logger.ts";
import type { LoadBalancerAddress } from "../../controllers/controller.ts";
import type { Pod, Service } from "../../shapes.ts";
import { type Forwarder, type PickTarget, startForwarder } from "./forwarder.ts";
import { HostPorts } from "./host-ports.ts";
import {
  FIRST_WORKLOAD,
  LAST_WORKLOAD,
  appAddress,
  podAddress,
  serviceAddress,
  unprivilegedPort,
  workloadOf,
} from "./loopback-plan.ts";
import { dialTcp } from "./dial.ts";
import type { NodeNetwork, PodNetwork, ProcessSpec, ServiceEntry } from "./types.ts";

const HTTP_PROXY_PORT = 15080;
const PROXY_CONTAINERS = new Set(["istio-proxy", "istio-init", "istio-validation"]);

export interface LoopbackOptions {
  readonly log: Logger;
  /** Full path of setpriv, when there is one: processes then end with the node even when it is killed. */
  readonly setpriv: string | undefined;
}

/** Pods on addresses 127.w.0.1 of this machine, without any privilege. */
export async function createLoopbackNetwork(options: LoopbackOptions): Promise<NodeNetwork> {
  return Promise.resolve(new LoopbackNetwork(options));
}

class LoopbackNetwork implements NodeNetwork {
  readonly kind = "loopback";
  readonly nodeIp = "127.0.0.1";
  readonly serviceCidr = "10.96.0.0/16";
  private readonly options: LoopbackOptions;
  private services: readonly ServiceEntry[] = [];
  /** Claims of workload numbers: abstract sockets, which the kernel frees when this process ends. */
  private readonly claims = new Map<number, Server>();
  /** Pods that have no proxy of their own to listen on their service addresses. */
  private readonly plain = new Set<number>();
  private readonly forwarders = new Map<string, Promise<Forwarder | undefined>>();
  private readonly hostPorts = new HostPorts((service, port) => this.pick(service, port));

  constructor(options: LoopbackOptions) {
    this.options = options;
  }

  realPort(port: number): number {
    return unprivilegedPort(port);
  }

  serviceHost(podIp: string, clusterIp: string): string {
    return serviceAddress(workloadOf(podIp) ?? FIRST_WORKLOAD, clusterIp);
  }

  async createPod(pod: Pod): Promise<PodNetwork> {
    const w = await this.claim();
    const injected = hasProxy(pod);
    if (!injected) this.plain.add(w);
    await this.syncForwarders();
    return {
      ip: podAddress(w),
      env: (container) => explicitEnv(w, injected, container),
      wrap: (spec) => this.wrap(spec),
      dial: (port) => dialFirst([podAddress(w), appAddress(w), "127.0.0.1"], unprivilegedPort(port)),
      close: async () => {
        this.plain.delete(w);
        this.claims.get(w)?.close();
        this.claims.delete(w);
        await this.syncForwarders();
      },
    };
  }

  async setServices(services: readonly ServiceEntry[]): Promise<void> {
    this.services = services;
    this.hostPorts.keep(new Set(services.map(({ namespace, name }) => `${namespace}/${name}`)));
    await this.syncForwarders();
  }

  loadBalancerAddress(service: Service): Promise<LoadBalancerAddress | undefined> {
    return this.hostPorts.open(service);
  }

  async close(): Promise<void> {
    for (const forwarder of this.forwarders.values()) (await forwarder)?.close();
    for (const claim of this.claims.values()) claim.close();
    this.hostPorts.keep(new Set());
    this.forwarders.clear();
    this.claims.clear();
  }

  private async claim(): Promise<number> {
    for (let w = FIRST_WORKLOAD; w <= LAST_WORKLOAD; w++) {
      if (this.claims.has(w)) continue;
      const server = createServer();
      this.claims.set(w, server);
      const free = await new Promise<boolean>((resolve) => {
        server.once("error", () => {
          resolve(false);
        });
        server.listen(`\0meshctl-workload-${w}`, () => {
          resolve(true);
        });
      });
      if (free) return w;
      this.claims.delete(w);
    }
    throw new Error(`all ${LAST_WORKLOAD} loopback workload addresses are in use on this machine`);
  }

  private wrap({ argv, cwd }: ProcessSpec): { file: string; args: readonly string[]; cwd: string } {
    const { setpriv } = this.options;
    const [file = "", ...args] = setpriv === undefined ? argv : [setpriv, "--pdeathsig", "KILL", "--", ...argv];
    return { file, args, cwd };
  }

  /** Uninjected pods have no proxy that listens on their service addresses, so the node does. */
  private async syncForwarders(): Promise<void> {
    const wanted = new Map<string, { host: string; port: number; pick: PickTarget }>();
    for (const w of this.plain) {
      for (const { namespace, name, clusterIp, ports } of this.services) {
        if (clusterIp === undefined) continue;
        for (const { port, protocol } of ports) {
          if (protocol !== "TCP") continue;
          const host = serviceAddress(w, clusterIp);
          const real = unprivilegedPort(port);
          wanted.set(`${host}:${real}`, { host, port: real, pick: () => this.pick(`${namespace}/${name}`, port) });
        }
      }
    }
    for (const [key, forwarder] of this.forwarders) {
      if (wanted.has(key)) continue;
      this.forwarders.delete(key);
      (await forwarder)?.close();
    }
    for (const [key, { host, port, pick }] of wanted) {
      if (this.forwarders.has(key)) continue;
      const started = startForwarder(host, port, pick).catch((error: unknown) => {
        this.options.log.warn({ address: key, error }, "cannot listen for a service");
        return undefined;
      });
      this.forwarders.set(key, started);
    }
    await Promise.all(this.forwarders.values());
  }

  private pick(service: string, port: number): { ip: string; port: number } | undefined {
    const entry = this.services.find(({ namespace, name }) => `${namespace}/${name}` === service);
    const endpoints = entry?.ports.find((candidate) => candidate.port === port)?.endpoints ?? [];
    return endpoints[Math.floor(Math.random() * endpoints.length)];
  }
}

/** The pod has a proxy of the mesh, which listens on its addresses itself. */
function hasProxy(pod: Pod): boolean {
  const { containers = [], initContainers = [] } = pod.spec ?? {};
  return [...containers, ...initContainers].some((container) => container.name === "istio-proxy");
}

/**
 * How programs learn that nothing is intercepted here, and on which addresses to bind instead. Not for proxies: http_proxy, which
 * would send their own calls through themselves.
 */
function explicitEnv(w: number, injected: boolean, container: string): Readonly<Record<string, string>> {
  if (!injected) return { BIND_ADDRESS: podAddress(w) };
  if (PROXY_CONTAINERS.has(container)) {
    const bind = { prefix: `127.${w}`, appAddress: appAddress(w), httpProxyPort: HTTP_PROXY_PORT };
    return { ISTIO_META_INTERCEPTION_MODE: "NONE", ISTIO_META_MESH_BIND: JSON.stringify(bind) };
  }
  const proxy = `http://${podAddress(w)}:${HTTP_PROXY_PORT}`;
  return { BIND_ADDRESS: appAddress(w), http_proxy: proxy, no_proxy: "localhost,127.0.0.1,127.0.0.0/8" };
}

async function dialFirst(hosts: readonly string[], port: number): Promise<Duplex> {
  let failure: unknown;
  for (const host of hosts) {
    try {
      return await dialTcp(host, port);
    } catch (error) {
      failure = error;
    }
  }
  throw failure;
}
