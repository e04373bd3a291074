import { askedRevision, askedRevisionOfPod } from "../model/asked-revision.ts";
import { REVISION_LABEL } from "../model/injection-webhooks.ts";
import type { ClusterReader } from "../resources/cluster.ts";
import type { KubeObject } from "../resources/object.ts";
import { isReady } from "./readiness.ts";

/** Label of the objects that make up a tag; its value is the tag. */
export const TAG_LABEL = "istio.io/tag";

/** A second name of a revision, by which namespaces ask for it. */
export interface Tag {
  readonly tag: string;
  readonly revision: string;
  /** Namespaces that ask by this name, sorted. */
  readonly namespaces: readonly string[];
}

/** One control plane of the cluster. */
export interface Revision {
  readonly revision: string;
  /** Of the program that installed it, or the tag of its image; "" when neither is known. */
  readonly version: string;
  readonly isReady: boolean;
  readonly tags: readonly string[];
  /** Namespaces that ask for its proxies, by its name or that of a tag, sorted. */
  readonly namespaces: readonly string[];
  /** Running pods with a proxy that it made. */
  readonly proxies: number;
}

/** A running pod with a proxy. */
export interface InjectedPod {
  readonly namespace: string;
  readonly pod: string;
  /** Revision whose injector made the proxy. */
  readonly revision: string;
  /** The name it asks by: a revision or a tag; undefined when neither its labels nor its namespace ask any more. */
  readonly asks: string | undefined;
  /** The revision that would make its proxy now. */
  readonly wanted: string | undefined;
  /** Image of its proxy. */
  readonly image: string;
}

/** A namespace that asks for proxies. */
export interface AskingNamespace {
  readonly namespace: string;
  /** The name it asks by: a revision or a tag. */
  readonly asks: string;
  /** The revision that it means; there may be none of that name. */
  readonly wanted: string;
}

/** Who is there and who uses whom. Everything is sorted by name. */
export interface Revisions {
  readonly revisions: readonly Revision[];
  readonly tags: readonly Tag[];
  readonly namespaces: readonly AskingNamespace[];
  readonly pods: readonly InjectedPod[];
}

/** Reads revisions, tags and the pods that have a proxy. `namespace` is that of the control planes. */
export async function readRevisions(cluster: ClusterReader, namespace: string): Promise<Revisions> {
  const list = (apiVersion: string, kind: string, options = {}): Promise<readonly KubeObject[]> =>
    cluster.list({ apiVersion, kind }, options);
  const [deployments, hooks, services, namespaces, pods] = await Promise.all([
    list("apps/v1", "Deployment", { namespace, labelSelector: "app=istiod" }),
    list("admissionregistration.k8s.io/v1", "MutatingWebhookConfiguration"),
    list("v1", "Service", { namespace }),
    list("v1", "Namespace"),
    list("v1", "Pod"),
  ]);
  const targets = tagTargets([...hooks, ...services]);
  const resolve = (name: string): string => targets.get(name) ?? name;
  const asking = namespaces
    .flatMap((each): AskingNamespace[] => {
      const asks = askedRevision(each);
      return asks === undefined ? [] : [{ namespace: each.metadata.name, asks, wanted: resolve(asks) }];
    })
    .toSorted((a, b) => (a.namespace < b.namespace ? -1 : 1));
  const namesOf = (isMeant: (each: AskingNamespace) => boolean): readonly string[] =>
    asking.filter(isMeant).map((each) => each.namespace);
  const injected = pods.filter(isInjected).map((pod) => injectedPod(pod, namespaces, resolve));
  const revisions = deployments.map((deployment): Revision => {
    const revision = deployment.metadata.labels?.[REVISION_LABEL] ?? "default";
    return {
      revision,
      version: versionOf(deployment),
      isReady: isReady({ ...deployment, kind: "Deployment" }),
      tags: [...targets].filter(([, target]) => target === revision).map(([tag]) => tag),
      namespaces: namesOf(({ wanted }) => wanted === revision),
      proxies: injected.filter((pod) => pod.revision === revision).length,
    };
  });
  return {
    revisions: revisions.toSorted((a, b) => (a.revision < b.revision ? -1 : 1)),
    tags: [...targets].map(([tag, revision]) => ({ tag, revision, namespaces: namesOf(({ asks }) => asks === tag) })),
    namespaces: asking,
    pods: injected,
  };
}

/** Tag -> revision, sorted by tag. */
function tagTargets(objects: readonly KubeObject[]): ReadonlyMap<string, string> {
  const pairs = objects.flatMap(({ metadata: { labels = {} } }) => {
    const tag = labels[TAG_LABEL];
    return tag === undefined ? [] : [[tag, labels[REVISION_LABEL] ?? "default"] as const];
  });
  return new Map(pairs.toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

const REVISION_ANNOTATION = "istio.io/rev";

function isInjected({ metadata, status }: KubeObject): boolean {
  const { phase } = (status ?? {}) as { phase?: string };
  const isAlive = phase !== "Succeeded" && phase !== "Failed" && metadata.deletionTimestamp === undefined;
  return isAlive && metadata.annotations?.[REVISION_ANNOTATION] !== undefined;
}

interface Containers {
  readonly containers?: readonly { readonly name: string; readonly image?: string }[];
  readonly initContainers?: Containers["containers"];
}

function injectedPod(
  pod: KubeObject,
  namespaces: readonly KubeObject[],
  resolve: (name: string) => string,
): InjectedPod {
  const { name, namespace = "", labels = {}, annotations = {} } = pod.metadata;
  const asks = askedRevisionOfPod(
    labels,
    namespaces.find(({ metadata }) => metadata.name === namespace),
  );
  const { containers = [], initContainers = [] } = (pod.spec ?? {}) as Containers;
  const proxy = [...containers, ...initContainers].find((container) => container.name === "istio-proxy");
  return {
    namespace,
    pod: name,
    revision: annotations[REVISION_ANNOTATION] ?? "default",
    asks,
    wanted: asks === undefined ? undefined : resolve(asks),
    image: proxy?.image ?? "",
  };
}

function versionOf({ metadata, spec }: KubeObject): string {
  const own = metadata.labels?.["operator.istio.io/version"];
  if (own !== undefined) return own;
  const { template } = (spec ?? {}) as { template?: { spec?: Containers } };
  const image = template?.spec?.containers?.[0]?.image ?? "";
  return /:([^:/]+)$/.exec(image)?.[1] ?? "";
}
