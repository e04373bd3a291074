import { parsePath } from "../base/field-path.ts";
import type { ObjectRef } from "../ir/refs.ts";
import { type Source, sourceOf, type Tagged } from "./source.ts";
import type { KindTypes } from "../resources/kinds.ts";
import type { Pod } from "../resources/core.ts";
import type { Evidence, Facts, ProxyFacts, Symptom } from "./types.ts";

/** What the access log says, or what stands for it. */
export function logged({ symptom, proxy }: Pick<Facts, "symptom" | "proxy">): Evidence {
  const { status, flags, details } = symptom;
  const parts = [
    ...(status === undefined ? [] : [`status ${status}`]),
    ...(flags.length === 0 ? [] : [`flags ${flags.join(",")}`]),
    ...(details === undefined ? [] : [details]),
  ];
  const from = { line: "access log", walk: "configuration", counter: "counters" }[symptom.from];
  return { from: `${from} of ${proxy.name}`, says: parts.length === 0 ? symptom.text : parts.join(", ") };
}

/** What Envoy of a proxy says, or what its configuration does where it was not asked. */
export function envoy(proxy: ProxyFacts, says: string): Evidence {
  return { from: `${proxy.config.live ? "Envoy" : "configuration"} of ${proxy.name}`, says };
}

/** What stands in Kubernetes. */
export function kubernetes(says: string): Evidence {
  return { from: "Kubernetes", says };
}

/** What an object of the mesh says. */
export function object(ref: ObjectRef, says: string): Evidence {
  return { from: refText(ref), says };
}

/** `Kind namespace/name` */
export function refText({ kind, namespace, name }: ObjectRef): string {
  return namespace === "" ? `${kind} ${name}` : `${kind} ${namespace}/${name}`;
}

/** The object of a text as provenance writes it: `Kind namespace/name`. */
export function refNamed(text: string): ObjectRef {
  const [kind = "", name = ""] = text.split(" ");
  const slash = name.indexOf("/");
  return { kind, namespace: slash < 0 ? "" : name.slice(0, slash), name: name.slice(slash + 1) };
}

/** Reference of an object of the World. */
export function refTo(object: {
  readonly kind?: string;
  readonly metadata: { readonly namespace?: string; readonly name: string };
}): ObjectRef {
  return { kind: object.kind ?? "", namespace: object.metadata.namespace ?? "", name: object.metadata.name };
}

/** What made a resource of Envoy, by its provenance. */
export function madeBy(resource: Tagged | undefined, { positionOf }: Pick<Facts, "positionOf">): Source | undefined {
  return sourceOf(resource, positionOf);
}

/** A field below the one that made a resource: `spec.http[0]` and `timeout`. */
export function below(source: Source | undefined, path: string): string {
  const start = source?.field ?? "";
  return start === "" ? path : `${start}.${path}`;
}

/** The segments of a field as users write it; empty for none. */
export function segments(field: string | undefined): readonly (string | number)[] {
  return field === undefined ? [] : (parsePath(field) ?? []);
}

/** Host without port, small. */
export function hostOf(authority: string | undefined): string {
  return (authority ?? "").toLowerCase().replace(/:\d+$/, "");
}

/** Address and port of `1.2.3.4:80` and `[::1]:80`; undefined for what is none. */
export function placeOf(text: string | undefined): { readonly address: string; readonly port: number } | undefined {
  const match = /^\[?([^\]]+?)\]?:(\d+)$/.exec(text ?? "");
  return match === null ? undefined : { address: match[1] ?? "", port: Number(match[2]) };
}

/** Some of many, for a sentence. */
export function some(items: readonly string[], most = 3): string {
  const shown = items.slice(0, most).join(", ");
  return items.length > most ? `${shown} and ${items.length - most} more` : shown;
}

/** All that a line says of what broke. */
export function failureText({ transportFailure = "", details = "" }: Symptom): string {
  return `${transportFailure} ${details}`;
}

/** Whether the line has one of these response flags. */
export function flagged({ flags }: Symptom, ...wanted: readonly string[]): boolean {
  return flags.some((flag) => wanted.includes(flag));
}

/** Reference of a pod. */
export function podRef(pod: Pod): ObjectRef {
  return refTo({ ...pod, kind: "Pod" });
}

/** The DestinationRule that made the cluster of the request. */
export interface ClusterRule {
  readonly ref: ObjectRef;
  readonly policy: NonNullable<NonNullable<KindTypes["DestinationRule"]["spec"]>["trafficPolicy"]>;
  /** A field of its traffic policy, in full. */
  readonly path: (field: string) => string;
}

/** The DestinationRule that made the cluster of the request; undefined: none did. A subset's own policy counts before the rule's. */
export function ruleOf(facts: Facts): ClusterRule | undefined {
  const source = madeBy(facts.cluster?.message, facts);
  if (source === undefined) return undefined;
  const ref = refNamed(source.object);
  if (ref.kind !== "DestinationRule") return undefined;
  const spec = facts.model.world.get("DestinationRule", ref.namespace, ref.name)?.spec;
  const subset = /^spec\.subsets\[(\d+)\]/.exec(source.field ?? "");
  const own = subset === null ? undefined : spec?.subsets?.[Number(subset[1])]?.trafficPolicy;
  const isOwn = (field: string): boolean => Object.hasOwn(own ?? {}, field.split(".")[0] ?? "");
  return {
    ref,
    policy: { ...spec?.trafficPolicy, ...own },
    path: (field) => `${isOwn(field) ? `${subset?.[0] ?? "spec"}.trafficPolicy` : "spec.trafficPolicy"}.${field}`,
  };
}

/** The Service or ServiceEntry that the request's cluster is for. */
export function serviceRef({ cluster }: Facts): ObjectRef | undefined {
  const from = cluster?.service?.from;
  return from === undefined ? undefined : refTo({ kind: from.kind, metadata: from });
}
