import type { KubeObject } from "../resources/object.ts";

/** Plain order of texts by code unit: the same on every machine. */
export function byText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** The order that decides between objects of equal rank: the older first, then by name and namespace. */
export function byAge(a: KubeObject, b: KubeObject): number {
  return (
    byText(a.metadata.creationTimestamp ?? "", b.metadata.creationTimestamp ?? "") ||
    byText(a.metadata.name, b.metadata.name) ||
    byText(a.metadata.namespace ?? "", b.metadata.namespace ?? "")
  );
}
