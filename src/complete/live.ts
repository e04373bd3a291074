import type { ClusterReader, KindRef } from "../resources/cluster.ts";
import type { KubeObject } from "../resources/object.ts";
import type { Candidate } from "./question.ts";

/** Where in the cluster. */
export interface Within {
  readonly word: string;
  readonly namespace: string;
  readonly istioNamespace: string;
  readonly signal: AbortSignal;
}

/** Namespaces of the cluster. */
export async function namespaces(cluster: ClusterReader, { signal }: Within): Promise<readonly Candidate[]> {
  const objects = await cluster.list({ apiVersion: "v1", kind: "Namespace" }, { signal });
  return objects.map(({ metadata }) => ({ value: metadata.name }));
}

/** Revisions that have a control plane, and tags that stand for one, by their webhooks. */
export async function revisions(cluster: ClusterReader, { signal }: Within): Promise<readonly Candidate[]> {
  const kind = { apiVersion: "admissionregistration.k8s.io/v1", kind: "MutatingWebhookConfiguration" };
  const hooks = await cluster.list(kind, { labelSelector: "app=sidecar-injector", signal });
  const found = hooks.flatMap(({ metadata: { labels = {} } }): Candidate[] => {
    const { "istio.io/rev": revision, "istio.io/tag": tag } = labels;
    if (revision === undefined) return [];
    return tag === undefined ? [{ value: revision }] : [{ value: tag, about: `tag of ${revision}` }];
  });
  return [...new Map(found.map((each) => [each.value, each])).values()];
}

/** Kinds that can stand before a name, by their words on the command line. */
const WORKLOAD_KINDS: Readonly<Record<string, KindRef>> = {
  deploy: { apiVersion: "apps/v1", kind: "Deployment" },
  deployment: { apiVersion: "apps/v1", kind: "Deployment" },
  pod: { apiVersion: "v1", kind: "Pod" },
};

/** Pods of the namespace; behind `deploy/` its Deployments; behind `name.` the namespaces that have such a pod. */
export async function workloads(cluster: ClusterReader, within: Within): Promise<readonly Candidate[]> {
  const { word, namespace, signal } = within;
  const slash = word.indexOf("/");
  const kind = WORKLOAD_KINDS[slash < 0 ? "pod" : word.slice(0, slash)];
  if (kind === undefined) return [];
  const before = word.slice(0, slash + 1);
  const [name, where] = word.slice(slash + 1).split(/\.(.*)/s, 2);
  if (where !== undefined) {
    const everywhere = await cluster.list(kind, { fieldSelector: `metadata.name=${name ?? ""}`, signal });
    return everywhere.map(({ metadata }) => ({ value: `${before}${metadata.name}.${metadata.namespace ?? ""}` }));
  }
  const objects = await cluster.list(kind, { namespace, signal });
  return objects.map((object) => ({ value: before + object.metadata.name, ...aboutOf(object) }));
}

function aboutOf({ metadata }: KubeObject): { readonly about?: string } {
  const status = metadata.annotations?.["sidecar.istio.io/status"];
  return status === undefined ? {} : { about: "has a sidecar" };
}
