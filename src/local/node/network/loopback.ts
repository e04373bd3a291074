import { explicitPort } from "../../../base/explicit-port.ts";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { type Server, createServer } from "node:net";
import { join } from "node:path";
import type { Duplex } from "node:stream";
import { EnvironmentError } from "../../../base/errors.ts";
import type { Logger } from "../../../base/logger.ts";
import type { LoadBalancerAddress } from "../../controllers/controller.ts";
import type { Pod, Service } from "../../shapes.ts";
import { dialTcp } from "./dial.ts";
import { type Forwarder, type PickTarget, startForwarder } from "./forwarder.ts";
import { HostPorts } from "./host-ports.ts";
import { hostsFile, overwrite } from "./hosts.ts";
import {
  FIRST_WORKLOAD,
  LAST_WORKLOAD,
  appAddress,
  explicitEnv,
  hasProxy,
  isProxy,
  podAddress,
  serviceAddress,
  workloadOf,
} from "./loopback-plan.ts";
import { pickEndpoint } from "./table.ts";
import type { NodeNetwork, PodNetwork, ProcessSpec, ServiceEntry } from "./types.ts";

export interface LoopbackOptions {
  readonly log: Logger;
  /** Full path of setpriv, when there is one: processes then end with the node even when it is killed. */
  readonly setpriv: string | undefined;
  /** The node runs as root: what pods run must not be able to change the machine, whose network they share. */
  readonly root: boolean;
  /** Where hosts files are kept. */
  readonly directory: string;
}

/** Capabilities that reach beyond a process and its files. */
const WITHOUT = "-net_admin,-net_raw,-sys_admin,-sys_module,-sys_rawio,-sys_boot,-sys_time,-sys_ptrace,-mknod";

/** Pods on addresses 127.w.0.1 of this machine, without any privilege. Throws EnvironmentError for root without setpriv. */
export async function createLoopbackNetwork(options: LoopbackOptions): Promise<NodeNetwork> {
  if (options.root && options.setpriv === undefined) {
    throw new EnvironmentError(
      "no-setpriv",
      "pods that run as root on loopback addresses need setpriv to be held in bounds",
      {
        hint: "install util-linux, or run meshctl up as another user",
      },
    );
  }
  await mkdir(options.directory, { recursive: true });
  const network = new LoopbackNetwork(options);
  await network.open();
  return network;
}

interface PlacedPod {
  readonly pod: Pod;
  readonly injected: boolean;
}

class LoopbackNetwork implements NodeNetwork {
  readonly kind = "loopback";
  readonly users = "own";
  readonly nodeIp = "127.0.0.1";
  readonly serviceCidr = "10.96.0.0/16";
  private readonly options: LoopbackOptions;
  private services: readonly ServiceEntry[] = [];
  /** Claims of workload numbers: abstract sockets, which the kernel frees when this process ends. */
  private readonly claims = new Map<number, Server>();
  private readonly pods = new Map<number, PlacedPod>();
  /** The node's own number: at 127.w.S.s it forwards to Services, for whoever has no proxy that does. */
  private own = FIRST_WORKLOAD;
  private readonly forwarders = new Map<string, Promise<Forwarder | undefined>>();
  private readonly hostPorts = new HostPorts((service, port) => this.pick(service, port));
  private work: Promise<void> = Promise.resolve();

  constructor(options: LoopbackOptions) {
    this.options = options;
  }

  async open(): Promise<void> {
    this.own = await this.claim();
  }

  realPort(port: number): number {
    return explicitPort(port);
  }

  serviceHost(podIp: string, clusterIp: string): string {
    const w = workloadOf(podIp);
    const injected = w !== undefined && this.pods.get(w)?.injected === true;
    return serviceAddress(injected ? w : this.own, clusterIp);
  }

  async createPod(pod: Pod): Promise<PodNetwork> {
    const w = await this.claim();
    const injected = hasProxy(pod);
    this.pods.set(w, { pod, injected });
    await this.writeHosts(w);
    return {
      ip: podAddress(w),
      env: (container) => explicitEnv(w, injected, container),
      hostsFile: (container) => this.hostsPath(w, isProxy(container)),
      wrap: (spec) => this.wrap(spec),
      dial: (port) => dialFirst(injected ? [appAddress(w), podAddress(w)] : [podAddress(w)], explicitPort(port)),
      close: async () => {
        this.pods.delete(w);
        this.claims.get(w)?.close();
        this.claims.delete(w);
        await rm(this.hostsPath(w, true), { force: true });
        await rm(this.hostsPath(w, false), { force: true });
      },
    };
  }

  setServices(services: readonly ServiceEntry[]): Promise<void> {
    this.services = services;
    this.hostPorts.keep(new Set(services.map(({ namespace, name }) => `${namespace}/${name}`)));
    this.work = this.work.then(async () => {
      await this.syncForwarders();
      for (const w of this.pods.keys()) await this.writeHosts(w);
    });
    return this.work;
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
    const { setpriv, root } = this.options;
    const limits = root ? ["--bounding-set", WITHOUT, "--inh-caps", "-all", "--no-new-privs"] : [];
    const [file = "", ...args] =
      setpriv === undefined ? argv : [setpriv, "--pdeathsig", "KILL", ...limits, "--", ...argv];
    return { file, args, cwd };
  }

  private hostsPath(w: number, proxy: boolean): string {
    return join(this.options.directory, `hosts-${w}${proxy ? "-proxy" : ""}`);
  }

  /** A proxy must reach the control plane before it can listen on addresses of its own, so it goes through the node. */
  private async writeHosts(w: number): Promise<void> {
    const placed = this.pods.get(w);
    if (placed === undefined) return;
    const { metadata, spec } = placed.pod;
    const hostname = spec?.hostname ?? metadata.name;
    for (const proxy of placed.injected ? [true, false] : [false]) {
      const number = placed.injected && !proxy ? w : this.own;
      const services = this.services.map((service) =>
        service.clusterIp === undefined
          ? service
          : { ...service, clusterIp: serviceAddress(number, service.clusterIp) },
      );
      const text = hostsFile(services, { namespace: metadata.namespace ?? "", hostname, ip: podAddress(w) });
      const path = this.hostsPath(w, proxy);
      await writeFile(path, "", { flag: "a" });
      overwrite(path, text);
    }
  }

  private async syncForwarders(): Promise<void> {
    const wanted = new Map<string, { host: string; port: number; pick: PickTarget }>();
    for (const { namespace, name, clusterIp, ports } of this.services) {
      if (clusterIp === undefined) continue;
      for (const { port, protocol } of ports) {
        if (protocol !== "TCP") continue;
        const host = serviceAddress(this.own, clusterIp);
        const real = explicitPort(port);
        wanted.set(`${host}:${real}`, { host, port: real, pick: () => this.pick(`${namespace}/${name}`, port) });
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

  private pick(service: string, port: number): ReturnType<typeof pickEndpoint> {
    return pickEndpoint(this.services, service, port);
  }
}

/** Past the proxy to the application where it listens, as a connection from inside its pod would go. */
async function dialFirst(hosts: readonly string[], port: number): Promise<Duplex> {
  let failure: unknown;
  for (const host of hosts) {
    try {
      return await dialTcp(host, port);
    } catch (error) {
      failure = error;
    }
  }
  throw failure instanceof Error ? failure : new Error(`port ${port} of the pod is closed`);
}
