import { ClusterError } from "../base/errors.ts";
import { revisionSuffix } from "../base/revision.ts";
import type { Cluster, ClusterReader, KindRef } from "../resources/cluster.ts";
import { TRUST_RECORD } from "../model/trust-bundles.ts";
import { isOurController } from "../model/gateway-api-classes.ts";
import type { KubeObject } from "../resources/object.ts";
import { kindByKind, targetOf } from "./apply.ts";
import { KIND_ORDER, MANAGED_LABELS } from "./render.ts";
import { type WaitOptions, waitGone } from "./wait.ts";

/** What an uninstall takes away, in the groups in which it goes: each is gone before the next is touched. */
export interface Removal {
  /** First what could stop or answer requests, then what runs. */
  readonly running: readonly KubeObject[];
  /** What it ran with, and what the control plane wrote while it ran. */
  readonly supporting: readonly KubeObject[];
  /** CRDs, and with them all configuration of their kinds. */
  readonly crds: readonly KubeObject[];
  /** Only when install made it. */
  readonly namespaces: readonly KubeObject[];
}

const API_VERSIONS: Readonly<Record<string, string>> = {
  Namespace: "v1",
  CustomResourceDefinition: "apiextensions.k8s.io/v1",
  ServiceAccount: "v1",
  ClusterRole: "rbac.authorization.k8s.io/v1",
  ClusterRoleBinding: "rbac.authorization.k8s.io/v1",
  Role: "rbac.authorization.k8s.io/v1",
  RoleBinding: "rbac.authorization.k8s.io/v1",
  ConfigMap: "v1",
  Service: "v1",
  EndpointSlice: "discovery.k8s.io/v1",
  NetworkPolicy: "networking.k8s.io/v1",
  PodDisruptionBudget: "policy/v1",
  HorizontalPodAutoscaler: "autoscaling/v2",
  Deployment: "apps/v1",
  MutatingWebhookConfiguration: "admissionregistration.k8s.io/v1",
  ValidatingWebhookConfiguration: "admissionregistration.k8s.io/v1",
  ValidatingAdmissionPolicy: "admissionregistration.k8s.io/v1",
  ValidatingAdmissionPolicyBinding: "admissionregistration.k8s.io/v1",
};

const RUNNING: readonly string[] = ["MutatingWebhookConfiguration", "ValidatingWebhookConfiguration", "Deployment"];

/** Objects that install made, by their labels, in the order in which they were applied. */
export async function ownObjects(
  cluster: ClusterReader,
  labels: Readonly<Record<string, string>>,
): Promise<KubeObject[]> {
  const labelSelector = Object.entries({ ...MANAGED_LABELS, ...labels })
    .map(([key, value]) => `${key}=${value}`)
    .join(",");
  const lists = await Promise.all(
    KIND_ORDER.map((kind) => cluster.list({ apiVersion: API_VERSIONS[kind] ?? "v1", kind }, { labelSelector })),
  );
  // controllers copy labels: EndpointSlices have those of their Service
  const isOurs = ({ metadata }: KubeObject): boolean => (metadata.ownerReferences ?? []).length === 0;
  return lists.flatMap((objects, index) =>
    objects.filter(isOurs).map((object) => typed(object, KIND_ORDER[index] ?? "")),
  );
}

const OWNER = "install.operator.istio.io/owning-resource-namespace";

/**
 * What an earlier install of this revision made and this one does not render, in the order in which it should go. CRDs and
 * namespaces stay (users' objects would go with them), and so do tags and the record of the installation.
 */
export async function findPruned(
  cluster: ClusterReader,
  wanted: { readonly namespace: string; readonly revision: string; readonly objects: readonly KubeObject[] },
): Promise<KubeObject[]> {
  const live = await ownObjects(cluster, { [OWNER]: wanted.namespace, "istio.io/rev": wanted.revision });
  const keyOf = ({ kind, metadata }: KubeObject): string => `${kind} ${metadata.namespace ?? ""}/${metadata.name}`;
  const rendered = new Set(wanted.objects.map(keyOf));
  return live
    .filter((object) => !rendered.has(keyOf(object)))
    .filter(({ kind }) => !KEPT.includes(kind))
    .filter(({ metadata }) => !NOT_RENDERED.some((label) => metadata.labels?.[label] !== undefined))
    .reverse();
}

/**
 * What one revision consists of: other revisions, CRDs, namespaces and what all control planes share (the CA's key, root
 * certificates) stay.
 */
export async function findRevisionRemoval(
  cluster: ClusterReader,
  { namespace, revision }: { readonly namespace: string; readonly revision: string },
): Promise<Removal> {
  const ours = await ownObjects(cluster, { [OWNER]: namespace, "istio.io/rev": revision });
  const going = ours.filter(({ kind }) => !KEPT.includes(kind)).reverse();
  const leader = {
    apiVersion: "coordination.k8s.io/v1",
    kind: "Lease",
    name: `istio-leader${revisionSuffix(revision)}`,
    namespace,
  };
  const lease = await cluster.get(leader);
  const record = { apiVersion: "v1", kind: "ConfigMap", name: `${TRUST_RECORD}${revisionSuffix(revision)}`, namespace };
  const left = [lease, await cluster.get(record)].filter((object) => object !== undefined);
  return {
    running: going.filter(({ kind }) => RUNNING.includes(kind)),
    supporting: [...going.filter(({ kind }) => !RUNNING.includes(kind)), ...left],
    crds: [],
    namespaces: [],
  };
}

/** Kinds that only `uninstall --purge` removes. */
const KEPT = ["CustomResourceDefinition", "Namespace"];

/** Labels of what install writes beside what it renders. */
const NOT_RENDERED = ["istio.io/tag", "meshctl.io/record"];

/** Takes the objects away; one that is already gone is no error. */
export async function dropObjects(cluster: Cluster, objects: readonly KubeObject[]): Promise<void> {
  await kindByKind(objects, (object) => cluster.delete(targetOf(object), { propagation: "Background" }));
}

/** Finds everything that install and the running control plane made. Without `purge` CRDs, configuration and namespace stay. */
export async function findRemoval(cluster: ClusterReader, namespace: string, purge: boolean): Promise<Removal> {
  const ours = await ownObjects(cluster, { [OWNER]: namespace });
  const of = (isWanted: (kind: string) => boolean): KubeObject[] => ours.filter(({ kind }) => isWanted(kind)).reverse();
  return {
    running: of((kind) => RUNNING.includes(kind)),
    supporting: [
      ...of((kind) => !RUNNING.includes(kind) && !KEPT.includes(kind)),
      ...(await runTimeObjects(cluster, namespace)),
    ],
    crds: purge ? of((kind) => kind === "CustomResourceDefinition") : [],
    namespaces: purge ? of((kind) => kind === "Namespace") : [],
  };
}

/** ConfigMaps that the control plane writes into every namespace: roots, and who is revoked. */
export const TRUST_MAPS: readonly string[] = ["istio-ca-root-cert", "istio-ca-crl"];

/** Secrets of the control plane's own authority: the one that signs, and the next one while `ca rotate` is under way. */
export const AUTHORITY_SECRETS: readonly string[] = ["istio-ca-secret", "istio-ca-next"];

/** The root certificate in every namespace, the CA's key, leases: written by the control plane, so they carry none of our labels. */
async function runTimeObjects(cluster: ClusterReader, namespace: string): Promise<KubeObject[]> {
  const list = async (kind: KindRef, options: Parameters<ClusterReader["list"]>[1]): Promise<KubeObject[]> =>
    (await cluster.list(kind, options)).map((object) => ({ ...object, ...kind }));
  const named = (kind: string, name: string, at: { readonly namespace?: string } = {}): Promise<KubeObject[]> =>
    list({ apiVersion: "v1", kind }, { ...at, fieldSelector: `metadata.name=${name}` });
  const trust = await Promise.all(TRUST_MAPS.map((name) => named("ConfigMap", name)));
  const secrets = await Promise.all(AUTHORITY_SECRETS.map((name) => named("Secret", name, { namespace })));
  const leases = await list({ apiVersion: "coordination.k8s.io/v1", kind: "Lease" }, { namespace });
  const own = leases.filter(({ metadata }) => /^istio|^meshctl-install$/.test(metadata.name));
  const maps = await list({ apiVersion: "v1", kind: "ConfigMap" }, { namespace });
  const trusted = maps.filter(({ metadata: { name } }) => name === TRUST_RECORD || name.startsWith(`${TRUST_RECORD}-`));
  return [...trust.flat(), ...trusted, ...secrets.flat(), ...own, ...(await gatewayClasses(cluster))];
}

const GATEWAY_API = "gateway.networking.k8s.io/v1";

/** Classes that the control plane made; one that a Gateway names stays with it. */
async function gatewayClasses(cluster: ClusterReader): Promise<KubeObject[]> {
  const ref = { apiVersion: GATEWAY_API, kind: "GatewayClass" };
  const classes = (await cluster.list(ref)).filter(({ metadata: { name }, ...object }) => {
    const { controllerName } = (object as { spec?: { controllerName?: string } }).spec ?? {};
    return MADE_CLASSES.has(name) && controllerName !== undefined && isOurController(controllerName);
  });
  if (classes.length === 0) return [];
  const gateways = await cluster.list({ apiVersion: GATEWAY_API, kind: "Gateway" });
  const used = new Set(
    gateways.map(({ spec }) => (spec as { gatewayClassName?: string } | undefined)?.gatewayClassName),
  );
  return classes.filter(({ metadata }) => !used.has(metadata.name)).map((object) => ({ ...object, ...ref }));
}

const MADE_CLASSES: ReadonlySet<string> = new Set(["istio", "istio-remote"]);

/** Takes away what findRemoval found; an object that is already gone is no error. */
export async function remove(cluster: Cluster, removal: Removal, options: WaitOptions): Promise<void> {
  const until = Date.now() + options.timeoutMs;
  const left = (): WaitOptions => ({ ...options, timeoutMs: Math.max(0, until - Date.now()) });
  const drop = (objects: readonly KubeObject[]): Promise<void[]> =>
    Promise.all(objects.map((object) => cluster.delete(targetOf(object), { propagation: "Background" })));
  await drop(removal.running);
  // a control plane that still ran would write its root certificate again
  await waitGone(cluster, await podsOf(cluster, removal.running), left());
  await drop(removal.supporting);
  await dropUntilGone(cluster, removal.crds, { drop, left });
  await drop(removal.namespaces);
  await waitGone(cluster, removal.namespaces, left());
}

/** How long the deletion of CRDs may take before the API server is nudged. */
const NUDGE_AFTER_MS = 5_000;
const NUDGE_ANNOTATION = "meshctl.io/removal-asked-again";

/**
 * Deletes and waits; nudges what stays. The API server's CRD finalizer forgets a CRD whose status update conflicts with one of
 * its own that it has not seen yet: it expects another event, and filters that event out because only the Terminating condition
 * differs (apiextensions-apiserver, crd_finalizer.go). It then looks again only at its resync, minutes later. A second DELETE
 * changes nothing and is no event; an annotation is one.
 */
async function dropUntilGone(
  cluster: Cluster,
  objects: readonly KubeObject[],
  { drop, left }: { drop: (objects: readonly KubeObject[]) => Promise<unknown>; left: () => WaitOptions },
): Promise<void> {
  await drop(objects);
  for (;;) {
    const options = left();
    const isLast = options.timeoutMs <= NUDGE_AFTER_MS;
    try {
      await waitGone(cluster, objects, isLast ? options : { ...options, timeoutMs: NUDGE_AFTER_MS });
      return;
    } catch (error) {
      if (isLast || options.signal.aborted || !(error instanceof ClusterError) || error.code !== "not-ready")
        throw error;
    }
    await nudge(cluster, objects);
  }
}

/** Changes an annotation of every object that is still there. */
async function nudge(cluster: Cluster, objects: readonly KubeObject[]): Promise<void> {
  const patch = { metadata: { annotations: { [NUDGE_ANNOTATION]: new Date().toISOString() } } };
  for (const object of objects) {
    if ((await cluster.get(targetOf(object))) === undefined) continue;
    await cluster.mergePatch(targetOf(object), patch).catch((error: unknown) => {
      // it went away in between: that is what was wanted
      if (!(error instanceof ClusterError) || error.code !== "not-found") throw error;
    });
  }
}

async function podsOf(cluster: ClusterReader, objects: readonly KubeObject[]): Promise<KubeObject[]> {
  const deployments = objects.filter(({ kind }) => kind === "Deployment");
  const lists = await Promise.all(
    deployments.map(({ metadata, spec }) => {
      const { selector } = spec as { selector: { matchLabels: Record<string, string> } };
      const labels = Object.entries(selector.matchLabels).map(([key, value]) => `${key}=${value}`);
      const namespace = metadata.namespace ?? "";
      return cluster.list({ apiVersion: "v1", kind: "Pod" }, { namespace, labelSelector: labels.join(",") });
    }),
  );
  return lists.flat().map((pod) => ({ ...pod, apiVersion: "v1", kind: "Pod" }));
}

/** Items of a list do not always carry their kind. */
function typed(object: KubeObject, kind: string): KubeObject {
  return { ...object, kind, apiVersion: API_VERSIONS[kind] ?? "v1" };
}
