import { isIP } from "node:net";
import { parseArgs } from "node:util";
import { COUNTS_METADATA } from "../base/agent-counts.ts";
import { durationMs } from "../base/duration.ts";
import { EnvironmentError, errorText, UsageError } from "../base/errors.ts";
import { addresses, meshBind, probedAddress, type ProxyAddresses, socketMark } from "./addresses.ts";
import { type DrainPolicy, RESTART_AFTER } from "./drain-state.ts";
import type { Identity } from "../pki/spiffe.ts";
import {
  type Env,
  isRecord,
  type NodeMetadata,
  parseJsonObject,
  peerLabelsOf,
  type ReadFile,
  readMetadata,
} from "./metadata.ts";

/** Where files of the agent stand, relative to its working directory (`/` in images). */
export const PATHS = {
  token: "./var/run/secrets/tokens/istio-token",
  rootCert: "./var/run/secrets/istio/root-cert.pem",
  /** Short and relative: a unix socket path is limited to 107 bytes, and Envoy runs in the same directory. */
  sdsSocket: "./var/run/secrets/workload-spiffe-uds/socket",
  hosts: "./etc/hosts",
  /** Modules of extensions; Envoy reads them there. */
  modules: "./var/lib/istio/data/wasm",
  /** Where the roots are on a host outside the cluster, as in Istio's layout. */
  hostRootCert: "./etc/certs/root-cert.pem",
} as const;

export interface HostPort {
  readonly host: string;
  readonly port: number;
}

/** Everything the agent knows from its flags and environment. Times in milliseconds. */
export interface AgentConfig {
  readonly role: "sidecar" | "router";
  /** `<role>~<ip>~<pod>.<namespace>~<namespace>.svc.<domain>` */
  readonly nodeId: string;
  /** `<app or workload>.<namespace>`, for tracing and access logs. */
  readonly nodeCluster: string;
  readonly metadata: NodeMetadata;
  readonly podName: string;
  readonly namespace: string;
  /** meshd: configuration and certificates. */
  readonly discovery: HostPort;
  readonly ca: HostPort;
  /** The name that must be in meshd's certificate. */
  readonly serverName: string;
  /** The name that must be in the CA's certificate. */
  readonly caServerName: string;
  /** Whom a certificate is asked for; a CA takes it from the caller's credential, other issuers compare. */
  readonly identity: Identity;
  /** Where the roots of the mesh are mounted, or lie. */
  readonly rootCert: string;
  readonly addresses: ProxyAddresses;
  readonly ports: {
    readonly admin: number;
    readonly status: number;
    readonly readiness: number;
    readonly prometheus: number;
  };
  readonly configDir: string;
  /** Envoy worker threads; undefined lets Envoy take one per hardware thread. */
  readonly concurrency: number | undefined;
  readonly logLevel: string;
  readonly componentLogLevel: string | undefined;
  /** Envoy's log as JSON lines; the agent's always is. */
  readonly logAsJson: boolean;
  /** The agent's own level. */
  readonly agentLogLevel: string;
  readonly drain: DrainPolicy & {
    /** Envoy's `--drain-time-s`, in seconds. */
    readonly envoyDrainSeconds: number;
  };
  readonly secret: {
    readonly ttl: number;
    readonly graceRatio: number;
    readonly graceJitter: number;
    /** Folder that each certificate is written to, with key and roots; undefined keeps them in memory. */
    readonly output: string | undefined;
    /** Folder with a certificate of an earlier life, to show instead of the token. */
    readonly provisioned: string | undefined;
  };
  /** `ISTIO_KUBE_APP_PROBERS` and `ISTIO_PROMETHEUS_ANNOTATIONS`, as objects. */
  readonly appProbers: Readonly<Record<string, unknown>>;
  readonly scrape: Readonly<Record<string, unknown>> | undefined;
  /** PROXY_CONFIG, read. */
  readonly proxyConfig: Readonly<Record<string, unknown>>;
  /** Where an application's probed ports are dialled. */
  readonly appAddress: string;
  /** Whether 15090 compresses for scrapers that take it. */
  readonly statsCompression: boolean;
  /** Envoy's `--file-flush-interval-msec` and `--file-flush-min-size-kb`. */
  readonly fileFlush: { readonly interval: number; readonly minSizeKb: number | undefined };
  /** The binary that the proxy configuration names; where it is not there, meshctl looks where it always does. */
  readonly binaryPath: string | undefined;
  /** A bootstrap of the user's, in place of the generated one. */
  readonly customConfigFile: string | undefined;
  /** How the application's health is found out where no kubelet does; undefined does not ask. */
  readonly readinessProbe: Readonly<Record<string, unknown>> | undefined;
  /** Further roots of the mesh, PEM. */
  readonly moreRoots: string;
  /** Mark of the connections that Envoy opens, where the capture rules know them by it (`istio-iptables --proxy-mark`). */
  readonly socketMark: number | undefined;
  /** Merged over the bootstrap by Envoy's `--config-yaml`. */
  readonly bootstrapOverride: string | undefined;
  /** `host:port` of registries of modules that are asked without TLS; `*`: all. */
  readonly insecureRegistries: readonly string[];
}

/** What readConfig reads; the process hands in its own. */
export interface ConfigInput {
  readonly args: readonly string[];
  readonly env: Env;
  readonly readFile: ReadFile;
  /** Of the package: metadata ISTIO_VERSION. */
  readonly version: string;
}

const OPTIONS = {
  domain: { type: "string" },
  proxyLogLevel: { type: "string", default: "warning" },
  proxyComponentLogLevel: { type: "string" },
  log_output_level: { type: "string", default: "default:info" },
  log_as_json: { type: "boolean" },
  concurrency: { type: "string" },
  stsPort: { type: "string" },
  outlierLogPath: { type: "string" },
} as const;

/**
 * Flags of `mesh-agent proxy sidecar|router` and the environment that the injection template writes, as one typed
 * record. Throws UsageError for flags and EnvironmentError for variables, naming each.
 */
export function readConfig(input: ConfigInput): AgentConfig {
  const { values, role } = parseFlags(input.args);
  const { env } = input;
  const proxyConfig = parseOptional("PROXY_CONFIG", env["PROXY_CONFIG"]) ?? {};
  const namespace = required(env, "POD_NAMESPACE");
  const podName = required(env, "POD_NAME");
  const ip = instanceIp(env);
  const discovery = hostPort("discovery address", text(proxyConfig, "discoveryAddress") ?? env["CA_ADDR"], {
    host: "istiod.istio-system.svc",
    port: 15012,
  });
  const serverName = serverNameOf(env, discovery);
  const read = readMetadata(env, input.readFile);
  const ports = proxyPorts(proxyConfig, read);
  const bind = meshBind(text(read, "MESH_BIND"));
  const domain = values.domain ?? `${namespace}.svc.cluster.local`;
  return {
    role,
    nodeId: `${role}~${ip}~${podName}.${namespace}~${domain}`,
    nodeCluster: nodeCluster(read, namespace, proxyConfig),
    metadata: {
      ...read,
      ENVOY_STATUS_PORT: ports.readiness,
      ENVOY_PROMETHEUS_PORT: ports.prometheus,
      INSTANCE_IPS: text(read, "INSTANCE_IPS") ?? ip,
      ISTIO_VERSION: input.version,
      PILOT_SAN: [serverName],
      [COUNTS_METADATA]: "true",
      PROXY_CONFIG: proxyConfig,
    },
    podName,
    namespace,
    discovery,
    serverName,
    ...certificateAuthority(env, { discovery, namespace }),
    rootCert: rootCert(input),
    addresses: addresses(ip, bind),
    ports,
    configDir: text(proxyConfig, "configPath") ?? "./etc/istio/proxy",
    concurrency: concurrency(values.concurrency, proxyConfig, env),
    logLevel: values.proxyLogLevel,
    componentLogLevel: values.proxyComponentLogLevel === "" ? undefined : values.proxyComponentLogLevel,
    logAsJson: values.log_as_json === true,
    agentLogLevel: agentLogLevel(values.log_output_level),
    drain: drain(proxyConfig, env),
    secret: secret(env),
    appProbers: parseOptional("ISTIO_KUBE_APP_PROBERS", env["ISTIO_KUBE_APP_PROBERS"]) ?? {},
    scrape: parseOptional("ISTIO_PROMETHEUS_ANNOTATIONS", env["ISTIO_PROMETHEUS_ANNOTATIONS"]),
    proxyConfig,
    appAddress: bind === undefined ? probedAddress(env, ip) : bind.appAddress,
    ...envoyKnobs(proxyConfig),
    socketMark: socketMark(env["PROXY_MARK"]),
    insecureRegistries: (env["WASM_INSECURE_REGISTRIES"] ?? "").split(",").filter((name) => name !== ""),
    bootstrapOverride: env["ISTIO_BOOTSTRAP_OVERRIDE"] || undefined,
  };
}

/** Who is asked for a certificate, and for whom. */
function certificateAuthority(
  env: Env,
  of: { readonly discovery: HostPort; readonly namespace: string },
): Pick<AgentConfig, "ca" | "caServerName" | "identity"> {
  const ca = hostPort("CA_ADDR", env["CA_ADDR"], of.discovery);
  const identity = {
    trustDomain: env["TRUST_DOMAIN"] || "cluster.local",
    namespace: of.namespace,
    serviceAccount: env["SERVICE_ACCOUNT"] || "default",
  };
  return { ca, caServerName: serverNameOf(env, ca), identity };
}

function rootCert({ readFile }: ConfigInput): string {
  const isHost = readFile(PATHS.rootCert) === undefined && readFile(PATHS.hostRootCert);
  return isHost ? PATHS.hostRootCert : PATHS.rootCert;
}

function proxyPorts(proxyConfig: Readonly<Record<string, unknown>>, metadata: NodeMetadata): AgentConfig["ports"] {
  return {
    admin: portNumber("PROXY_CONFIG proxyAdminPort", proxyConfig["proxyAdminPort"], 15000),
    status: portNumber("PROXY_CONFIG statusPort", proxyConfig["statusPort"], 15020),
    readiness: portNumber("ISTIO_META_ENVOY_STATUS_PORT", metadata["ENVOY_STATUS_PORT"], 15021),
    prometheus: portNumber("ISTIO_META_ENVOY_PROMETHEUS_PORT", metadata["ENVOY_PROMETHEUS_PORT"], 15090),
  };
}

function serverNameOf(env: Env, discovery: HostPort): string {
  return env["ISTIOD_SAN"] ?? (isIP(discovery.host) === 0 ? discovery.host : "istiod.istio-system.svc");
}

function parseFlags(args: readonly string[]) {
  let parsed: ReturnType<typeof parse>;
  try {
    parsed = parse(args);
  } catch (cause) {
    throw new UsageError(errorText(cause), "Run mesh-agent proxy sidecar --domain shop.svc.cluster.local.");
  }
  const [role, ...rest] = parsed.positionals;
  if (role !== "sidecar" && role !== "router") {
    throw new UsageError(`proxy: expected sidecar or router, got ${role ?? "nothing"}`);
  }
  if (rest.length > 0) throw new UsageError(`proxy: unexpected argument ${rest.join(" ")}`);
  return { values: parsed.values, role: role as AgentConfig["role"] };
}

function parse(args: readonly string[]) {
  return parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true, strict: true });
}

function required(env: Env, name: string): string {
  const value = env[name];
  if (value !== undefined && value !== "") return value;
  throw new EnvironmentError("agent-env", `${name} is not set`, {
    hint: `Set ${name} in the istio-proxy container; injection does it.`,
  });
}

function instanceIp(env: Env): string {
  const first = (env["INSTANCE_IPS"] ?? required(env, "INSTANCE_IP")).split(",")[0]?.trim() ?? "";
  if (isIP(first) !== 0) return first;
  throw new EnvironmentError("agent-env", `INSTANCE_IP: expected an IP address, got ${JSON.stringify(first)}`, {
    hint: "Set INSTANCE_IP from the field status.podIP.",
  });
}

function parseOptional(name: string, value: string | undefined): Readonly<Record<string, unknown>> | undefined {
  return value === undefined || value === "" ? undefined : parseJsonObject(name, value);
}

function text(record: Readonly<Record<string, unknown>>, key: string): string | undefined {
  const value = record[key];
  return typeof value === "string" && value !== "" ? value : undefined;
}

function hostPort(name: string, value: string | undefined, fallback: HostPort): HostPort {
  if (value === undefined || value === "") return fallback;
  const match = /^(?:\[([0-9a-fA-F:]+)\]|([^:\s]+)):([0-9]+)$/.exec(value);
  const port = Number(match?.[3]);
  if (match && port > 0 && port < 65536) return { host: match[1] ?? match[2] ?? "", port };
  throw new EnvironmentError("agent-env", `${name}: expected host:port, got ${JSON.stringify(value)}`, {
    hint: "Write it as istiod.istio-system.svc:15012.",
  });
}

function portNumber(name: string, value: unknown, fallback: number): number {
  if (value === undefined || value === 0) return fallback;
  const port = Number(value);
  if (Number.isInteger(port) && port > 0 && port < 65536) return port;
  throw new EnvironmentError("agent-env", `${name}: expected a port, got ${JSON.stringify(value)}`);
}

type ProxyConfig = Readonly<Record<string, unknown>>;

function envoyKnobs(
  proxyConfig: ProxyConfig,
): Pick<
  AgentConfig,
  "statsCompression" | "fileFlush" | "binaryPath" | "customConfigFile" | "readinessProbe" | "moreRoots"
> {
  const { statsCompression, fileFlushMinSizeKb: size, caCertificatesPem: roots, readinessProbe } = proxyConfig;
  return {
    statsCompression: statsCompression !== false,
    fileFlush: {
      interval: duration("PROXY_CONFIG fileFlushInterval", text(proxyConfig, "fileFlushInterval"), "1s"),
      minSizeKb: typeof size === "number" && size > 0 ? size : undefined,
    },
    binaryPath: text(proxyConfig, "binaryPath"),
    customConfigFile: text(proxyConfig, "customConfigFile"),
    readinessProbe: isRecord(readinessProbe) ? readinessProbe : undefined,
    moreRoots: Array.isArray(roots) ? roots.map((pem) => `${String(pem).trim()}\n`).join("") : "",
  };
}

/** The name of the service in spans and access logs: what the user says, else by `tracingServiceName`. */
function nodeCluster(metadata: NodeMetadata, namespace: string, proxyConfig: ProxyConfig): string {
  const own = text(proxyConfig, "serviceCluster");
  if (own !== undefined) return own;
  const { canonical } = peerLabelsOf(metadata);
  const mode = text(proxyConfig, "tracingServiceName");
  if (mode === "CANONICAL_NAME_ONLY") return canonical;
  if (mode === "CANONICAL_NAME_AND_NAMESPACE") return `${canonical}.${namespace}`;
  const labels = isRecord(metadata["LABELS"]) ? metadata["LABELS"] : {};
  const name = text(labels, "app") ?? text(metadata, "WORKLOAD_NAME") ?? "istio-proxy";
  return `${name}.${namespace}`;
}

/** Flag, then PROXY_CONFIG, where 0 asks for all cores, then the container's CPU limit (whole cores, rounded up). */
function concurrency(
  flag: string | undefined,
  proxyConfig: Readonly<Record<string, unknown>>,
  env: Env,
): number | undefined {
  for (const value of [flag, proxyConfig["concurrency"], env["ISTIO_CPU_LIMIT"]]) {
    if (value === 0) return undefined;
    const count = Math.ceil(Number(value));
    if (value !== undefined && Number.isFinite(count) && count > 0) return count;
  }
  return undefined;
}

const LEVELS: Readonly<Record<string, string>> = {
  none: "silent",
  debug: "debug",
  info: "info",
  warning: "warn",
  warn: "warn",
  error: "error",
  fatal: "fatal",
};

/** The name of a level that `--log_output_level` and `/logging` know; undefined for others. */
export function levelName(name: string): string | undefined {
  return LEVELS[name];
}

/** `default:info,xds:debug` names a level per scope; the agent has one scope. */
function agentLogLevel(value: string): string {
  const first = value.split(",").find((part) => !part.includes(":") || part.startsWith("default:"));
  return levelName(first?.split(":").at(-1) ?? "") ?? "info";
}

function drain(proxyConfig: Readonly<Record<string, unknown>>, env: Env): AgentConfig["drain"] {
  const termination = env["TERMINATION_DRAIN_DURATION_SECONDS"];
  return {
    termination:
      termination === undefined
        ? duration("PROXY_CONFIG terminationDrainDuration", text(proxyConfig, "terminationDrainDuration"), "5s")
        : duration("TERMINATION_DRAIN_DURATION_SECONDS", `${termination}s`, "5s"),
    minimum: duration("MINIMUM_DRAIN_DURATION", env["MINIMUM_DRAIN_DURATION"], "5s"),
    exitOnZeroConnections: env["EXIT_ON_ZERO_ACTIVE_CONNECTIONS"] === "true",
    restartAfter: RESTART_AFTER,
    envoyDrainSeconds: Math.max(
      1,
      Math.round(duration("PROXY_CONFIG drainDuration", text(proxyConfig, "drainDuration"), "45s") / 1000),
    ),
  };
}

function secret(env: Env): AgentConfig["secret"] {
  return {
    ttl: duration("SECRET_TTL", env["SECRET_TTL"], "24h"),
    graceRatio: ratio("SECRET_GRACE_PERIOD_RATIO", env["SECRET_GRACE_PERIOD_RATIO"], 0.5),
    graceJitter: ratio("SECRET_GRACE_PERIOD_RATIO_JITTER", env["SECRET_GRACE_PERIOD_RATIO_JITTER"], 0.01),
    output: env["OUTPUT_CERTS"] || undefined,
    provisioned: env["PROV_CERT"] || undefined,
  };
}

function duration(name: string, value: string | undefined, fallback: string): number {
  const result = durationMs(value === undefined || value === "" ? fallback : value);
  if (result !== undefined) return result;
  throw new EnvironmentError("agent-env", `${name}: expected a duration such as ${fallback}, got ${value}`);
}

function ratio(name: string, value: string | undefined, fallback: number): number {
  if (value === undefined || value === "") return fallback;
  const number = Number(value);
  if (number >= 0 && number <= 1) return number;
  throw new EnvironmentError("agent-env", `${name}: expected a number from 0 to 1, got ${value}`);
}
