import { type PeerKey, type PeerLabels, peerLabel } from "../base/peer.ts";
import type { Pod } from "../resources/core.ts";
import type { ObjectMeta } from "../resources/object.ts";

/** The controller that a user knows a pod by. */
export interface WorkloadOwner {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
}

/**
 * The Deployment above a pod's ReplicaSet, the CronJob above its Job, else the controller itself; undefined for a bare pod.
 * Read off the names as Istio does: at admission, and in meshd without watching ReplicaSets, there is nothing else to ask.
 */
export function workloadOwner(metadata: Partial<ObjectMeta>): WorkloadOwner | undefined {
  const reference = metadata.ownerReferences?.find(({ controller }) => controller === true);
  if (reference === undefined) return undefined;
  const { apiVersion, kind, name } = reference;
  const hash = metadata.labels?.["pod-template-hash"];
  if (kind === "ReplicaSet" && hash !== undefined && name.endsWith(`-${hash}`)) {
    return { apiVersion, kind: "Deployment", name: name.slice(0, -hash.length - 1) };
  }
  const scheduled = kind === "Job" ? /^(.+)-\d{8,}$/.exec(name)?.[1] : undefined;
  return scheduled === undefined ? { apiVersion, kind, name } : { apiVersion, kind: "CronJob", name: scheduled };
}

/** What telemetry calls a workload. */
export interface CanonicalNames {
  readonly workload: string;
  readonly canonical: string;
  readonly revision: string;
}

/**
 * Names by Istio's rules: own canonical labels first, then the recommended labels, then what the workload is called. `owner`
 * is who owns the pod where that is known by other means.
 */
export function canonicalNames(metadata: Partial<ObjectMeta>, owner = workloadOwner(metadata)): CanonicalNames {
  const labels = metadata.labels ?? {};
  const workload = owner?.name ?? metadata.name ?? (metadata.generateName ?? "").replace(/-$/, "");
  const first = (keys: readonly string[]): string | undefined =>
    keys.map((key) => labels[key]).find((value) => value !== undefined);
  return {
    workload,
    canonical: first(NAME_LABELS) ?? asLabel(workload),
    revision: first(REVISION_LABELS) ?? "latest",
  };
}

const NAME_LABELS = ["service.istio.io/canonical-name", "app.kubernetes.io/name", "app"];
const REVISION_LABELS = ["service.istio.io/canonical-revision", "app.kubernetes.io/version", "version"];

/** A name as a label may hold it: injection writes it into one, and names of workloads may be longer. */
function asLabel(name: string): string {
  return name.slice(0, 63).replace(/[^A-Za-z0-9]+$/, "");
}

/** What a pod tells its peers about itself: the subject of its certificate and its EDS metadata say the same. */
export function peerLabels(pod: Pick<Pod, "metadata">, clusterId: string): PeerLabels {
  const { workload, canonical, revision } = canonicalNames(pod.metadata);
  const labels = pod.metadata.labels ?? {};
  return peerOf({
    workload,
    ns: pod.metadata.namespace,
    canonical,
    revision,
    app: labels["app"],
    version: labels["version"],
    cluster: clusterId,
  });
}

/** Peer labels of what is known, placeholders for the rest: for endpoints that are no pods. */
export function peerOf(known: { readonly [K in PeerKey]?: string | undefined }): PeerLabels {
  return {
    workload: peerLabel("workload", known.workload),
    ns: peerLabel("ns", known.ns),
    canonical: peerLabel("canonical", known.canonical),
    revision: peerLabel("revision", known.revision),
    app: peerLabel("app", known.app),
    version: peerLabel("version", known.version),
    cluster: peerLabel("cluster", known.cluster),
  };
}
