import type { ClusterReader } from "../resources/cluster.ts";
import type { KubeObject } from "../resources/object.ts";
import { readRevisions } from "./revisions.ts";

/** Who depends on a revision. Names are `namespace/name`. */
export interface RevisionUsers {
  /** Running pods whose proxy it made; its own gateways are none while it is the only revision: they go with it. */
  readonly pods: readonly string[];
  /** Namespaces whose labels ask it for proxies, by its own name or by that of a tag. */
  readonly namespaces: readonly string[];
  /** Its gateways, where another revision could take them over. */
  readonly gateways: readonly string[];
}

/** Who depends on a revision of the control plane in `namespace`. */
export async function usersOf(cluster: ClusterReader, namespace: string, revision: string): Promise<RevisionUsers> {
  const { pods, revisions, namespaces } = await readRevisions(cluster, namespace);
  const isOnly = revisions.every((each) => each.revision === revision);
  const gateways = await gatewaysOf(cluster, revision);
  const own = isOnly ? new Set((await Promise.all(gateways.map((each) => podsOf(cluster, each)))).flat()) : new Set();
  return {
    pods: pods
      .filter((pod) => pod.revision === revision)
      .map((pod) => `${pod.namespace}/${pod.pod}`)
      .filter((name) => !own.has(name)),
    namespaces: namespaces.filter(({ wanted }) => wanted === revision).map((each) => each.namespace),
    gateways: isOnly ? [] : gateways.map(nameOf),
  };
}

/** Deployments of the gateways that a revision installed. */
export async function gatewaysOf(cluster: ClusterReader, revision: string): Promise<readonly KubeObject[]> {
  const kind = { apiVersion: "apps/v1", kind: "Deployment" };
  const found = await cluster.list(kind, { labelSelector: `istio.io/rev=${revision}` });
  return found.filter(
    ({ metadata }) => metadata.labels?.["operator.istio.io/component"]?.endsWith("Gateways") === true,
  );
}

async function podsOf(cluster: ClusterReader, { metadata, spec }: KubeObject): Promise<readonly string[]> {
  const { selector } = spec as { readonly selector: { readonly matchLabels: Readonly<Record<string, string>> } };
  const labelSelector = Object.entries(selector.matchLabels)
    .map(([key, value]) => `${key}=${value}`)
    .join(",");
  const pods = await cluster.list(
    { apiVersion: "v1", kind: "Pod" },
    { namespace: metadata.namespace ?? "", labelSelector },
  );
  return pods.map(nameOf);
}

function nameOf({ metadata }: KubeObject): string {
  return `${metadata.namespace ?? ""}/${metadata.name}`;
}
