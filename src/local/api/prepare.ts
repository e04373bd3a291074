import type { Core } from "./core.ts";
import { completeCrd } from "./crd.ts";
import type { Obj } from "./json.ts";
import { asObject, asObjects, clone, equal } from "./json.ts";
import type { ResourceInfo } from "./registry.ts";
import type { Cause } from "./status.ts";

/** Built-in kinds that count changes of their spec. */
const counted = new Set([
  "/pods",
  "/replicationcontrollers",
  "apps/deployments",
  "apps/replicasets",
  "apps/statefulsets",
  "apps/daemonsets",
  "batch/jobs",
  "batch/cronjobs",
  "policy/poddisruptionbudgets",
  "networking.k8s.io/ingresses",
  "networking.k8s.io/ingressclasses",
  "networking.k8s.io/networkpolicies",
  "discovery.k8s.io/endpointslices",
  "scheduling.k8s.io/priorityclasses",
  "admissionregistration.k8s.io/mutatingwebhookconfigurations",
  "admissionregistration.k8s.io/validatingwebhookconfigurations",
  "apiextensions.k8s.io/customresourcedefinitions",
]);

/** True when objects carry metadata.generation. */
export function keepsGeneration(info: ResourceInfo): boolean {
  return info.custom !== undefined || counted.has(info.collection);
}

/** True when status is written only by its own path. */
export function hasStatus(info: ResourceInfo): boolean {
  return info.subresources.has("status");
}

/** The status (and a namespace's finalizer) a new object starts with: what a client sent counts only where status has no path of its own (and for nodes). */
export function initialStatus(info: ResourceInfo, object: Obj): void {
  if (hasStatus(info) && info.collection !== "/nodes") delete object.status;
  switch (info.collection) {
    case "/pods":
      object.status = { phase: "Pending", qosClass: qosClass(object) };
      break;
    case "/namespaces":
      object.status = { phase: "Active" };
      object.spec = { finalizers: ["kubernetes"], ...object.spec };
      break;
    case "/services":
      object.status = { loadBalancer: {} };
      break;
    default:
      if (hasStatus(info) && info.custom === undefined) object.status ??= {};
  }
}

function qosClass(pod: Obj): string {
  const containers = asObjects(asObject(pod.spec)["containers"]).map((container) => asObject(container["resources"]));
  const named = (kind: string): boolean => containers.some((entry) => Object.keys(asObject(entry[kind])).length > 0);
  if (!named("limits") && !named("requests")) return "BestEffort";
  const guaranteed = containers.every((entry) => {
    const limits = asObject(entry["limits"]);
    const both = limits["cpu"] !== undefined && limits["memory"] !== undefined;
    return both && equal(limits, asObject(entry["requests"]));
  });
  return guaranteed ? "Guaranteed" : "Burstable";
}

/** Paths that write one part of an object and nothing else. */
const MERGES: Readonly<Record<string, (object: Obj, existing: Obj) => Obj>> = {
  status(object, existing) {
    const out = clone(existing);
    if (object.status === undefined) delete out.status;
    else out.status = object.status;
    return withOwners(out, object);
  },
  finalize(object, existing) {
    const out = clone(existing);
    out.spec = { ...out.spec, finalizers: asObject(object.spec)["finalizers"] ?? [] };
    return out;
  },
  ephemeralcontainers(object, existing) {
    const out = clone(existing);
    const ephemeral = asObjects(asObject(object.spec)["ephemeralContainers"]);
    const { ephemeralContainers: _, ...rest } = out.spec ?? {};
    out.spec = ephemeral.length === 0 ? rest : { ...rest, ephemeralContainers: ephemeral };
    return withOwners(out, object);
  },
};

function withOwners(out: Obj, { metadata }: Obj): Obj {
  if (metadata.managedFields !== undefined) out.metadata.managedFields = metadata.managedFields;
  return out;
}

function mergeMain(info: ResourceInfo, object: Obj, existing: Obj): Obj {
  if (!hasStatus(info)) return object;
  if (existing.status === undefined) delete object.status;
  else object.status = clone(existing.status);
  if (info.collection === "/namespaces") object.spec = clone(existing.spec ?? {});
  return object;
}

/**
 * What an update may touch: identity and deletion stay; the main path leaves status alone, the status path everything
 * else, finalize only a namespace's finalizers, and ephemeralcontainers only a pod's list of them.
 */
export function mergeForSubresource(
  info: ResourceInfo,
  object: Obj,
  existing: Obj,
  subresource: string | undefined,
): Obj {
  const out = MERGES[subresource ?? ""]?.(object, existing) ?? mergeMain(info, object, existing);
  keepIdentity(out, existing);
  return out;
}

const identity = [
  "uid",
  "creationTimestamp",
  "deletionTimestamp",
  "deletionGracePeriodSeconds",
  "generation",
  "generateName",
];

function keepIdentity(object: Obj, existing: Obj): void {
  for (const key of identity) {
    if (existing.metadata[key] === undefined) delete object.metadata[key];
    else object.metadata[key] = existing.metadata[key];
  }
  delete object.metadata["selfLink"];
  if (existing.metadata.resourceVersion !== undefined)
    object.metadata.resourceVersion = existing.metadata.resourceVersion;
}

/** Raises the generation when anything but metadata and status changed. In place. */
export function nextGeneration(info: ResourceInfo, object: Obj, existing: Obj): void {
  if (!keepsGeneration(info)) return;
  const counting = (value: Obj): unknown => {
    const { metadata: _metadata, status, ...rest } = value;
    return hasStatus(info) ? rest : { ...rest, status };
  };
  if (!equal(counting(object), counting(existing)))
    object.metadata.generation = (existing.metadata.generation ?? 0) + 1;
}

/** A job that names no selector of its own selects its pods by its uid, which the server writes into their template. In place. */
export function labelJob(info: ResourceInfo, { metadata, spec }: Obj): void {
  if (info.collection !== "batch/jobs" || spec === undefined || spec["manualSelector"] === true) return;
  const { uid, name } = metadata;
  const template = asObject(spec["template"]);
  const inTemplate = asObject(template["metadata"]);
  const group = "batch.kubernetes.io/";
  const labels = {
    ...asObject(inTemplate["labels"]),
    "controller-uid": uid,
    "job-name": name,
    [`${group}controller-uid`]: uid,
    [`${group}job-name`]: name,
  };
  spec["template"] = { ...template, metadata: { ...inTemplate, labels } };
  spec["selector"] = { matchLabels: { [`${group}controller-uid`]: uid } };
}

/** What the server itself writes into an object just before it is checked and stored. In place. */
export function finishWrite(
  core: Core,
  info: ResourceInfo,
  object: Obj,
  existing: Obj | undefined,
): { readonly causes: readonly Cause[] } {
  if (info.collection === "/services") return { causes: core.allocator.assign(object, existing) };
  if (info.collection === "apiextensions.k8s.io/customresourcedefinitions") completeCrd(core.registry, object);
  return { causes: [] };
}
