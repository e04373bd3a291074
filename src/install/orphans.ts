import { revisionSuffix } from "../base/revision.ts";
import { REVISION_LABEL, webhooksOf } from "../model/injection-webhooks.ts";
import type { Cluster, ClusterReader, KindRef } from "../resources/cluster.ts";
import type { KubeObject } from "../resources/object.ts";
import { targetOf } from "./apply.ts";
import { AUTHORITY_SECRETS, ownObjects, TRUST_MAPS } from "./remove.ts";
import { TAG_LABEL } from "./revisions.ts";

/** An object that an installation left behind. */
export interface Orphan {
  readonly object: KubeObject;
  /** Why nobody needs it, e.g. `revision canary is not installed`. */
  readonly reason: string;
  /** CRDs: with them goes configuration, so only `uninstall --purge` removes them. */
  readonly isKept: boolean;
}

const WEBHOOKS = ["MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"] as const;

/**
 * What installations left behind, in the order in which it should go: objects of revisions that are not installed, tags that name
 * nothing, webhooks whose Service is not there, leases, and, when no control plane is left, root certificates, the CA's key and CRDs.
 * A revision is installed while its Deployment is there, while another cluster's control plane serves it, or while its
 * installation has not ended.
 */
export async function findOrphans(cluster: ClusterReader, namespace: string): Promise<readonly Orphan[]> {
  const own = await ownObjects(cluster, {});
  const installed = new Set(own.filter(isControlPlane).map(revisionOf));
  const foreign = await cluster.list({ apiVersion: "apps/v1", kind: "Deployment" }, { labelSelector: "app=istiod" });
  for (const deployment of foreign) installed.add(revisionOf(deployment));
  const [webhooks, leases, shared] = await Promise.all([
    lostWebhooks(cluster),
    lostLeases(cluster, namespace, installed),
    installed.size === 0 ? sharedObjects(cluster, namespace) : Promise.resolve([]),
  ]);
  const rest = own.toReversed().flatMap((object) => orphanOf(object, installed));
  const seen = new Set<string>();
  return [...webhooks, ...rest, ...leases, ...shared].filter(({ object: { kind, metadata } }) => {
    const key = `${kind} ${metadata.namespace ?? ""}/${metadata.name}`;
    const isNew = !seen.has(key);
    seen.add(key);
    return isNew;
  });
}

/** Takes orphans away; an object that is already gone is no error. */
export async function removeOrphans(cluster: Cluster, orphans: readonly Orphan[]): Promise<void> {
  for (const { object, isKept } of orphans)
    if (!isKept) await cluster.delete(targetOf(object), { propagation: "Background" });
}

function revisionOf({ metadata }: KubeObject): string {
  return metadata.labels?.[REVISION_LABEL] ?? "default";
}

function isControlPlane({ kind, metadata, ...rest }: KubeObject): boolean {
  const { labels = {} } = metadata;
  if (labels["meshctl.io/record"] !== undefined) return (rest["data"] as { state?: string }).state === "installing";
  if (labels["operator.istio.io/component"] === "IstiodRemote") return true;
  return kind === "Deployment" && labels["app"] === "istiod";
}

function orphanOf(object: KubeObject, installed: ReadonlySet<string>): readonly Orphan[] {
  const { kind, metadata } = object;
  const revision = revisionOf(object);
  const tag = metadata.labels?.[TAG_LABEL];
  // users' objects are in it
  if (kind === "Namespace") return [];
  if (kind === "CustomResourceDefinition")
    return installed.size > 0 ? [] : [{ object, reason: NO_CONTROL_PLANE, isKept: true }];
  if (installed.has(revision)) return [];
  const reason =
    tag === undefined
      ? `revision ${revision} is not installed`
      : `tag ${tag} names revision ${revision}, which is not installed`;
  return [{ object, reason, isKept: false }];
}

const NO_CONTROL_PLANE = "no control plane is installed";

/** Webhooks of any mesh: whatever they select cannot be created while nobody answers. */
async function lostWebhooks(cluster: ClusterReader): Promise<readonly Orphan[]> {
  const services = await cluster.list({ apiVersion: "v1", kind: "Service" });
  const known = new Set(services.map(({ metadata }) => `${metadata.namespace ?? ""}/${metadata.name}`));
  const found = await Promise.all(
    WEBHOOKS.map(async (kind) => {
      const objects = await cluster.list({ apiVersion: "admissionregistration.k8s.io/v1", kind });
      return objects.flatMap((object): Orphan[] => {
        const mine = webhooksOf(object).filter(({ name = "" }) => name.endsWith(".istio.io"));
        const lost = mine
          .flatMap(({ clientConfig }) => clientConfig?.service ?? [])
          .map((at) => `${at.namespace}/${at.name}`);
        const [service] = lost.filter((name) => !known.has(name));
        if (service === undefined) return [];
        const typed = { ...object, apiVersion: "admissionregistration.k8s.io/v1", kind };
        return [{ object: typed, reason: `its Service ${service} is not there`, isKept: false }];
      });
    }),
  );
  return found.flat();
}

async function lostLeases(
  cluster: ClusterReader,
  namespace: string,
  installed: ReadonlySet<string>,
): Promise<readonly Orphan[]> {
  const kind = { apiVersion: "coordination.k8s.io/v1", kind: "Lease" };
  const live = new Set([...installed].map((revision) => `istio-leader${revisionSuffix(revision)}`));
  return (await cluster.list(kind, { namespace }))
    .filter(({ metadata }) => /^istio-leader(-|$)/.test(metadata.name) && !live.has(metadata.name))
    .map((object) => ({ object: { ...object, ...kind }, reason: "its control plane is not installed", isKept: false }));
}

/** What all control planes share, and the last one left. */
async function sharedObjects(cluster: ClusterReader, namespace: string): Promise<readonly Orphan[]> {
  const list = async (kind: KindRef, name: string, at?: string): Promise<readonly Orphan[]> => {
    const fieldSelector = `metadata.name=${name}`;
    const objects = await cluster.list(kind, at === undefined ? { fieldSelector } : { namespace: at, fieldSelector });
    return objects.map((object) => ({ object: { ...object, ...kind }, reason: NO_CONTROL_PLANE, isKept: false }));
  };
  const lists = await Promise.all([
    ...TRUST_MAPS.map((name) => list({ apiVersion: "v1", kind: "ConfigMap" }, name)),
    ...AUTHORITY_SECRETS.map((name) => list({ apiVersion: "v1", kind: "Secret" }, name, namespace)),
  ]);
  return lists.flat();
}
