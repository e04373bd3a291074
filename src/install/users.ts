import type { ClusterReader } from "../resources/cluster.ts";
import type { KubeObject } from "../resources/object.ts";

/** Who depends on a revision: `namespace/pod`, and names of namespaces. */
export interface RevisionUsers {
  readonly pods: readonly string[];
  readonly namespaces: readonly string[];
}

/**
 * Running pods whose proxy was made by a revision (annotation istio.io/rev, which injection writes), and namespaces whose labels
 * ask it for proxies, by its own name or by that of a tag. Pods of the mesh's own namespace are counted too: gateways.
 */
export async function usersOf(cluster: ClusterReader, revision: string): Promise<RevisionUsers> {
  const [pods, namespaces, webhooks] = await Promise.all([
    cluster.list({ apiVersion: "v1", kind: "Pod" }),
    cluster.list({ apiVersion: "v1", kind: "Namespace" }),
    cluster.list(
      { apiVersion: "admissionregistration.k8s.io/v1", kind: "MutatingWebhookConfiguration" },
      { labelSelector: `istio.io/rev=${revision}` },
    ),
  ]);
  const names = new Set([revision, ...webhooks.flatMap(({ metadata }) => metadata.labels?.["istio.io/tag"] ?? [])]);
  const isAsking = ({ metadata: { labels = {} } }: KubeObject): boolean => {
    const asked = labels["istio-injection"] === "enabled" ? "default" : labels["istio.io/rev"];
    return asked !== undefined && names.has(asked);
  };
  return {
    pods: pods
      .filter(isAlive)
      .filter(({ metadata }) => metadata.annotations?.["istio.io/rev"] === revision)
      .map(({ metadata }) => `${metadata.namespace ?? ""}/${metadata.name}`),
    namespaces: namespaces.filter(isAsking).map(({ metadata }) => metadata.name),
  };
}

function isAlive({ status }: KubeObject): boolean {
  const { phase } = (status ?? {}) as { phase?: string };
  return phase !== "Succeeded" && phase !== "Failed";
}
