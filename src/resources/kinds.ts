import {
  type GatewayApiKindName,
  gatewayApiKinds,
  type MeshKind,
  type MeshKindName,
  meshKinds,
} from "../gen/mesh-kinds.ts";
import type { SpecTypes, StatusTypes } from "../gen/schema-types.ts";
import type {
  ConfigMap,
  EndpointSlice,
  Ingress,
  IngressClass,
  Namespace,
  Node,
  Pod,
  Secret,
  Service,
  ServiceAccount,
  ServiceImportSpec,
  Workload,
} from "./core.ts";
import type { KubeObject } from "./object.ts";

/** Kinds with a schema of their own in schemas/. `Gateway` is Istio's; Gateway API's is KubernetesGateway. */
type SchemaKindTypes = {
  [K in MeshKindName | GatewayApiKindName]: KubeObject<
    K extends keyof SpecTypes ? SpecTypes[K] : unknown,
    K extends keyof StatusTypes ? StatusTypes[K] : unknown
  >;
};

/** Kinds the mesh knows, by the name our code uses, with the type of their objects. Grows with schemas/. */
export interface KindTypes extends SchemaKindTypes {
  Namespace: Namespace;
  Node: Node;
  Pod: Pod;
  Service: Service;
  ServiceAccount: ServiceAccount;
  Secret: Secret;
  ConfigMap: ConfigMap;
  EndpointSlice: EndpointSlice;
  Ingress: Ingress;
  IngressClass: IngressClass;
  Deployment: Workload;
  StatefulSet: Workload;
  DaemonSet: Workload;
  ReplicaSet: Workload;
  Job: Workload;
  CronJob: KubeObject;
  MutatingWebhookConfiguration: KubeObject;
  ValidatingWebhookConfiguration: KubeObject;
  CustomResourceDefinition: KubeObject;
  ServiceExport: KubeObject;
  ServiceImport: KubeObject<ServiceImportSpec>;
}
export type KindName = keyof KindTypes;

/** How the API server names a kind. */
export interface KindRecord {
  /** The `kind` of its objects; differs from our name only where two groups share one. */
  readonly kind: string;
  /** "" for core. */
  readonly group: string;
  /** Served versions, the preferred (and stored) one first. */
  readonly versions: readonly [string, ...string[]];
  readonly plural: string;
  readonly namespaced: boolean;
}

type Scope = "namespaced" | "cluster";

/** `apiVersions` as `group/v1 v1beta1`, the preferred version first. */
function record(kind: string, apiVersions: string, plural: string, scope: Scope): KindRecord {
  const slash = apiVersions.indexOf("/");
  const [preferred = "v1", ...others] = apiVersions.slice(slash + 1).split(" ");
  return {
    kind,
    group: slash < 0 ? "" : apiVersions.slice(0, slash),
    versions: [preferred, ...others],
    plural,
    namespaced: scope === "namespaced",
  };
}

/** The records of the kinds whose names stand in their schemas. */
function fromSchemas<K extends string>(kinds: Readonly<Record<K, MeshKind>>): { readonly [N in K]: KindRecord } {
  const records = Object.entries<MeshKind>(kinds).map(([name, { kind, group, plural, versions, namespaced }]) => [
    name,
    record(kind, `${group}/${versions.join(" ")}`, plural, namespaced ? "namespaced" : "cluster"),
  ]);
  return Object.fromEntries(records) as { readonly [N in K]: KindRecord };
}

/** The one table of kinds: our name -> what the API server calls it. */
export const KINDS: { readonly [K in KindName]: KindRecord } = {
  Namespace: record("Namespace", "v1", "namespaces", "cluster"),
  Node: record("Node", "v1", "nodes", "cluster"),
  Pod: record("Pod", "v1", "pods", "namespaced"),
  Service: record("Service", "v1", "services", "namespaced"),
  ServiceAccount: record("ServiceAccount", "v1", "serviceaccounts", "namespaced"),
  Secret: record("Secret", "v1", "secrets", "namespaced"),
  ConfigMap: record("ConfigMap", "v1", "configmaps", "namespaced"),
  EndpointSlice: record("EndpointSlice", "discovery.k8s.io/v1", "endpointslices", "namespaced"),
  Ingress: record("Ingress", "networking.k8s.io/v1", "ingresses", "namespaced"),
  IngressClass: record("IngressClass", "networking.k8s.io/v1", "ingressclasses", "cluster"),
  Deployment: record("Deployment", "apps/v1", "deployments", "namespaced"),
  StatefulSet: record("StatefulSet", "apps/v1", "statefulsets", "namespaced"),
  DaemonSet: record("DaemonSet", "apps/v1", "daemonsets", "namespaced"),
  ReplicaSet: record("ReplicaSet", "apps/v1", "replicasets", "namespaced"),
  Job: record("Job", "batch/v1", "jobs", "namespaced"),
  CronJob: record("CronJob", "batch/v1", "cronjobs", "namespaced"),
  MutatingWebhookConfiguration: record(
    "MutatingWebhookConfiguration",
    "admissionregistration.k8s.io/v1",
    "mutatingwebhookconfigurations",
    "cluster",
  ),
  ValidatingWebhookConfiguration: record(
    "ValidatingWebhookConfiguration",
    "admissionregistration.k8s.io/v1",
    "validatingwebhookconfigurations",
    "cluster",
  ),
  CustomResourceDefinition: record(
    "CustomResourceDefinition",
    "apiextensions.k8s.io/v1",
    "customresourcedefinitions",
    "cluster",
  ),
  ServiceExport: record("ServiceExport", "multicluster.x-k8s.io/v1alpha1", "serviceexports", "namespaced"),
  ServiceImport: record("ServiceImport", "multicluster.x-k8s.io/v1alpha1", "serviceimports", "namespaced"),
  ...fromSchemas(meshKinds),
  ...fromSchemas(gatewayApiKinds),
};

/** All names, sorted. */
export const KIND_NAMES = Object.keys(KINDS).sort() as KindName[];

/** The preferred apiVersion of a kind, e.g. `networking.istio.io/v1`. */
export function apiVersionOf(name: KindName): string {
  const { group, versions } = KINDS[name];
  return group === "" ? versions[0] : `${group}/${versions[0]}`;
}

const byGroupKind: ReadonlyMap<string, KindName> = new Map(
  KIND_NAMES.map((name) => [`${KINDS[name].group}/${KINDS[name].kind}`, name]),
);

/** Names that were asked for, by apiVersion and kind: nearly every object asks, several times. Bounded, since texts are from outside. */
const asked = new Map<string, Map<string, KindName>>();
const MOST_ASKED = 500;

/** Our name for an object's kind, any served version; undefined for kinds we do not know. */
export function kindOf(object: { readonly apiVersion: string; readonly kind: string }): KindName | undefined {
  const { apiVersion, kind } = object;
  const known = asked.get(apiVersion)?.get(kind);
  if (known !== undefined) return known;
  const slash = apiVersion.indexOf("/");
  const group = slash < 0 ? "" : apiVersion.slice(0, slash);
  const name = byGroupKind.get(`${group}/${kind}`);
  if (name !== undefined && asked.size < MOST_ASKED)
    asked.set(apiVersion, (asked.get(apiVersion) ?? new Map<string, KindName>()).set(kind, name));
  return name;
}
