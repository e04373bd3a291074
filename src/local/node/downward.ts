import { availableParallelism, totalmem } from "node:os";
import type { Container, Pod, ResourceFieldRef } from "../shapes.ts";

/** What a pod may learn about itself that is not in its object yet. */
export interface PodFacts {
  readonly podIp: string;
  readonly hostIp: string;
}

/** Value of a fieldRef, as text. `undefined` when the path is none that Kubernetes offers. */
export function fieldValue(pod: Pod, fieldPath: string, facts: PodFacts): string | undefined {
  const { metadata, spec } = pod;
  const keyed = /^metadata\.(labels|annotations)\['([^']*)'\]$/.exec(fieldPath);
  if (keyed !== null) return (keyed[1] === "labels" ? metadata.labels : metadata.annotations)?.[keyed[2] ?? ""] ?? "";
  const values: Readonly<Record<string, string | undefined>> = {
    "metadata.name": metadata.name,
    "metadata.namespace": metadata.namespace ?? "",
    "metadata.uid": metadata.uid ?? "",
    "metadata.labels": mapText(metadata.labels),
    "metadata.annotations": mapText(metadata.annotations),
    "spec.nodeName": spec?.nodeName ?? "",
    "spec.serviceAccountName": spec?.serviceAccountName ?? "default",
    "status.podIP": facts.podIp,
    "status.podIPs": facts.podIp,
    "status.hostIP": facts.hostIp,
    "status.hostIPs": facts.hostIp,
  };
  return values[fieldPath];
}

/** `key="value"` lines sorted by key, values quoted as in the downward API. */
function mapText(map: Readonly<Record<string, string>> | undefined): string {
  return Object.entries(map ?? {})
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => `${key}=${JSON.stringify(value)}`)
    .join("\n");
}

/** Value of a resourceFieldRef, divided and rounded up; without a limit, what the machine has. */
export function resourceValue(
  containers: readonly Container[],
  own: string,
  ref: ResourceFieldRef,
): string | undefined {
  const container = containers.find((entry) => entry.name === (ref.containerName ?? own));
  const [kind, ...rest] = ref.resource.split(".");
  const name = rest.join(".");
  if (container === undefined || (kind !== "limits" && kind !== "requests")) return undefined;
  const given = container.resources?.[kind]?.[name];
  const machine = name === "cpu" ? availableParallelism() : name === "memory" ? totalmem() : 0;
  const value = given !== undefined ? parseQuantity(String(given)) : kind === "limits" ? machine : 0;
  const divisor = parseQuantity(String(ref.divisor ?? "1"));
  return String(Math.ceil(value / (divisor === 0 ? 1 : divisor) - 1e-9));
}

const suffixes: Readonly<Record<string, number>> = {
  "": 1,
  n: 1e-9,
  u: 1e-6,
  m: 1e-3,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
};

/** A Kubernetes quantity as a number: `500m` is 0.5, `1Gi` is 1073741824. NaN when it is none. */
export function parseQuantity(text: string): number {
  const match = /^([+-]?[0-9.]+(?:[eE][+-]?[0-9]+)?)([a-zA-Z]*)$/.exec(text);
  return match === null ? Number.NaN : Number(match[1]) * (suffixes[match[2] ?? ""] ?? Number.NaN);
}
