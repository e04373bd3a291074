import { type ChildProcess, spawn } from "node:child_process";
import { accessSync, constants, mkdirSync, writeFileSync } from "node:fs";
import { constants as os } from "node:os";
import { delimiter, join } from "node:path";
import { EnvironmentError, errorText } from "../base/errors.ts";
import type { Logger } from "../base/logger.ts";
import { peerEnvironmentOf } from "../base/peer.ts";
import { traceEnvironmentOf } from "../base/trace-environment.ts";
import { type Bootstrap } from "./bootstrap.ts";
import type { AgentConfig } from "./config.ts";
import { type Env, peerLabelsOf } from "./metadata.ts";

/** A running Envoy. */
export interface EnvoyProcess {
  readonly pid: number;
  /** Resolves with its exit code as a shell says it: 128 + signal number when a signal ended it. */
  readonly exited: Promise<number>;
  signal(name: "SIGTERM" | "SIGKILL"): void;
}

/** Writes the bootstrap below the configuration directory and says where. Throws EnvironmentError. */
export function writeBootstrap(config: AgentConfig, bootstrap: Bootstrap): string {
  const path = join(config.configDir, "envoy-rev.json");
  try {
    mkdirSync(config.configDir, { recursive: true });
    writeFileSync(path, `${JSON.stringify(bootstrap, null, 1)}\n`, { mode: 0o600 });
    return path;
  } catch (cause) {
    throw new EnvironmentError("agent-file", `cannot write ${path}: ${errorText(cause)}`, {
      hint: "Make the configuration directory writable.",
      cause,
    });
  }
}

const TEXT_LOG = "%Y-%m-%dT%T.%fZ\t%l\tenvoy %n %g:%#\t%v\tthread=%t";

/** Envoy's arguments: one instance per network namespace or address, never restarted hot. */
export function envoyArguments(config: AgentConfig, bootstrapPath: string): readonly string[] {
  return [
    "-c",
    bootstrapPath,
    "--drain-time-s",
    String(config.drain.envoyDrainSeconds),
    "--drain-strategy",
    "immediate",
    "--local-address-ip-version",
    config.addresses.listen === "::" ? "v6" : "v4",
    "--file-flush-interval-msec",
    String(config.fileFlush.interval),
    ...(config.fileFlush.minSizeKb === undefined
      ? []
      : ["--file-flush-min-size-kb", String(config.fileFlush.minSizeKb)]),
    "--disable-hot-restart",
    "--allow-unknown-static-fields",
    "-l",
    config.logLevel,
    ...(config.logAsJson ? [] : ["--log-format", TEXT_LOG]),
    ...(config.componentLogLevel === undefined ? [] : ["--component-log-level", config.componentLogLevel]),
    ...(config.concurrency === undefined ? [] : ["--concurrency", String(config.concurrency)]),
    ...(config.bootstrapOverride === undefined ? [] : ["--config-yaml", config.bootstrapOverride]),
  ];
}

/**
 * Starts Envoy with the agent's own stdout and stderr, in the agent's working directory. Where setpriv is there, the
 * kernel kills Envoy when the agent dies: without an agent nobody would renew its certificate or answer its probes.
 */
export function startEnvoy(
  binary: string,
  args: readonly string[],
  context: { readonly config: AgentConfig; readonly env: Env; readonly log: Logger },
): EnvoyProcess {
  const setpriv = onPath("setpriv", context.env);
  if (setpriv === undefined) context.log.debug({}, "setpriv is not on PATH: Envoy would outlive a killed agent");
  const [command, prefix] = setpriv === undefined ? [binary, []] : [setpriv, ["--pdeathsig", "SIGKILL", "--", binary]];
  const child = spawn(command, [...prefix, ...args], {
    stdio: ["ignore", "inherit", "inherit"],
    env: {
      ...context.env,
      ...peerEnvironmentOf(peerLabelsOf(context.config.metadata)),
      ...traceEnvironmentOf(context.config.nodeCluster, context.env),
    },
  });
  return { pid: child.pid ?? 0, exited: exitCode(child, context.log), signal: (name) => void child.kill(name) };
}

function exitCode(child: ChildProcess, log: Logger): Promise<number> {
  return new Promise((resolve) => {
    child.on("error", (error) => {
      log.error({}, `Envoy cannot be started: ${errorText(error)}`);
      resolve(127);
    });
    child.on("exit", (code, signal) => resolve(code ?? 128 + (signal === null ? 0 : os.signals[signal])));
  });
}

function onPath(name: string, env: Env): string | undefined {
  for (const folder of (env["PATH"] ?? "").split(delimiter)) {
    const path = join(folder, name);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      continue;
    }
  }
  return undefined;
}
