import { constants } from "node:fs";
import { access } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { locateEnvoy } from "../envoy/locate.ts";
import type { Logger } from "../base/logger.ts";
import type { CaCredential } from "../grpc/ca-client.ts";
import { createLogService } from "../grpc/log-service.ts";
import { createSdsServer, type SdsServer } from "../grpc/sds-server.ts";
import type { AppHealth, AppHealthDeps } from "./app-health.ts";
import { buildBootstrap } from "./bootstrap.ts";
import { type AgentConfig, PATHS } from "./config.ts";
import { createEnvoyAdmin } from "./envoy-admin.ts";
import { envoyArguments, type EnvoyProcess, startEnvoy, writeBootstrap } from "./envoy-process.ts";
import { createFileSecrets } from "./file-secrets.ts";
import { createHealth, type LogLevel } from "./health.ts";
import { createExtensions } from "./extensions/runner.ts";
import { resolveHost } from "./hosts.ts";
import { createIdentity } from "./identity.ts";
import type { Env } from "./metadata.ts";
import { createMountedIdentity, hasMountedIdentity } from "./mounted-identity.ts";
import type { NameTable } from "./dns/names.ts";
import { readDnsSettings } from "./dns/settings.ts";
import { createMetrics, type AgentMetrics } from "./metrics.ts";
import { createReadyCheck } from "./ready-check.ts";
import type { Runner } from "./runner.ts";
import { createSupervisor, type Supervisor } from "./supervisor.ts";

export interface AgentDeps {
  readonly config: AgentConfig;
  readonly env: Env;
  readonly version: string;
  readonly log: Logger;
  readonly logLevel: LogLevel;
  /** Hands in what to do on SIGTERM and SIGINT. */
  readonly onTerminate: (act: () => void) => void;
}

/**
 * `mesh-agent proxy`: starts the runners in their order, waits for Envoy's end and resolves with the exit code. A runner
 * that cannot start ends the others and rejects.
 */
export async function runAgent(deps: AgentDeps): Promise<number> {
  const { runners, supervisor, leave } = createRunners(deps);
  const started: Runner[] = [];
  deps.onTerminate(() => {
    leave();
    supervisor.send({ type: "terminate" });
  });
  try {
    for (const runner of runners) {
      await runner.start();
      started.push(runner);
    }
    return await supervisor.done;
  } finally {
    for (const runner of started.reverse()) await runner.close();
  }
}

interface Runners {
  readonly runners: readonly Runner[];
  readonly supervisor: Supervisor;
  /** Says that the workload takes no new traffic, where somebody is told. */
  readonly leave: () => void;
}

function createRunners(deps: AgentDeps): Runners {
  const { config, log } = deps;
  const metrics = createMetrics(deps.version);
  const admin = createEnvoyAdmin(config.addresses.admin, config.ports.admin);
  const extensions = createExtensions({
    config,
    certificate: () => issued.certificate(),
    modules: { folder: PATHS.modules, insecure: config.insecureRegistries },
    onOutcome: metrics.module,
    log,
  });
  const counted = createLogService(metrics.counts.add);
  const sds: SdsServer = createSdsServer(PATHS.sdsSocket, log, [extensions.service, counted], (names) =>
    fileSecrets.wanted(names),
  );
  const fileSecrets = createFileSecrets({ sds, log });
  const issued = rememberCertificate(sds);
  const dns = dnsRunner(deps, metrics, issued.certificate);
  const ready = createReadyCheck({ admin, names: dns?.names });
  const health = healthRunner(deps, { certificate: issued.certificate, ready });
  const supervisor = createSupervisor({
    spawn: () => spawnEnvoy(deps, metrics),
    admin,
    policy: config.drain,
    role: config.role,
    ownPorts: [config.ports.readiness, config.ports.prometheus],
    log,
  });
  const runners = [
    // Consumes Envoy's admin and the application's ports; offers 15020. First, so that probes get an answer from the start.
    createHealth({
      config,
      admin,
      metrics,
      ask: (type) => supervisor.send({ type }),
      log,
      logLevel: deps.logLevel,
      names: dns?.names,
    }),
    // Consumes what identity publishes; offers it to Envoy on the unix socket. Before Envoy, which dials it at once.
    { name: "sds", start: () => sds.start(), close: () => sds.close() },
    // Consumes files that configuration names; offers them to Envoy under those names.
    fileSecrets,
    // Consumes token and CA, or mounted files; offers `default` and `ROOTCA`. Does not wait: Envoy starts meanwhile.
    (hasMountedIdentity() ? createMountedIdentity : createIdentity)({ config, sds: issued.sds, metrics, log }),
    extensions.runner,
    ...(health === undefined ? [] : [health.runner]),
    ...(dns === undefined ? [] : [dns.runner]),
    // Consumes the bootstrap; offers the proxy. Last in, first out.
    supervisor,
  ];
  return { runners, supervisor, leave: () => health?.leave() };
}

/** An SDS server that can say what certificate it was last given. */
function rememberCertificate(sds: SdsServer): {
  readonly sds: SdsServer;
  readonly certificate: () => CaCredential | undefined;
} {
  let last: CaCredential | undefined;
  const publish: SdsServer["publish"] = (name, secret) => {
    if (secret.kind === "certificate") last = secret;
    sds.publish(name, secret);
  };
  return { sds: { ...sds, publish }, certificate: () => last };
}

/** Consumes the readiness probe of a workload that no kubelet asks; offers its health to meshd. Loaded only where it is wanted. */
function healthRunner(
  { config, log }: AgentDeps,
  of: Pick<AppHealthDeps, "certificate" | "ready">,
): { readonly runner: Runner; readonly leave: () => void } | undefined {
  if (config.readinessProbe === undefined) return undefined;
  let health: AppHealth | undefined;
  const start = async (): Promise<void> => {
    const { createAppHealth } = await import("./app-health.ts");
    health = createAppHealth({ config, log, ...of });
    await health.start();
  };
  const runner = { name: "app-health", start, close: async () => health?.close() };
  return { runner, leave: () => health?.leave() };
}

/** Consumes meshd's name table; offers DNS to the application. Loaded only where it is wanted. */
function dnsRunner(
  { config, env, log }: AgentDeps,
  metrics: AgentMetrics,
  certificate: () => CaCredential | undefined,
): { readonly runner: Runner; readonly names: () => NameTable | undefined } | undefined {
  const settings = readDnsSettings(config, env);
  if (settings === undefined) return undefined;
  let dns: Runner | undefined;
  let names: NameTable | undefined;
  const onTable = (table: NameTable): void => {
    names = table;
  };
  const start = async (): Promise<void> => {
    const { createDns } = await import("./dns/dns.ts");
    dns = createDns({ config, settings, certificate, metrics, onTable, log });
    await dns.start();
  };
  return { runner: { name: "dns", start, close: async () => dns?.close() }, names: () => names };
}

async function spawnEnvoy({ config, env, log }: AgentDeps, metrics: AgentMetrics): Promise<EnvoyProcess> {
  const cacheDir = join(env["XDG_CACHE_HOME"] ?? join(env["HOME"] ?? homedir(), ".cache"), "meshctl");
  const { binaryPath } = config;
  const isThere =
    binaryPath !== undefined &&
    (await access(binaryPath, constants.X_OK).then(
      () => true,
      () => false,
    ));
  const named = isThere ? { ...env, MESHCTL_ENVOY: binaryPath } : env;
  const binary = await locateEnvoy({ env: named, cacheDir, onProgress: (text) => log.info({}, text) });
  const path =
    config.customConfigFile ?? writeBootstrap(config, buildBootstrap(config, await resolveHost(config.discovery)));
  const envoy = startEnvoy(binary, envoyArguments(config, path), { config, env, log });
  metrics.envoyRuns(envoy.pid);
  void envoy.exited.then(() => metrics.envoyRuns(undefined));
  return envoy;
}
