import { spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import { errorText } from "../base/errors.ts";
import type { Logger } from "../base/logger.ts";
import { openReportStream, type ReportStream } from "../grpc/ads-client.ts";
import type { CaCredential } from "../grpc/ca-client.ts";
import type { Messages } from "../wire/codec.ts";
import type { AgentConfig } from "./config.ts";
import { resolveHost } from "./hosts.ts";
import { isRecord } from "./metadata.ts";
import { probeTarget, readProbe, runProbe } from "./probe.ts";
import type { Readiness } from "./readiness.ts";
import type { Runner } from "./runner.ts";

/** Metadata is read from JSON and the environment: plain data. */
type Struct = NonNullable<Messages["envoy.config.core.v3.Node"]["metadata"]>;

export interface AppHealthDeps {
  readonly config: AgentConfig;
  /** The certificate that Envoy is served, once there is one. */
  readonly certificate: () => CaCredential | undefined;
  /** Whether the proxy can take traffic. */
  readonly ready: () => Promise<Readiness>;
  readonly log: Logger;
}

/** The runner, and how it says that the workload is about to end. */
export interface AppHealth extends Runner {
  /** From now on the word is that it takes no traffic, whatever the application says. */
  leave(): void;
}

/** How often and how patiently is asked; milliseconds, and answers in a row. */
export interface HealthPolicy {
  readonly initialDelay: number;
  readonly period: number;
  readonly timeout: number;
  readonly successes: number;
  readonly failures: number;
}

/** Undecided until the first threshold is reached; `run` counts answers of one kind in a row. */
export interface HealthState {
  readonly healthy: boolean | undefined;
  readonly run: number;
  readonly last: boolean | undefined;
}

export const UNDECIDED: HealthState = { healthy: undefined, run: 0, last: undefined };
const RETRY_MS = 1_000;

/** One answer. */
export function stepHealth(state: HealthState, ok: boolean, policy: HealthPolicy): HealthState {
  const run = state.last === ok ? state.run + 1 : 1;
  const isEnough = run >= (ok ? policy.successes : policy.failures);
  return { healthy: isEnough ? ok : state.healthy, run, last: ok };
}

/** Kubernetes' defaults. */
export function healthPolicy(probe: Readonly<Record<string, unknown>>): HealthPolicy {
  const number = (key: string, fallback: number): number => {
    const value = probe[key];
    return typeof value === "number" && value > 0 ? value : fallback;
  };
  return {
    initialDelay: number("initialDelaySeconds", 0) * 1000,
    period: number("periodSeconds", 10) * 1000,
    timeout: number("timeoutSeconds", 1) * 1000,
    successes: number("successThreshold", 1),
    failures: number("failureThreshold", 3),
  };
}

/** What was last said, to be said again on each new stream. */
interface Reporter {
  /** `undefined`: nothing is lacking. */
  say(error: string | undefined): void;
  hasSpoken(): boolean;
  close(): void;
}

/** A stream on which nothing is said would be turned away: it is opened when there is a word. */
function createReporter({ config, certificate, log }: AppHealthDeps): Reporter {
  let word: { readonly error: string | undefined } | undefined;
  let stream: ReportStream | undefined;
  let reopening: NodeJS.Timeout | undefined;
  let isOpening = false;
  let isClosed = false;
  const again = (error: string | undefined): void => {
    stream = undefined;
    if (isClosed) return;
    if (error !== undefined) log.debug({}, `no stream for health: ${error}`);
    reopening = setTimeout(() => {
      reopening = undefined;
      void open();
    }, RETRY_MS);
  };
  const open = async (): Promise<void> => {
    isOpening = true;
    try {
      const request = await streamRequest(config, certificate());
      if (isClosed) return;
      stream = openReportStream(request, again);
      if (word !== undefined) stream.send(word.error);
    } catch (error) {
      again(errorText(error));
    } finally {
      isOpening = false;
    }
  };
  return {
    say(error) {
      word = { error };
      if (stream !== undefined) stream.send(error);
      else if (reopening === undefined && !isOpening) void open();
    },
    hasSpoken: () => word !== undefined,
    close() {
      isClosed = true;
      clearTimeout(reopening);
      stream?.close();
    },
  };
}

/**
 * Consumes the readiness probe of the proxy configuration, where no kubelet asks; offers meshd the application's health, on a
 * stream of its own: the first decision, each change, and the last word again on each new stream. A proxy that is not ready takes no
 * traffic either.
 */
export function createAppHealth(deps: AppHealthDeps): AppHealth {
  const { config, log } = deps;
  const { policy, ask } = askingOf(config, deps.ready);
  const reporter = createReporter(deps);
  let state = UNDECIDED;
  let timer: NodeJS.Timeout | undefined;
  let isOver = false;
  const check = async (): Promise<void> => {
    const error = await ask();
    if (isOver) return;
    const before = state.healthy;
    state = stepHealth(state, error === undefined, policy);
    if (state.healthy !== before && state.healthy !== undefined) {
      log.info({}, state.healthy ? "the application is healthy" : `the application is not healthy: ${error}`);
      reporter.say(state.healthy ? undefined : error);
    }
    timer = setTimeout(() => void check(), policy.period);
  };
  const stop = (): void => {
    isOver = true;
    clearTimeout(timer);
  };
  return {
    name: "app-health",
    start: () => {
      timer = setTimeout(() => void check(), policy.initialDelay);
      return Promise.resolve();
    },
    leave: () => {
      stop();
      // Who has said nothing is not used yet.
      if (reporter.hasSpoken()) reporter.say("the proxy ends");
    },
    close: () => {
      stop();
      reporter.close();
      return Promise.resolve();
    },
  };
}

function askingOf(
  config: AgentConfig,
  ready: AppHealthDeps["ready"],
): {
  readonly policy: HealthPolicy;
  readonly ask: () => Promise<string | undefined>;
} {
  const probe = config.readinessProbe ?? {};
  const policy = healthPolicy(probe);
  const ask = asker(config, probe, policy.timeout);
  return {
    policy,
    ask: async () => {
      const proxy = await ready();
      return proxy.ready ? ask() : proxy.reason;
    },
  };
}

/** Asks once: undefined is well, a text says what is wrong. */
function asker(
  config: AgentConfig,
  probe: Readonly<Record<string, unknown>>,
  timeout: number,
): () => Promise<string | undefined> {
  const { exec } = probe;
  if (isRecord(exec) && Array.isArray(exec["command"])) return () => run(exec["command"] as string[], timeout);
  const read = readProbe(probe);
  if (read === undefined) return () => Promise.resolve("readinessProbe: expected httpGet, tcpSocket, exec or grpc");
  const target = probeTarget(config.appAddress, config.addresses.explicit);
  return async () => {
    const { status, body } = await runProbe(read, target, {});
    if (status >= 200 && status < 400) return undefined;
    return `${read.kind} probe of port ${read.port}: status ${status}${body === "" ? "" : `: ${body.trim()}`}`;
  };
}

function run([command = "", ...args]: readonly string[], timeout: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const child = spawn(command, args, { stdio: "ignore", timeout, killSignal: "SIGKILL" });
    child.on("error", (error) => resolve(`exec probe: ${error.message}`));
    child.on("exit", (code, signal) => resolve(code === 0 ? undefined : `exec probe ended with ${signal ?? code}`));
  });
}

async function streamRequest(config: AgentConfig, credential: CaCredential | undefined) {
  if (credential === undefined) throw new Error("no certificate yet");
  const clusterId = config.metadata["CLUSTER_ID"];
  return {
    address: await resolveHost(config.discovery),
    serverName: config.serverName,
    roots: await readFile(config.rootCert, "utf8"),
    credential,
    clusterId: typeof clusterId === "string" ? clusterId : undefined,
    node: { id: config.nodeId, cluster: config.nodeCluster, metadata: config.metadata as Struct },
  };
}
