import { existsSync } from "node:fs";
import { hostname, networkInterfaces } from "node:os";
import { parseArgs } from "node:util";
import { pino } from "pino";
import { errorText, MeshError, UsageError } from "./base/errors.ts";
import type { Logger } from "./base/logger.ts";
import { registrationSettings } from "./controlplane/auto-registration.ts";
import { externalCa } from "./controlplane/external-signer.ts";
import { type ListenAddress, parseListenAddress } from "./controlplane/http.ts";
import { fetchLimits } from "./controlplane/jwks.ts";
import { parseClusterAliases } from "./controlplane/known-clusters.ts";
import { createLogScopes, type ReadLevels, readLevels } from "./controlplane/log-scopes.ts";
import { type ControlPlane, createControlPlane } from "./controlplane/main.ts";
import { servingFiles } from "./controlplane/mounted-authority.ts";
import { trustDrainDelay } from "./controlplane/trust-removals.ts";
import { lifetimes } from "./controlplane/signing.ts";
import { VERSION } from "./gen/version.ts";
import { openCluster, openForeignCluster } from "./kube/cluster.ts";
import { mcsSettings } from "./model/cluster-set.ts";
import type { Compliance } from "./model/generated-options.ts";
import { consulRegistry } from "./registry/consul.ts";
import { filesRegistry } from "./registry/files.ts";
import type { Registry } from "./registry/registry.ts";
import type { KubeObject } from "./resources/object.ts";
import { validateForAdmission } from "./validation/index.ts";

const USAGE = `usage: meshd discovery [flags]

The control plane: watches the cluster, compiles the mesh, serves proxies, signs identities, answers webhooks.

  --httpAddr ADDR         readiness (default :8080)
  --secureGRPCAddr ADDR   xDS and certificates, TLS only (default :15012)
  --monitoringAddr ADDR   metrics and debug (default :15014)
  --httpsAddr ADDR        webhooks (default :15017)
  --kubeconfig FILE       cluster to work for (default: /var/run/secrets/remote/config, else the pod's service account)
  --clusterAliases A=B    other names by which workloads may call clusters, with commas (default CLUSTER_ALIASES)
  --domain SUFFIX         DNS suffix of the cluster (default cluster.local)
  --config-dir DIR        more objects, from the YAML files of a folder, which are watched; may stand several times
  --consul URL            more services, from a Consul catalog (token: CONSUL_HTTP_TOKEN)
  --tlsCertFile FILE      certificate to show, --tlsKeyFile its key, --caCertFile the roots to trust: with ENABLE_CA_SERVER=false
  --log_output_level L    debug, info, warn, error or none (default info); of parts: ads:debug,default:warn
`;

const FLAGS = {
  httpAddr: { type: "string", default: ":8080" },
  secureGRPCAddr: { type: "string", default: ":15012" },
  monitoringAddr: { type: "string", default: ":15014" },
  httpsAddr: { type: "string", default: ":15017" },
  kubeconfig: { type: "string" },
  clusterAliases: { type: "string" },
  domain: { type: "string", default: "cluster.local" },
  "config-dir": { type: "string", multiple: true },
  consul: { type: "string" },
  tlsCertFile: { type: "string" },
  tlsKeyFile: { type: "string" },
  caCertFile: { type: "string" },
  log_output_level: { type: "string", default: "info" },
  help: { type: "boolean", short: "h" },
  version: { type: "boolean" },
} as const;

/** Where the way to a cluster is mounted that the control plane works for from outside, below the root of the pod; Istio's place. */
const REMOTE_KUBECONFIG = "var/run/secrets/remote/config";

type Env = Readonly<Record<string, string | undefined>>;

/** What the command line and the environment say. Throws UsageError. */
function readFlags(argv: readonly string[]) {
  try {
    const { values, positionals } = parseArgs({ args: [...argv], options: FLAGS, allowPositionals: true });
    return { values, command: positionals.join(" ") };
  } catch (error) {
    throw new UsageError(errorText(error));
  }
}

/**
 * Where `:8080` listens: BIND_ADDRESS when the node gives each workload a loopback address of its own, else everywhere, by IPv6
 * too where the machine has it.
 */
function anyHost(env: Env): string {
  const given = env["BIND_ADDRESS"];
  if (given !== undefined && given !== "") return given;
  const addresses = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  return addresses.some(({ family }) => family === "IPv6") ? "::" : "0.0.0.0";
}

function address(flag: string, text: string, any: string): ListenAddress {
  const parsed = parseListenAddress(text, any);
  if (parsed === undefined) throw new UsageError(`--${flag}: expected an address such as :8080, got ${text}`);
  return parsed;
}

/** A level, or levels of scopes. */
function levels(text: string): ReadLevels {
  const read = readLevels(text);
  if (typeof read !== "string") return read;
  throw new UsageError(`--log_output_level: ${read}`);
}

/** Files come before the catalog: what an operator writes counts more than what registers itself. */
function registriesOf(flags: ReturnType<typeof readFlags>["values"], env: Env, log: Logger): readonly Registry[] {
  const { "config-dir": folders = [], consul } = flags;
  const files = folders.map((folder) => filesRegistry({ folder, refuse: refusal, log }));
  if (consul === undefined) return files;
  if (!URL.canParse(consul))
    throw new UsageError(`--consul: expected a URL such as http://127.0.0.1:8500, got ${consul}`);
  return [...files, consulRegistry({ url: consul, token: env["CONSUL_HTTP_TOKEN"], namespace: "consul", log })];
}

/** Files are held to what the webhook asks of objects in the cluster. */
function refusal(object: KubeObject): string | undefined {
  const verdict = validateForAdmission(object);
  return verdict.allowed ? undefined : verdict.message;
}

/** A list with commas. */
function names(text = ""): readonly string[] {
  return text.split(",").flatMap((name) => (name.trim() === "" ? [] : [name.trim()]));
}

async function serve(flags: ReturnType<typeof readFlags>["values"], env: Env): Promise<number> {
  const any = anyHost(env);
  const listen = {
    http: address("httpAddr", flags.httpAddr, any),
    secureGrpc: address("secureGRPCAddr", flags.secureGRPCAddr, any),
    monitoring: address("monitoringAddr", flags.monitoringAddr, any),
    https: address("httpsAddr", flags.httpsAddr, any),
  };
  // scopes let through what is asked for
  const asked = levels(flags.log_output_level);
  const logs = createLogScopes(pino({ level: "debug", base: { program: "meshd" } }), asked.levels);
  const log = logs.scope("default");
  if (asked.unknown.length > 0)
    log.warn({ scopes: asked.unknown }, "no part of this control plane logs in these scopes");
  // Whatever the level of the log: what is audited is written.
  const auditLog: Logger = pino({ level: "info", base: { program: "meshd" } });
  const caServer = env["ENABLE_CA_SERVER"] !== "false";
  const given = flags.kubeconfig ?? (existsSync(REMOTE_KUBECONFIG) ? REMOTE_KUBECONFIG : undefined);
  const kubeconfig = given === undefined ? {} : { kubeconfig: given };
  const cluster = await openCluster({ ...kubeconfig, env });
  const plane = createControlPlane({
    cluster,
    namespace: env["POD_NAMESPACE"] ?? "istio-system",
    instance: env["POD_NAME"] ?? hostname(),
    clusterId: env["CLUSTER_ID"] ?? "Kubernetes",
    revision: env["REVISION"] ?? "default",
    hosts: names(env["ISTIOD_CUSTOM_HOST"]),
    compliance: complianceOf(env["COMPLIANCE_POLICY"]),
    nativeSidecars: env["ENABLE_NATIVE_SIDECARS"],
    makesGateways: env["PILOT_ENABLE_GATEWAY_API_DEPLOYMENT_CONTROLLER"] !== "false",
    resolvesGateways: env["RESOLVE_HOSTNAME_GATEWAYS"] !== "false",
    mcs: mcsSettings(env),
    clusterAliases: parseClusterAliases(flags.clusterAliases ?? env["CLUSTER_ALIASES"]),
    exportsServices: env["ENABLE_MCS_AUTO_EXPORT"] === "true",
    registration: registrationSettings(env),
    keyLimits: fetchLimits(env),
    lifetimes: lifetimes(env),
    trustDrainDelayMs: trustDrainDelay(env),
    externalCa: externalCa(env),
    caServer,
    serving: servingFiles(flags, { signs: caServer }),
    domain: flags.domain,
    listen,
    openRemote: (text) =>
      openForeignCluster(text, new Set(names(env["PILOT_INSECURE_MULTICLUSTER_KUBECONFIG_OPTIONS"]))),
    registries: registriesOf(flags, env, logs.scope("registry")),
    // beside the bundle
    analysis: {
      worker: new URL("./analysis-worker.js", import.meta.url),
      writesStatus: env["PILOT_ENABLE_ANALYSIS"] === "true",
    },
    debugNamespaces: names(env["DEBUG_ENDPOINT_AUTH_ALLOWED_NAMESPACES"]),
    log,
    logs,
    auditLog,
  });
  log.info({ version: VERSION, server: cluster.context.server }, "starting");
  return untilSignal(plane, log);
}

/** Rules that are not kept must not be promised. */
function complianceOf(policy: string | undefined): Compliance | undefined {
  if (policy === undefined || policy === "") return undefined;
  if (policy === "fips-140-2") return policy;
  throw new UsageError(`expected COMPLIANCE_POLICY to be fips-140-2 or empty, got "${policy}"`);
}

/** Runs until SIGTERM or SIGINT; a second signal ends the process at once. */
async function untilSignal(plane: ControlPlane, log: Logger): Promise<number> {
  const stopped = new Promise<void>((resolve) => {
    const stop = (signal: string): void => {
      log.info({ signal }, "stopping");
      for (const name of ["SIGTERM", "SIGINT"] as const) process.once(name, () => process.exit(1));
      resolve();
    };
    process.once("SIGTERM", stop);
    process.once("SIGINT", stop);
  });
  // What nobody caught must not take the control plane from all proxies: it is told, and the others are served on.
  process.on("unhandledRejection", (error) => log.error({ error: errorText(error) }, "unhandled rejection"));
  try {
    await Promise.race([plane.start(), stopped]);
    await stopped;
  } finally {
    await plane.close();
  }
  return 0;
}

/** The program meshd: resolves with its exit code (0 stopped, 2 could not run). */
export async function main(argv: readonly string[], env: Env): Promise<number> {
  try {
    const { values, command } = readFlags(argv);
    if (values.help === true) {
      process.stdout.write(USAGE);
      return 0;
    }
    if (values.version === true || command === "version") {
      process.stdout.write(`${VERSION}\n`);
      return 0;
    }
    if (command !== "discovery") throw new UsageError(`expected the command discovery, got ${command || "nothing"}`);
    return await serve(values, env);
  } catch (error) {
    const hint = error instanceof MeshError && error.hint !== undefined ? `\n${error.hint}` : "";
    const usage = error instanceof UsageError ? `\n${USAGE}` : "";
    process.stderr.write(`meshd: ${errorText(error)}${hint}${usage}\n`);
    return 2;
  }
}
