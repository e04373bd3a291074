import { parsePath } from "../base/field-path.ts";
import type { ObjectRef } from "../ir/refs.ts";
import { type Source, sourceOf, type Tagged } from "./source.ts";
import type { Evidence, Facts, ProxyFacts } from "./types.ts";

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
