import { mkdir, readFile, writeFile } from "node:fs/promises";
import { isIP } from "node:net";
import { join, resolve } from "node:path";
import { ClusterError, errorText, MeshError, UsageError } from "../base/errors.ts";
import type { Cluster } from "../resources/cluster.ts";
import type { KindTypes } from "../resources/kinds.ts";
import { parseYaml, toYaml } from "../resources/yaml-plain.ts";
import { globalOptions, switchOption, textOption } from "./input.ts";
import type { CommandInput, CommandResult, Io } from "./io.ts";
import { type HostFiles, type HostOptions, hostFiles, record } from "./workload-files.ts";

type WorkloadGroup = KindTypes["WorkloadGroup"];
type Json = Readonly<Record<string, unknown>>;

export interface WorkloadEntryOptions extends HostOptions {
  /** A WorkloadGroup in a file; undefined takes the cluster's, by name and namespace. */
  readonly file: string | undefined;
  readonly name: string | undefined;
  readonly namespace: string | undefined;
  /** Folder to write to. */
  readonly output: string;
  /** Undefined: as the injector's values name it. */
  readonly clusterId: string | undefined;
  readonly tokenSeconds: number;
  readonly ingressService: string;
  readonly ingressIp: string | undefined;
}

export interface WorkloadEntryResult extends CommandResult {
  /** Paths of what was written. */
  readonly written: readonly string[];
}

/** `meshctl workload entry configure`. */
export function run(input: CommandInput, io: Io): Promise<WorkloadEntryResult> {
  const { namespace, istioNamespace } = globalOptions(input);
  const output = textOption(input, "output");
  if (output === undefined) throw new UsageError("-o is missing", "Give the folder to write to with -o.");
  const internalIp = addressOption(input, "internalIP");
  const externalIp = addressOption(input, "externalIP");
  if (internalIp !== undefined && externalIp !== undefined)
    throw new UsageError(
      "--internalIP and --externalIP exclude each other",
      "Give the address by which the mesh reaches the machine: --internalIP when the machine has it itself.",
    );
  return workloadEntry(
    {
      file: textOption(input, "file"),
      name: textOption(input, "name"),
      namespace,
      istioNamespace,
      output,
      clusterId: textOption(input, "clusterID"),
      tokenSeconds: tokenSecondsOf(input),
      ingressService: textOption(input, "ingressService") ?? "istio-eastwestgateway",
      ingressIp: addressOption(input, "ingressIP"),
      autoregister: switchOption(input, "autoregister"),
      captureDns: textOption(input, "captureDns") !== "false",
      internalIp,
      externalIp,
      revision: textOption(input, "revision"),
    },
    io,
  );
}

function addressOption(input: CommandInput, name: string): string | undefined {
  const value = textOption(input, name);
  if (value === undefined || isIP(value) !== 0) return value;
  throw new UsageError(`--${name}: expected an IP address, got "${value}"`);
}

/** An API server gives no token for less than ten minutes. */
const MIN_TOKEN_SECONDS = 600;

function tokenSecondsOf(input: CommandInput): number {
  const seconds = Number(input.options["tokenDuration"] ?? 3600);
  if (Number.isInteger(seconds) && seconds >= MIN_TOKEN_SECONDS) return seconds;
  throw new UsageError(`--tokenDuration: expected seconds, ${MIN_TOKEN_SECONDS} or more, got "${seconds}"`);
}

/**
 * Writes cluster.env, mesh.yaml, root-cert.pem, istio-token and hosts for one machine of a WorkloadGroup. The token is a
 * secret: files are for their owner alone. Throws ClusterError and MeshError for what is missing in the cluster.
 */
export async function workloadEntry(options: WorkloadEntryOptions, io: Io): Promise<WorkloadEntryResult> {
  const cluster = await io.cluster();
  const group = await groupOf(options, cluster, io);
  const namespace = group.metadata.namespace ?? "";
  const serviceAccount = group.spec?.template?.serviceAccount || "default";
  const facts = {
    group,
    mesh: await meshConfig(cluster, options),
    clusterId: options.clusterId ?? (await clusterName(cluster, options)),
    rootCert: await rootCert(cluster, namespace),
    token: await cluster.createToken({
      namespace,
      serviceAccount,
      audiences: ["istio-ca"],
      expirationSeconds: options.tokenSeconds,
    }),
    address: await ingressAddress(cluster, options),
  };
  const files = hostFiles(options, facts);
  const written = await write(resolve(io.cwd, options.output), files);
  if (facts.address === undefined) {
    io.err(
      `Where ${files.istiodHost} is reached from the machine is not known: Service ${options.ingressService} has no address. Give one with --ingressIP, or write it into hosts.\n`,
    );
  }
  io.err(
    `The token in ${join(options.output, "istio-token")} lets its bearer join as ${namespace}/${serviceAccount} for ${options.tokenSeconds} s. Keep it secret.\n`,
  );
  io.out(written.map((path) => `${path}\n`).join(""));
  return { exitCode: 0, written };
}

async function groupOf(options: WorkloadEntryOptions, cluster: Cluster, io: Io): Promise<WorkloadGroup> {
  const { file, name, namespace } = options;
  if (file !== undefined) return groupOfFile(resolve(io.cwd, file), namespace);
  if (name === undefined || namespace === undefined)
    throw new UsageError("no WorkloadGroup given", "Give a file with -f, or --name and -n of one in the cluster.");
  const target = { apiVersion: "networking.istio.io/v1", kind: "WorkloadGroup", namespace, name };
  const group = await cluster.get(target);
  if (group !== undefined) return group as WorkloadGroup;
  throw new ClusterError("not-found", `there is no WorkloadGroup ${namespace}/${name}`, {
    hint: "Make one with meshctl workload group create and apply it.",
  });
}

async function groupOfFile(path: string, namespace: string | undefined): Promise<WorkloadGroup> {
  let value: unknown;
  try {
    value = parseYaml(await readFile(path, "utf8"));
  } catch (cause) {
    throw new MeshError("read-file", `${path}: ${errorText(cause)}`, {
      hint: "Give a file with one WorkloadGroup.",
      cause,
    });
  }
  if (record(value)["kind"] !== "WorkloadGroup" || typeof record(record(value)["metadata"])["name"] !== "string")
    throw new MeshError("read-file", `${path}: expected one WorkloadGroup`, {
      hint: "meshctl workload group create prints one.",
    });
  const group = value as WorkloadGroup;
  const own = group.metadata.namespace ?? namespace;
  if (own === undefined) throw new UsageError("the WorkloadGroup names no namespace", "Give it with -n.");
  return { ...group, metadata: { ...group.metadata, namespace: own } };
}

/** The control plane's ConfigMap of a name, with its revision behind. */
async function config(cluster: Cluster, name: string, { istioNamespace, revision }: HostOptions): Promise<Json> {
  const full = revision === undefined || revision === "default" ? name : `${name}-${revision}`;
  const found = await cluster.get({ apiVersion: "v1", kind: "ConfigMap", namespace: istioNamespace, name: full });
  if (found !== undefined) return record(found["data"]);
  throw new ClusterError("not-found", `there is no ConfigMap ${istioNamespace}/${full}`, {
    hint: "Run meshctl install, or name the control plane with --revision and --istioNamespace.",
  });
}

async function meshConfig(cluster: Cluster, options: HostOptions): Promise<Json> {
  const { mesh } = await config(cluster, "istio", options);
  return record(typeof mesh === "string" ? parseYaml(mesh) : {});
}

async function clusterName(cluster: Cluster, options: HostOptions): Promise<string> {
  const { values } = await config(cluster, "istio-sidecar-injector", options);
  let value: unknown = typeof values === "string" ? parseYaml(values) : {};
  for (const key of ["global", "multiCluster", "clusterName"]) value = record(value)[key];
  return typeof value === "string" && value !== "" ? value : "Kubernetes";
}

async function rootCert(cluster: Cluster, namespace: string): Promise<string> {
  const name = "istio-ca-root-cert";
  const found = await cluster.get({ apiVersion: "v1", kind: "ConfigMap", namespace, name });
  const pem = record(found?.["data"])["root-cert.pem"];
  if (typeof pem === "string") return pem;
  throw new ClusterError("not-found", `there is no ConfigMap ${namespace}/${name} with root-cert.pem`, {
    hint: `Check that namespace ${namespace} exists and istiod runs: it writes the roots into every namespace.`,
  });
}

interface ServiceAddresses {
  readonly spec: { readonly externalIPs?: readonly string[] };
  readonly status: { readonly loadBalancer?: { readonly ingress?: readonly { readonly ip?: string }[] } };
}

async function ingressAddress(cluster: Cluster, options: WorkloadEntryOptions): Promise<string | undefined> {
  const { ingressIp, ingressService, istioNamespace } = options;
  if (ingressIp !== undefined) return ingressIp;
  const [name = "", namespace = istioNamespace] = ingressService.split(".");
  return addressOf((await cluster.get({ apiVersion: "v1", kind: "Service", namespace, name })) ?? {});
}

function addressOf(service: object): string | undefined {
  const { spec, status } = service as Partial<ServiceAddresses>;
  return status?.loadBalancer?.ingress?.[0]?.ip ?? spec?.externalIPs?.[0];
}

async function write(folder: string, files: HostFiles): Promise<readonly string[]> {
  const texts: Readonly<Record<string, string>> = {
    "cluster.env": files.clusterEnv,
    hosts: files.hosts,
    "istio-token": files.token,
    "mesh.yaml": toYaml(files.mesh),
    "root-cert.pem": files.rootCert,
  };
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    for (const [name, text] of Object.entries(texts)) await writeFile(join(folder, name), text, { mode: 0o600 });
  } catch (cause) {
    throw new MeshError("write-file", `cannot write ${folder}: ${errorText(cause)}`, {
      hint: "Give a folder that can be written with -o.",
      cause,
    });
  }
  return Object.keys(texts).map((name) => join(folder, name));
}
