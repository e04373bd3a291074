import type { Pod } from "../../resources/core.ts";
import type { KubeObject } from "../../resources/object.ts";

/** `namespace/name`, as messages name objects of one kind. */
export function nameOf({ metadata }: KubeObject): string {
  return `${metadata.namespace ?? ""}/${metadata.name}`;
}

/** Labels as `a=b,c=d`. */
export function labelsText(labels: Readonly<Record<string, string>>): string {
  return Object.entries(labels)
    .map((pair) => pair.join("="))
    .join(",");
}

/** The first names of a list, and how many more there are: a message of a thousand names is none. */
export function listText(names: readonly string[], separator = " ", most = 8): string {
  if (names.length <= most) return names.join(separator);
  return `${names.slice(0, most).join(separator)}${separator}and ${names.length - most} more`;
}

/** What a user knows a pod by: its name, or the workload whose template implies it. */
export function podTitle(pod: Pod): string {
  const [owner] = pod.metadata.ownerReferences ?? [];
  return isImplied(pod) ? `${owner?.name ?? ""} (${owner?.kind ?? ""})` : pod.metadata.name;
}

/** Whether a pod is not there itself, but is what a workload of the files will make (resources/files-world.ts). */
export function isImplied({ metadata }: Pod): boolean {
  return metadata.ownerReferences?.[0]?.uid === "";
}
