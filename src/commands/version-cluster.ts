import { ClusterError, errorText } from "../base/errors.ts";
import { compact } from "../base/compact.ts";
import type { Cluster } from "../resources/cluster.ts";
import type { KubeObject } from "../resources/object.ts";
import { getJson, getText } from "./pod-http.ts";

const MONITORING_PORT = 15_014;

/** A part of the control plane, in istioctl's words. */
export interface ComponentVersion {
  readonly Component: string;
  readonly Revision: string;
  readonly Info: { readonly version: string };
}

/** A connected proxy, in istioctl's words. */
export interface ProxyVersion {
  /** pod.namespace */
  readonly ID: string;
  readonly IstioVersion: string;
  /** sidecar or router */
  readonly Type?: string;
}

/** What runs in the cluster. */
export interface ClusterVersions {
  readonly meshVersion: readonly ComponentVersion[];
  /** Absent when no control plane pod could say which proxies are connected. */
  readonly dataPlaneVersion?: readonly ProxyVersion[];
  /** Why a pod was not asked, by pod. */
  readonly problems: readonly string[];
}

/**
 * Asks every running control plane pod for its version and its proxies. A pod that does not answer counts with the version of its image.
 * Throws ClusterError when the cluster cannot be asked at all.
 */
export async function clusterVersions(
  cluster: Cluster,
  { namespace, revision }: { readonly namespace: string; readonly revision?: string },
): Promise<ClusterVersions> {
  const labelSelector = revision === undefined ? "app=istiod" : `app=istiod,istio.io/rev=${revision}`;
  const found = await cluster.list({ apiVersion: "v1", kind: "Pod" }, { namespace, labelSelector });
  const pods = found.filter(({ status }) => ((status ?? {}) as { phase?: string }).phase === "Running");
  const answers = await Promise.all(pods.map((pod) => askPod(cluster, pod, namespace)));
  const known = answers.flatMap(({ proxies }) => proxies ?? []);
  const problems = answers.flatMap(({ problem }) => problem ?? []);
  return compact({
    meshVersion: answers.map(({ component }) => component),
    dataPlaneVersion: answers.some(({ proxies }) => proxies !== undefined) ? sorted(known) : undefined,
    problems,
  });
}

interface Answer {
  readonly component: ComponentVersion;
  readonly proxies?: readonly ProxyVersion[];
  readonly problem?: string;
}

async function askPod(cluster: Cluster, pod: KubeObject, namespace: string): Promise<Answer> {
  const target = { namespace, pod: pod.metadata.name, port: MONITORING_PORT };
  const component = (version: string): ComponentVersion => ({
    Component: "pilot",
    Revision: pod.metadata.labels?.["istio.io/rev"] ?? "default",
    Info: { version },
  });
  try {
    const version = (await getText(cluster, target, "/version")).trim();
    const proxies = proxiesOf(await getJson(cluster, target, "/debug/syncz"));
    return { component: component(version), proxies };
  } catch (error) {
    if (!(error instanceof ClusterError)) throw error;
    return {
      component: component(imageVersion(pod)),
      problem: `${pod.metadata.name} was not asked: ${errorText(error)}`,
    };
  }
}

function imageVersion({ spec }: KubeObject): string {
  const { containers = [] } = (spec ?? {}) as {
    containers?: readonly { readonly name: string; readonly image: string }[];
  };
  const image = containers.find(({ name }) => name === "discovery")?.image ?? "";
  return image.split("@")[0]?.split(":").at(-1) ?? "";
}

function proxiesOf(answer: unknown): readonly ProxyVersion[] {
  const entries = (Array.isArray(answer) ? answer : []) as readonly Readonly<Record<string, string | undefined>>[];
  return entries.map(({ proxy, istio_version, proxy_type }) => ({
    ID: proxy ?? "",
    IstioVersion: istio_version ?? "",
    ...(proxy_type === undefined ? {} : { Type: proxy_type }),
  }));
}

function sorted(proxies: readonly ProxyVersion[]): readonly ProxyVersion[] {
  return proxies.toSorted((a, b) => (a.ID < b.ID ? -1 : 1));
}
