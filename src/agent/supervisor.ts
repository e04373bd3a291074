import type { Logger } from "../base/logger.ts";
import { errorText } from "../base/errors.ts";
import { type DrainEvent, type DrainPolicy, type DrainState, started, stepDrain } from "./drain-state.ts";
import type { EnvoyAdmin } from "./envoy-admin.ts";
import type { EnvoyProcess } from "./envoy-process.ts";
import type { Runner } from "./runner.ts";

/** Envoy's life as the rest of the agent sees it. */
export interface Supervisor extends Runner {
  /** Resolves with the agent's exit code when Envoy is gone. */
  readonly done: Promise<number>;
  send(event: Extract<DrainEvent, { type: "terminate" | "drain-only" | "quit" }>): void;
}

export interface SupervisorDeps {
  /** Starts the process: by start(), and again after a crash. */
  readonly spawn: () => Promise<EnvoyProcess>;
  readonly admin: EnvoyAdmin;
  readonly policy: DrainPolicy;
  /** A gateway's listeners are outbound by name: all of them drain. */
  readonly role: "sidecar" | "router";
  /** Ports whose connections do not count as the application's. */
  readonly ownPorts: readonly number[];
  readonly log: Logger;
}

/** Consumes the bootstrap and Envoy's admin interface; offers a running Envoy and its orderly end. */
export function createSupervisor(deps: SupervisorDeps): Supervisor {
  const { log } = deps;
  let state: DrainState = started;
  let process: EnvoyProcess | undefined;
  let timer: NodeJS.Timeout | undefined;
  let finish: (code: number) => void = () => undefined;
  const done = new Promise<number>((resolve) => {
    finish = resolve;
  });

  const launch = async (): Promise<void> => {
    process = await deps.spawn();
    log.info({ pid: process.pid }, "Envoy started");
    void process.exited.then((code) => handle({ type: "envoy-exit", code }));
  };
  const handle = (event: DrainEvent): void => {
    const [next, effects] = stepDrain(state, event, deps.policy);
    state = next;
    for (const effect of effects) {
      switch (effect.type) {
        case "log":
          log.info({}, effect.message);
          break;
        case "timer":
          clearTimeout(timer);
          timer = setTimeout(() => handle({ type: "timer" }), effect.delay);
          break;
        case "start-envoy":
          launch().catch((error: unknown) => handle(failedStart(log, error)));
          break;
        case "drain-listeners":
          void drainListeners(deps);
          break;
        case "count-connections":
          void activeConnections(deps).then((active) => handle({ type: "connections", active }));
          break;
        case "stop-envoy":
        case "kill-envoy":
          process?.signal(effect.type === "stop-envoy" ? "SIGTERM" : "SIGKILL");
          break;
        case "exit":
          clearTimeout(timer);
          finish(effect.code);
          break;
      }
    }
  };

  return {
    name: "envoy",
    done,
    send: handle,
    start: launch,
    close: async () => {
      if (process === undefined) return;
      process.signal("SIGKILL");
      await process.exited;
      clearTimeout(timer);
    },
  };
}

function failedStart(log: Logger, error: unknown): DrainEvent {
  log.error({}, `Envoy cannot be started: ${errorText(error)}`);
  return { type: "envoy-exit", code: 127 };
}

async function drainListeners({ admin, role, log }: SupervisorDeps): Promise<void> {
  const path = `/drain_listeners?${role === "sidecar" ? "inboundonly&" : ""}graceful`;
  await admin.call("POST", path).catch((error: unknown) => log.warn({}, `cannot drain: ${errorText(error)}`));
}

/** Connections from outside that are still open; Infinity, so that nobody is cut, when Envoy does not say. */
async function activeConnections({ admin, ownPorts }: SupervisorDeps): Promise<number> {
  try {
    return countConnections(await admin.call("GET", "/stats?filter=downstream_cx_active"), ownPorts);
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}

/** Sum of `listener.<address>.downstream_cx_active`, without the admin's, per worker counts and our own ports. */
export function countConnections(stats: string, ownPorts: readonly number[]): number {
  let total = 0;
  for (const line of stats.split("\n")) {
    const match = /^listener\.(.+)\.downstream_cx_active: (\d+)$/.exec(line);
    const address = match?.[1] ?? "admin";
    if (address.startsWith("admin") || /\.worker_\d+$/.test(address)) continue;
    if (!ownPorts.some((port) => address.endsWith(`_${port}`))) total += Number(match?.[2]);
  }
  return total;
}
