import { join } from "node:path";
import { rm } from "node:fs/promises";
import { errorText } from "../../base/errors.ts";
import { stamp } from "../conditions.ts";
import { ids } from "../ids.ts";
import type { Container, DataObject, Pod, PodStatus, Service } from "../shapes.ts";
import { ContainerRunner, type ContainerHost, type RestartRule } from "./container-runner.ts";
import type { DataLookup, ServiceLink } from "./env.ts";
import { resolveImage } from "./images.ts";
import { launchContainer, runInContainer } from "./launch.ts";
import type { ContainerLog } from "./log.ts";
import type { PodNetwork } from "./network/types.ts";
import type { NodeContext } from "./node-context.ts";
import { podStatus } from "./pod-status.ts";
import type { ProcessExit } from "./process.ts";
import { pause } from "./prober.ts";
import { PodVolumes } from "./volumes.ts";

const RETRY_MS = 200;
const SYNC_MS = 60_000;

/** Runs one pod from its first container to its last. */
export class PodRunner {
  private pod: Pod;
  private readonly node: NodeContext;
  private readonly directory: string;
  private readonly volumes: PodVolumes;
  private readonly stopping = new AbortController();
  private readonly inits: readonly ContainerRunner[];
  private readonly mains: readonly ContainerRunner[];
  /** Those that were put into the pod while it ran. */
  private readonly ephemerals: ContainerRunner[] = [];
  private network: PodNetwork | undefined;
  /** Its volumes are there. */
  private prepared = false;
  private initialized = false;
  private ended: "Succeeded" | "Failed" | undefined;
  private readonly startTime: string;
  private statusQueued = false;
  private writing: Promise<void> = Promise.resolve();
  private refreshTimer: NodeJS.Timeout | undefined;
  private readonly running: Promise<void>;

  constructor(pod: Pod, node: NodeContext) {
    this.pod = pod;
    this.node = node;
    this.directory = join(node.directory, pod.metadata.uid ?? "");
    this.volumes = new PodVolumes(
      join(this.directory, "volumes"),
      node.network.users === "any" ? fsGroup(pod) : undefined,
    );
    this.startTime = pod.status?.startTime ?? stamp(node.now());
    const { initContainers = [], containers = [], restartPolicy = "Always" } = pod.spec ?? {};
    const rule: RestartRule =
      restartPolicy === "Always" ? "always" : restartPolicy === "Never" ? "never" : "on-failure";
    const initRule: RestartRule = rule === "never" ? "never" : "on-failure";
    this.inits = initContainers.map((container) =>
      this.runnerFor(container, isSidecar(container) ? "always" : initRule),
    );
    this.mains = containers.map((container) => this.runnerFor(container, rule));
    this.running = this.run().catch((error: unknown) => {
      node.log.error({ pod: pod.metadata.name, error }, "pod runner failed");
    });
  }

  /** The API object changed, or something its volumes show. */
  update(pod: Pod): void {
    this.pod = pod;
    this.startEphemerals();
  }

  /** Brings volumes up to date with what they show. */
  refresh(): void {
    if (this.network === undefined || this.stopping.signal.aborted) return;
    clearTimeout(this.refreshTimer);
    this.syncVolumes().catch((error: unknown) => {
      this.node.events.warning(this.pod, "FailedMount", errorText(error));
    });
  }

  /** Whether the volumes or variables of this pod come from the object. */
  reads(kind: "configMaps" | "secrets", name: string): boolean {
    const sources = (this.pod.spec?.volumes ?? []).flatMap((volume) => [volume, ...(volume.projected?.sources ?? [])]);
    if (kind === "configMaps" && name === "kube-root-ca.crt") return true;
    return sources.some((source) =>
      kind === "configMaps"
        ? source.configMap?.name === name
        : (source.secret?.secretName ?? source.secret?.name) === name,
    );
  }

  logOf(container: string, previous: boolean): ContainerLog | undefined {
    return [...this.inits, ...this.mains, ...this.ephemerals]
      .find((runner) => runner.container.name === container)
      ?.log(previous);
  }

  get podNetwork(): PodNetwork | undefined {
    return this.network;
  }

  get namespace(): string | undefined {
    return this.pod.metadata.namespace;
  }

  get name(): string {
    return this.pod.metadata.name;
  }

  /** A stop that is under way may wait no longer. */
  killNow(): void {
    for (const runner of [...this.mains, ...this.inits, ...this.ephemerals]) runner.killNow();
  }

  /** Ends the containers (sidecars after the others, last to first), the network and the files. */
  async stop(graceSeconds: number | undefined): Promise<void> {
    const grace = (graceSeconds ?? this.pod.spec?.terminationGracePeriodSeconds ?? 30) * 1000;
    const deadline = performance.now() + grace;
    const left = (): number => Math.max(0, deadline - performance.now());
    this.stopping.abort();
    clearTimeout(this.refreshTimer);
    const once = this.inits.filter((runner) => !isSidecar(runner.container));
    await Promise.all([...this.mains, ...once, ...this.ephemerals].map((runner) => runner.stop(left())));
    for (const runner of this.inits.filter((entry) => isSidecar(entry.container)).reverse()) await runner.stop(left());
    await this.running;
    await this.writing;
    await this.network?.close();
    await rm(this.directory, { recursive: true, force: true });
  }

  private async run(): Promise<void> {
    this.changed();
    if (!(await this.retrying("FailedCreatePodSandBox", async () => this.openNetwork()))) return;
    if (!(await this.retrying("FailedMount", async () => this.syncVolumes()))) return;
    this.prepared = true;
    this.startEphemerals();
    for (const runner of this.inits) {
      if (!(await this.runInit(runner))) return;
    }
    if (this.stopping.signal.aborted) return;
    this.initialized = true;
    for (const runner of this.mains) {
      runner.start();
      // A postStart hook holds back the containers that follow.
      if (runner.container.lifecycle?.postStart !== undefined) await runner.whenStarted();
      if (this.stopping.signal.aborted) return;
    }
    const exits = await Promise.all(this.mains.map((runner) => runner.done));
    if (this.stopping.signal.aborted) return;
    await this.end(exits);
  }

  /** Starts those that the pod has and that have not been started; each runs once. */
  private startEphemerals(): void {
    if (!this.prepared || this.ended !== undefined || this.stopping.signal.aborted) return;
    const known = new Set(this.ephemerals.map((runner) => runner.container.name));
    for (const container of this.pod.spec?.ephemeralContainers ?? []) {
      if (known.has(container.name)) continue;
      const runner = this.runnerFor(container, "never");
      this.ephemerals.push(runner);
      runner.start();
    }
  }

  /** False when the pod cannot go on. */
  private async runInit(runner: ContainerRunner): Promise<boolean> {
    if (this.stopping.signal.aborted) return false;
    runner.start();
    if (isSidecar(runner.container)) {
      await runner.whenStarted();
      return !this.stopping.signal.aborted;
    }
    const exit = await runner.done;
    if (this.stopping.signal.aborted) return false;
    if (exit?.code === 0) return true;
    await this.end([exit]);
    return false;
  }

  private async end(exits: readonly (ProcessExit | undefined)[]): Promise<void> {
    await Promise.all(this.ephemerals.map((runner) => runner.stop(0)));
    for (const runner of this.inits.filter((entry) => isSidecar(entry.container)).reverse()) await runner.stop(30_000);
    this.ended = exits.every((exit) => exit?.code === 0) ? "Succeeded" : "Failed";
    this.changed();
  }

  private async openNetwork(): Promise<void> {
    this.network = await this.node.network.createPod(this.pod);
    this.changed();
  }

  private async syncVolumes(): Promise<void> {
    const { now } = this.node;
    const facts = { podIp: this.network?.ip ?? "", hostIp: this.node.network.nodeIp };
    const token = (audience: string | undefined, seconds: number): Promise<string> =>
      this.node.issueToken(this.pod, audience, seconds);
    await this.volumes.sync({ pod: this.pod, facts, data: this.dataLookup(), token, now });
    const wait = Math.min(SYNC_MS, this.volumes.msToRefresh(now()) ?? SYNC_MS);
    clearTimeout(this.refreshTimer);
    if (this.stopping.signal.aborted) return;
    this.refreshTimer = setTimeout(() => {
      this.refresh();
    }, wait);
    this.refreshTimer.unref();
  }

  /** Until it works or the pod is stopped; each new failure is an event. */
  private async retrying(reason: string, work: () => Promise<void>): Promise<boolean> {
    let last = "";
    for (;;) {
      if (this.stopping.signal.aborted) return false;
      try {
        await work();
        return true;
      } catch (error) {
        if (errorText(error) !== last) this.node.events.warning(this.pod, reason, errorText(error));
        last = errorText(error);
      }
      await pause(RETRY_MS, this.stopping.signal);
    }
  }

  private dataLookup(): DataLookup {
    const { cache } = this.node;
    const { namespace } = this.pod.metadata;
    return {
      configMap: (name) => cache.get<DataObject>(ids.configMaps, namespace, name),
      secret: (name) => cache.get<DataObject>(ids.secrets, namespace, name),
    };
  }

  private serviceLinks(): readonly ServiceLink[] {
    if (this.pod.spec?.enableServiceLinks === false) return [];
    const { cache, network } = this.node;
    const ip = this.network?.ip ?? "";
    return cache.list<Service>(ids.services, this.pod.metadata.namespace).flatMap(({ metadata, spec }) => {
      const { clusterIP = "", ports = [] } = spec ?? {};
      if (clusterIP === "" || clusterIP === "None" || metadata.name === "kubernetes") return [];
      const host = network.serviceHost(ip, clusterIP);
      const links = ports.map(({ name, port, protocol = "TCP" }) => ({
        name,
        port,
        realPort: network.realPort(port),
        protocol,
      }));
      return [{ name: metadata.name, host, ports: links }];
    });
  }

  private runnerFor(container: Container, rule: RestartRule): ContainerRunner {
    const { node } = this;
    const image = resolveImage(container.image ?? "", node.images);
    if (image.standIn) {
      const instead = rule === "always" ? "an HTTP echo server runs in its place" : "nothing runs in its place";
      const text = `image ${container.image ?? ""} is not known to the local cluster: ${instead} (meshctl up --map IMAGE=CMD runs a program of yours)`;
      node.events.warning(this.pod, "UnknownImage", text);
    }
    const place = (): Parameters<typeof launchContainer>[0] => {
      if (this.network === undefined) throw new Error("the pod has no network yet");
      const { network, volumes, pod } = this;
      return {
        node,
        pod,
        container,
        image,
        network,
        volumes,
        directory: join(this.directory, "containers", container.name),
        data: this.dataLookup(),
        services: this.serviceLinks(),
        ends: rule !== "always",
      };
    };
    const host: ContainerHost = {
      launch: (log) => launchContainer(place(), log),
      target: {
        get podIp() {
          return place().network.ip;
        },
        realPort: (port) => node.network.realPort(port),
        ports: container.ports,
        exec: (command, timeoutMs) => runInContainer(place(), command, timeoutMs),
      },
      imageId: image.id,
      now: node.now,
      onChange: () => {
        this.changed();
      },
      warn: (reason, message) => {
        node.events.warning(this.pod, reason, message);
      },
      normal: (reason, message) => {
        node.events.normal(this.pod, reason, message);
      },
    };
    return new ContainerRunner(container, rule, host);
  }

  /** Writes the status soon; changes of one moment make one write, writes follow each other. */
  private changed(): void {
    if (this.statusQueued) return;
    this.statusQueued = true;
    queueMicrotask(() => {
      this.writing = this.writing.then(() => {
        this.statusQueued = false;
        return this.node.writeStatus(this.pod, this.statusNow());
      });
    });
  }

  private statusNow(): PodStatus {
    const view = {
      pod: this.pod,
      podIp: this.network?.ip,
      hostIp: this.node.network.nodeIp,
      startTime: this.startTime,
      initialized: this.initialized,
      init: this.inits.map((runner) => runner.status()),
      main: this.mains.map((runner) => runner.status()),
      ephemeral: this.ephemerals.map((runner) => runner.status()),
      sidecars: new Set(this.inits.filter((entry) => isSidecar(entry.container)).map((entry) => entry.container.name)),
      ended: this.ended,
      problem: undefined,
    };
    return podStatus(view, this.node.now());
  }
}

function isSidecar(container: Container): boolean {
  return container.restartPolicy === "Always";
}

function fsGroup(pod: Pod): number | undefined {
  return pod.spec?.securityContext?.fsGroup;
}
