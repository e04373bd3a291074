import type { InjectContext, PodLike, WorkloadOwner } from "./config.ts";

/** What telemetry calls the workload a pod belongs to. */
export interface WorkloadNames {
  readonly name: string;
  /** `kubernetes://apis/apps/v1/namespaces/shop/deployments/web` */
  readonly owner?: string;
  readonly canonicalName: string;
  readonly canonicalRevision: string;
}

const MAX_LABEL = 63;

/** Names by Istio's rules: own canonical labels first, then the recommended labels, then what the workload is called. */
export function workloadNames(pod: PodLike, context: InjectContext): WorkloadNames {
  const { labels = {}, name: podName, generateName } = pod.metadata ?? {};
  const owner = context.owner ?? ownerOf(pod);
  const name = owner?.name ?? podName ?? generateName?.replace(/-$/, "") ?? "";
  const first = (keys: readonly string[], fallback: string): string =>
    keys.map((key) => labels[key]).find((value) => value !== undefined) ?? fallback;
  return {
    name,
    ...(owner === undefined ? {} : { owner: ownerUri(owner, context.namespace) }),
    canonicalName: first(NAME_LABELS, name)
      .slice(0, MAX_LABEL)
      .replace(/[^A-Za-z0-9]+$/, ""),
    canonicalRevision: first(REVISION_LABELS, "latest"),
  };
}

const NAME_LABELS = ["service.istio.io/canonical-name", "app.kubernetes.io/name", "app"];
const REVISION_LABELS = ["service.istio.io/canonical-revision", "app.kubernetes.io/version", "version"];

/**
 * The controller a user knows: the Deployment above a ReplicaSet, the CronJob above a Job. Both are read off the names, as
 * Istio does, because at admission there is nothing else to ask.
 */
function ownerOf(pod: PodLike): WorkloadOwner | undefined {
  const reference = pod.metadata?.ownerReferences?.find((candidate) => candidate.controller === true);
  if (reference === undefined) return undefined;
  const { apiVersion, kind, name } = reference;
  const hash = pod.metadata?.labels?.["pod-template-hash"];
  if (kind === "ReplicaSet" && hash !== undefined && name.endsWith(`-${hash}`))
    return { apiVersion, kind: "Deployment", name: name.slice(0, -hash.length - 1) };
  const scheduled = kind === "Job" ? /^(.+)-\d{8,}$/.exec(name)?.[1] : undefined;
  return scheduled === undefined ? { apiVersion, kind, name } : { apiVersion, kind: "CronJob", name: scheduled };
}

function ownerUri(owner: WorkloadOwner, namespace: string): string {
  return `kubernetes://apis/${owner.apiVersion}/namespaces/${namespace}/${owner.kind.toLowerCase()}s/${owner.name}`;
}
