import { errorText } from "../../base/errors.ts";
import { stamp } from "../conditions.ts";
import type { Container, ContainerState, ContainerStatus, Handler } from "../shapes.ts";
import { ContainerLog } from "./log.ts";
import { type ProbeTarget, httpGet, probeOnce } from "./probe.ts";
import { pause, runProber } from "./prober.ts";
import type { ProcessExit, RunningProcess } from "./process.ts";

/** What a runner needs of its pod. */
export interface ContainerHost {
  /** Starts the container's program anew; rejects when its configuration cannot be had. */
  readonly launch: (log: ContainerLog) => Promise<RunningProcess>;
  readonly target: ProbeTarget;
  readonly imageId: string;
  readonly now: () => Date;
  /** Something that the pod's status shows has changed. */
  readonly onChange: () => void;
  readonly warn: (reason: string, message: string) => void;
  readonly normal: (reason: string, message: string) => void;
}

export type RestartRule = "always" | "on-failure" | "never";

const FIRST_BACKOFF_MS = 1000;
const LAST_BACKOFF_MS = 60_000;
/** A run at least this long starts the pauses over. */
const STEADY_MS = 60_000;
const DEFAULT_HOOK_MS = 30_000;

/**
 * One container through all its runs: start, probes, restart with growing pauses (0, 1, 2, 4 … 60 s), stop. The first restart is
 * at once, as with the kubelet; the later pauses are shorter than the kubelet's, since people wait in front of this cluster.
 */
export class ContainerRunner {
  readonly container: Container;
  private readonly host: ContainerHost;
  private readonly rule: RestartRule;
  private readonly stopping = new AbortController();
  private readonly logs: { current: ContainerLog; previous: ContainerLog | undefined };
  private process: RunningProcess | undefined;
  private probes = new AbortController();
  private state: ContainerState = { waiting: { reason: "PodInitializing" } };
  private lastState: ContainerState = {};
  private restarts = 0;
  private started = false;
  private ready = false;
  private runId = 0;
  private readonly startedWaiters: (() => void)[] = [];
  /** Settles when the container will not run again; with the last exit. */
  readonly done: Promise<ProcessExit | undefined>;
  private finish: (exit: ProcessExit | undefined) => void = () => undefined;

  constructor(container: Container, rule: RestartRule, host: ContainerHost) {
    this.container = container;
    this.rule = rule;
    this.host = host;
    this.logs = { current: new ContainerLog(host.now), previous: undefined };
    this.done = new Promise((resolve) => {
      this.finish = resolve;
    });
  }

  /** Begins running; returns at once. */
  start(): void {
    void this.loop().then(this.finish);
  }

  /** Resolves when the container has started for the first time (postStart hook and startup probe passed) or has ended. */
  async whenStarted(): Promise<void> {
    if (this.started) return;
    const waiting = new Promise<void>((resolve) => {
      this.startedWaiters.push(resolve);
    });
    await Promise.race([waiting, this.done]);
  }

  /** preStop hook, SIGTERM, and SIGKILL when the time is over. */
  async stop(graceMs: number): Promise<void> {
    const running = this.process;
    this.stopping.abort();
    this.setReady(false);
    if (running === undefined) {
      if (this.runId === 0) this.finish(undefined);
      await this.done;
      return;
    }
    const kill = setTimeout(() => {
      running.killGroup();
    }, graceMs);
    const preStop = this.container.lifecycle?.preStop;
    if (preStop !== undefined) await this.hook(preStop, Math.min(graceMs, DEFAULT_HOOK_MS)).catch(() => undefined);
    running.signal("SIGTERM");
    await this.done;
    clearTimeout(kill);
  }

  killNow(): void {
    this.process?.killGroup();
  }

  log(previous: boolean): ContainerLog | undefined {
    return previous ? this.logs.previous : this.logs.current;
  }

  isReady(): boolean {
    return this.ready;
  }

  hasStarted(): boolean {
    return this.started;
  }

  status(): ContainerStatus {
    return {
      name: this.container.name,
      image: this.container.image ?? "",
      imageID: this.host.imageId,
      ...(this.process?.pid === undefined ? {} : { containerID: `meshctl://${this.process.pid}` }),
      ready: this.ready,
      started: this.started,
      restartCount: this.restarts,
      state: this.state,
      lastState: this.lastState,
    };
  }

  private async loop(): Promise<ProcessExit | undefined> {
    let backoff = 0;
    for (;;) {
      const began = performance.now();
      const exit = await this.runOnce();
      const again = this.rule === "always" || (this.rule === "on-failure" && exit.code !== 0);
      if (this.stopping.signal.aborted || !again) return exit;
      if (performance.now() - began > STEADY_MS) backoff = 0;
      if (this.state.terminated !== undefined) this.lastState = this.state;
      if (backoff > 0) {
        const reason = "CrashLoopBackOff";
        const message = `back-off ${backoff / 1000}s restarting container ${this.container.name}`;
        if (this.state.waiting === undefined) this.setState({ waiting: { reason, message } });
        this.host.warn("BackOff", message);
      }
      if (!(await pause(backoff, this.stopping.signal))) return exit;
      backoff = Math.min(LAST_BACKOFF_MS, backoff === 0 ? FIRST_BACKOFF_MS : backoff * 2);
      this.restarts++;
      this.logs.previous = this.logs.current;
      this.logs.current = new ContainerLog(this.host.now);
    }
  }

  private async runOnce(): Promise<ProcessExit> {
    this.runId++;
    let running: RunningProcess;
    try {
      running = await this.host.launch(this.logs.current);
    } catch (error) {
      this.setState({ waiting: { reason: "CreateContainerConfigError", message: errorText(error) } });
      this.host.warn("Failed", `Error: ${errorText(error)}`);
      return { code: 128, signal: undefined };
    }
    this.process = running;
    const startedAt = stamp(this.host.now());
    this.setState({ running: { startedAt } });
    this.host.normal("Started", `Started container ${this.container.name}`);
    if (this.stopping.signal.aborted) running.signal("SIGTERM");
    this.probes = new AbortController();
    void this.afterStart(this.probes.signal);
    const exit = await running.exited;
    this.probes.abort();
    this.process = undefined;
    this.started = false;
    this.ready = false;
    this.setState({
      terminated: {
        exitCode: exit.code,
        ...(exit.signal === undefined ? {} : { signal: exit.signal }),
        reason: exit.code === 0 ? "Completed" : "Error",
        ...(exit.code === 0 ? {} : { message: this.logs.current.tail(5).slice(-2048) }),
        startedAt,
        finishedAt: stamp(this.host.now()),
      },
    });
    return exit;
  }

  private async afterStart(signal: AbortSignal): Promise<void> {
    const { lifecycle, startupProbe, readinessProbe, livenessProbe } = this.container;
    if (lifecycle?.postStart !== undefined) {
      try {
        await this.hook(lifecycle.postStart, undefined);
      } catch (error) {
        this.host.warn("FailedPostStartHook", errorText(error));
        this.process?.killGroup();
        return;
      }
    }
    const ask = (probe: NonNullable<typeof startupProbe>) => () => probeOnce(probe, this.host.target);
    if (startupProbe !== undefined) {
      const passed = new AbortController();
      const both = AbortSignal.any([signal, passed.signal]);
      const onFailure = (message: string): void => {
        this.restart("Startup", message);
      };
      const onSuccess = (): void => {
        passed.abort();
      };
      await runProber({ probe: startupProbe, eager: true, ask: ask(startupProbe), onSuccess, onFailure, signal: both });
    }
    if (signal.aborted) return;
    this.started = true;
    for (const waiter of this.startedWaiters.splice(0)) waiter();
    if (readinessProbe === undefined) this.setReady(true);
    else {
      const onSuccess = (): void => {
        this.setReady(true);
      };
      const onFailure = (message: string): void => {
        if (this.ready) this.host.warn("Unhealthy", `Readiness probe failed: ${message}`);
        this.setReady(false);
      };
      void runProber({ probe: readinessProbe, eager: true, ask: ask(readinessProbe), onSuccess, onFailure, signal });
    }
    if (livenessProbe !== undefined) {
      const onFailure = (message: string): void => {
        this.restart("Liveness", message);
      };
      const onSuccess = (): void => undefined;
      void runProber({ probe: livenessProbe, eager: false, ask: ask(livenessProbe), onSuccess, onFailure, signal });
    }
  }

  private restart(kind: string, message: string): void {
    const running = this.process;
    this.host.warn("Unhealthy", `${kind} probe failed: ${message}`);
    this.host.warn("Killing", `Container ${this.container.name} failed ${kind.toLowerCase()} probe, will be restarted`);
    this.probes.abort();
    running?.signal("SIGTERM");
    const kill = setTimeout(() => running?.killGroup(), DEFAULT_HOOK_MS);
    void running?.exited.then(() => {
      clearTimeout(kill);
    });
  }

  private async hook(handler: Handler, timeoutMs: number | undefined): Promise<void> {
    const limit = timeoutMs ?? 10 * DEFAULT_HOOK_MS;
    if (handler.sleep !== undefined)
      await pause(Math.min(handler.sleep.seconds * 1000, limit), new AbortController().signal);
    if (handler.httpGet !== undefined) {
      const failure = await httpGet(handler.httpGet, this.host.target, limit);
      if (failure !== undefined) throw new Error(failure);
    }
    if (handler.exec !== undefined) {
      const code = await this.host.target.exec(handler.exec.command ?? [], limit);
      if (code !== 0) throw new Error(`hook command ended with ${code}`);
    }
  }

  private setReady(ready: boolean): void {
    if (this.ready === ready) {
      if (this.started) this.host.onChange();
      return;
    }
    this.ready = ready;
    this.host.onChange();
  }

  private setState(state: ContainerState): void {
    this.state = state;
    this.host.onChange();
  }
}
