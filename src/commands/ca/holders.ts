import { X509Certificate } from "node:crypto";
import { connect } from "node:tls";
import { errorText } from "../../base/errors.ts";
import type { Cluster } from "../../resources/cluster.ts";
import type { KubeObject } from "../../resources/object.ts";
import { splitPem } from "../../pki/trust-path.ts";
import { CONTROL_PLANE_ROOTS, MESH_ROOTS } from "../../base/agent-sds.ts";
import { heldRoots, rootsByDomain } from "../proxy-config/secret.ts";
import { list } from "../proxy-config/view.ts";
import type { Io } from "../io.ts";
import { controlPlanePods, getJson } from "../pod-http.ts";
import { readStates } from "../proxy-status/states.ts";

/** What one proxy holds of the mesh's trust, as its Envoy says. */
export interface Holder {
  /** `pod.namespace` */
  readonly name: string;
  /** PEM. */
  readonly roots: readonly string[];
  /** PEM: the workload's certificate, then those above it. */
  readonly chain: readonly string[];
  /** PEM of the revocation lists that it checks. */
  readonly revocations: string;
  /** Why it could not be asked. */
  readonly problem?: string;
}

const ADMIN_PORT = 15_000;
const GRPC_PORT = 15_012;
const AT_ONCE = 16;

/** Names of all proxies: those that are connected, and those of pods that should be. Throws ClusterError. */
export async function proxyNames(
  cluster: Cluster,
  istioNamespace: string,
  io: Pick<Io, "err">,
): Promise<readonly string[]> {
  const states = await readStates(cluster, { istioNamespace, wait: false }, io);
  return [...new Set(states.map(({ name, namespace }) => `${name}.${namespace}`))];
}

/** Asks these proxies, some at once. One that does not answer is told as such. */
export async function askHolders(cluster: Cluster, names: readonly string[]): Promise<readonly Holder[]> {
  const answers: Holder[] = [];
  const rest = names.values();
  const worker = async (): Promise<void> => {
    for (const name of rest) answers.push(await ask(cluster, name));
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return answers.toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

async function ask(cluster: Cluster, name: string): Promise<Holder> {
  const dot = name.indexOf(".");
  const target = { pod: name.slice(0, dot), namespace: name.slice(dot + 1), port: ADMIN_PORT };
  try {
    return { name, ...secretsIn(await getJson(cluster, target, "/config_dump?resource=dynamic_active_secrets")) };
  } catch (error) {
    return { name, roots: [], chain: [], revocations: "", problem: errorText(error) };
  }
}

interface Dumped {
  readonly name?: string;
  readonly secret?: {
    readonly tls_certificate?: { readonly certificate_chain?: DataSource };
    readonly validation_context?: { readonly trusted_ca?: DataSource; readonly crl?: DataSource };
  };
}
interface DataSource {
  readonly inline_string?: string;
  readonly inline_bytes?: string;
}

/** What a dump says of the proxy's certificate and of what it trusts. */
function secretsIn(dump: unknown): Pick<Holder, "roots" | "chain" | "revocations"> {
  const active = list(dump, "configs") as readonly Dumped[];
  const of = (name: string): Dumped["secret"] => active.find((one) => one.name === name)?.secret;
  const lists = [MESH_ROOTS, CONTROL_PLANE_ROOTS].map((name) => text(of(name)?.validation_context?.crl));
  return {
    roots: splitPem(Object.values(rootsByDomain(heldRoots(active))).join("")),
    chain: splitPem(text(of("default")?.tls_certificate?.certificate_chain)),
    // where roots are told by trust domain, lists stand beside the control plane's alone
    revocations: lists.find((list) => list !== "") ?? "",
  };
}

function text({ inline_string, inline_bytes = "" }: DataSource = {}): string {
  return inline_string ?? Buffer.from(inline_bytes, "base64").toString("utf8");
}

/** The root ConfigMaps, by namespace: PEM. */
export async function rootMaps(cluster: Cluster): Promise<ReadonlyMap<string, string>> {
  const fieldSelector = "metadata.name=istio-ca-root-cert";
  const [maps, namespaces] = await Promise.all([
    cluster.list({ apiVersion: "v1", kind: "ConfigMap" }, { fieldSelector }),
    cluster.list({ apiVersion: "v1", kind: "Namespace" }),
  ]);
  const pemOf = (map: KubeObject | undefined): string =>
    ((map?.["data"] ?? {}) as Readonly<Record<string, string>>)["root-cert.pem"] ?? "";
  return new Map(
    namespaces
      .filter(({ metadata }) => metadata.deletionTimestamp === undefined)
      .map(({ metadata: { name } }) => [name, pemOf(maps.find(({ metadata }) => metadata.namespace === name))]),
  );
}

/** Control plane pods whose certificate on the port for proxies does not lead to these roots, with the reason. */
export async function strangeServers(cluster: Cluster, namespace: string, roots: string): Promise<readonly string[]> {
  const pods = await controlPlanePods(cluster, namespace);
  const answers = await Promise.all(
    pods.map(async ({ metadata: { name } }) => {
      const problem = await handshake(cluster, { namespace, pod: name }, roots);
      return problem === undefined ? [] : [`control plane pod ${name}: ${problem}`];
    }),
  );
  return answers.flat();
}

const HANDSHAKE_MS = 10_000;

async function handshake(
  cluster: Cluster,
  pod: { readonly namespace: string; readonly pod: string },
  roots: string,
): Promise<string | undefined> {
  try {
    const socket = await cluster.portForward({ ...pod, port: GRPC_PORT });
    return await new Promise<string | undefined>((resolve) => {
      const timer = setTimeout(() => end("no handshake in 10 s"), HANDSHAKE_MS);
      const servername = `istiod.${pod.namespace}.svc`;
      const tls = connect({ socket, ca: roots, servername, ALPNProtocols: ["h2"] });
      const end = (problem: string | undefined): void => {
        clearTimeout(timer);
        tls.destroy();
        socket.destroy();
        resolve(problem);
      };
      tls.once("secureConnect", () => end(undefined));
      tls.once("error", (error) => end(errorText(error)));
    });
  } catch (error) {
    return errorText(error);
  }
}

/** Subject of a certificate in one line. */
export function subjectOf(pem: string): string {
  return new X509Certificate(pem).subject.replaceAll("\n", ", ");
}
