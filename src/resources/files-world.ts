import type { Pod, Workload } from "./core.ts";
import { KINDS, kindOf } from "./kinds.ts";
import type { KubeObject, ObjectMeta } from "./object.ts";
import { createFixedWorld, type FixedWorld } from "./world-fixed.ts";

/** Whether a kind has no namespace. Kinds we do not know count as namespaced, as nearly all are. */
export function isClusterScoped(object: KubeObject): boolean {
  const kind = kindOf(object);
  return kind === undefined ? object.kind.startsWith("Cluster") : !KINDS[kind].namespaced;
}

/**
 * A World of layers: a later object of the same kind and name takes the place of an earlier one (files over a cluster). Pods
 * that workloads of `files` would make are there too, named `<workload>-from-template`, so that selectors find them; those
 * that the same workloads have in the cluster are gone, since the new template replaces them.
 */
export function worldFromObjects(files: readonly KubeObject[], cluster: readonly KubeObject[] = []): FixedWorld {
  const implied = files.flatMap((object) => impliedPod(object) ?? []);
  return createFixedWorld([...withoutReplaced(cluster, files), ...implied, ...files]);
}

/** The cluster's objects without pods (and what stands between) of workloads that the files bring anew. */
function withoutReplaced(cluster: readonly KubeObject[], files: readonly KubeObject[]): readonly KubeObject[] {
  if (cluster.length === 0) return cluster;
  const gone = new Set(files.flatMap((object) => (templateOf(object) === undefined ? [] : [workloadKey(object)])));
  if (gone.size === 0) return cluster;
  const owned = ({ metadata }: KubeObject): boolean =>
    (metadata.ownerReferences ?? []).some(
      ({ kind, name, controller }) => controller === true && gone.has(`${kind}/${metadata.namespace ?? ""}/${name}`),
    );
  const between = cluster.filter((object) => OWNED_WORKLOADS.has(object.kind) && owned(object));
  for (const object of between) gone.add(workloadKey(object));
  return cluster.filter((object) => !((object.kind === "Pod" || OWNED_WORKLOADS.has(object.kind)) && owned(object)));
}

/** Kinds that a workload makes, and that make pods. */
const OWNED_WORKLOADS: ReadonlySet<string> = new Set(["ReplicaSet", "Job"]);

function workloadKey({ kind, metadata }: KubeObject): string {
  return `${kind}/${metadata.namespace ?? ""}/${metadata.name}`;
}

/** The pod that a workload's template describes, or undefined for objects without one. */
export function impliedPod(object: KubeObject): Pod | undefined {
  const template = templateOf(object);
  if (template === undefined) return undefined;
  const { namespace, name } = object.metadata;
  const metadata: ObjectMeta = {
    ...template.metadata,
    name: `${name}-from-template`,
    ...(namespace === undefined ? {} : { namespace }),
    ownerReferences: [{ apiVersion: object.apiVersion, kind: object.kind, name, uid: "", controller: true }],
  };
  return { apiVersion: "v1", kind: "Pod", metadata, ...(template.spec === undefined ? {} : { spec: template.spec }) };
}

const WITH_TEMPLATE: ReadonlySet<string> = new Set(["Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job"]);

type Template = NonNullable<NonNullable<Workload["spec"]>["template"]>;

function templateOf(object: KubeObject): Template | undefined {
  // asked of each object: first what is quickly said
  const isCron = object.kind === "CronJob";
  if ((!isCron && !WITH_TEMPLATE.has(object.kind)) || kindOf(object) !== object.kind) return undefined;
  if (!isCron) return (object as Workload).spec?.template;
  const job = (object.spec as { jobTemplate?: { spec?: { template?: Template } } } | undefined)?.jobTemplate;
  return job?.spec?.template;
}
