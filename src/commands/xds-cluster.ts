import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { ClusterError, EnvironmentError, errorText, UsageError } from "../base/errors.ts";
import { once } from "../base/once.ts";
import { askDebug, type DebugConnection } from "../grpc/debug-client.ts";
import type { Cluster, KindRef, ListOptions, PodPort, PodRequest } from "../resources/cluster.ts";
import type { KubeObject } from "../resources/object.ts";
import { clusterIdOf } from "./clusters.ts";
import { MONITORING_PORT } from "./control-plane.ts";

/** Flags of the command line about a control plane that is asked over xDS; istioctl's. */
export interface XdsFlags {
  /** `host:port` of the port where proxies connect. */
  readonly xdsAddress: string;
  /** The name that must be in its certificate. */
  readonly authority?: string;
  /** Folder of a client certificate, with Istio's file names. */
  readonly certDir?: string;
  readonly insecure?: boolean;
  readonly plaintext?: boolean;
  readonly istioNamespace?: string;
  readonly namespace?: string;
}

/** As istioctl: an account of this name is in every namespace. */
const ACCOUNT = "default";
const AUDIENCE = "istio-ca";
const TOKEN_SECONDS = 3600;
const TIMEOUT_MS = 30_000;

/**
 * A cluster whose control plane is asked over xDS at an address, by a token that the user may make for a service account, or a
 * certificate; where nobody may forward ports to its pods, or it runs in another cluster. Proxies are asked as ever.
 */
export function xdsCluster(cluster: Cluster, flags: XdsFlags, cwd: string): Cluster {
  const { xdsAddress: address, istioNamespace = "istio-system" } = flags;
  const connection = once(() => connect(cluster, { ...flags, istioNamespace }, cwd));
  const isControlPlane = ({ namespace, port }: PodPort): boolean =>
    namespace === istioNamespace && port === MONITORING_PORT;
  const answer = async (asked: PodRequest): Promise<{ readonly status: number; readonly body: string }> => {
    if (asked.method !== "GET") throw unsaid(`${address} cannot be changed over xDS`);
    if (asked.path === "/version") {
      const { version } = await askDebug(await connection(), "list");
      return { status: 200, body: version };
    }
    if (!asked.path.startsWith("/debug/")) throw unsaid(`${address} does not answer ${asked.path} over xDS`);
    return askDebug(await connection(), asked.path.slice("/debug/".length));
  };
  return {
    ...cluster,
    elsewhere: (target, asked) => (isControlPlane(target) ? answer(asked) : undefined),
    list: async (kind, options) => {
      if (!isAskedForControlPlane(kind, options, istioNamespace)) return cluster.list(kind, options);
      const { instance } = await askDebug(await connection(), "list");
      return [await whoAnswers(cluster, { namespace: istioNamespace, name: instance === "" ? address : instance })];
    },
  };
}

function unsaid(words: string): ClusterError {
  return new ClusterError("not-over-xds", words, { hint: "Ask it through its cluster: without --xds-address." });
}

function isAskedForControlPlane({ kind }: KindRef, options: ListOptions = {}, istioNamespace: string): boolean {
  return (
    kind === "Pod" &&
    options.namespace === istioNamespace &&
    /^app=istiod(?:,istio\.io\/rev=|$)/.test(options.labelSelector ?? "")
  );
}

/** Whoever answers at the address speaks for all pods of the control plane; it need not be a pod of this cluster. */
async function whoAnswers(
  cluster: Cluster,
  { namespace, name }: { readonly namespace: string; readonly name: string },
): Promise<KubeObject> {
  const kind = { apiVersion: "v1", kind: "Pod" };
  const pod = await cluster.get({ ...kind, namespace, name }).catch(() => undefined);
  const status = { phase: "Running", conditions: [{ type: "Ready", status: "True" }] };
  return pod ?? { ...kind, metadata: { name, namespace, labels: { app: "istiod" } }, status };
}

type Where = XdsFlags & { readonly istioNamespace: string };

async function connect(cluster: Cluster, flags: Where, cwd: string): Promise<DebugConnection> {
  const { xdsAddress: address, istioNamespace, certDir, insecure, plaintext } = flags;
  if (plaintext === true && certDir !== undefined)
    throw new UsageError("--plaintext and --cert-dir exclude each other", "A certificate is shown in TLS alone.");
  const common = { address, timeout: TIMEOUT_MS };
  if (plaintext === true) return { ...common, tls: undefined, token: undefined };
  const serverName = flags.authority ?? `istiod.${istioNamespace}.svc`;
  if (certDir !== undefined) {
    const [chain, key, roots] = await Promise.all(
      ["cert-chain.pem", "key.pem", "root-cert.pem"].map((file) => readPem(resolve(cwd, certDir), file)),
    );
    const client = { chain: chain ?? "", key: key ?? "" };
    return { ...common, tls: { serverName, roots: insecure === true ? undefined : roots, client }, token: undefined };
  }
  const roots = insecure === true ? undefined : await rootsOf(cluster, istioNamespace);
  const [token, clusterId] = await Promise.all([tokenFor(cluster, flags), clusterIdOf(cluster, istioNamespace)]);
  return { ...common, tls: { serverName, roots }, token, ...(clusterId === undefined ? {} : { clusterId }) };
}

async function readPem(folder: string, file: string): Promise<string> {
  return readFile(join(folder, file), "utf8").catch((error: unknown) => {
    throw new EnvironmentError("unreadable-file", `--cert-dir: ${file} cannot be read: ${errorText(error)}`, {
      hint: "The folder holds cert-chain.pem, key.pem and root-cert.pem.",
    });
  });
}

async function rootsOf(cluster: Cluster, namespace: string): Promise<string> {
  const map = await cluster.get({ apiVersion: "v1", kind: "ConfigMap", namespace, name: "istio-ca-root-cert" });
  const roots = (map?.["data"] as Readonly<Record<string, string>> | undefined)?.["root-cert.pem"];
  if (roots !== undefined) return roots;
  throw new ClusterError("no-roots", `ConfigMap istio-ca-root-cert of namespace ${namespace} holds no root-cert.pem`, {
    hint: "Give the roots with --cert-dir, or look at no certificate with --insecure.",
  });
}

/** A token of the control plane's namespace, which may ask everything; of one's own where that is not allowed. */
async function tokenFor(cluster: Cluster, { istioNamespace, namespace = "default" }: Where): Promise<string> {
  const token = (of: string): Promise<string> =>
    cluster.createToken({
      namespace: of,
      serviceAccount: ACCOUNT,
      audiences: [AUDIENCE],
      expirationSeconds: TOKEN_SECONDS,
    });
  try {
    return await token(istioNamespace);
  } catch (error) {
    if (!(error instanceof ClusterError) || error.code !== "forbidden") throw error;
    return token(namespace);
  }
}
