import type { KubeObject } from "../resources/object.ts";

/** `namespace/name`, or the name of a cluster-scoped object. */
export function nameOf({ metadata }: KubeObject): string {
  return metadata.namespace === undefined ? metadata.name : `${metadata.namespace}/${metadata.name}`;
}

/** Names of objects, sorted, as part of a sentence. */
export function names(objects: readonly KubeObject[]): string {
  return objects.map(nameOf).sort().join(", ");
}

/** Whether `meshctl install` made it. */
export function isMine(object: KubeObject): boolean {
  return object.metadata.labels?.["app.kubernetes.io/managed-by"] === "meshctl";
}

/** Revision that an object of the mesh belongs to. */
export function revisionOf(object: KubeObject): string {
  return object.metadata.labels?.["istio.io/rev"] ?? "default";
}

/** Whether a condition is as wanted; a missing one is not. */
export function has(
  conditions: readonly { readonly type: string; readonly status: string }[] | undefined,
  type: string,
  status = "True",
): boolean {
  return conditions?.some((each) => each.type === type && each.status === status) === true;
}

/** Numbers of a version such as `v1.36.3-k3s1` or `5.15.0-91-generic`; undefined when it is none. */
export function versionNumbers(text: string): readonly [major: number, minor: number, patch: number] | undefined {
  const parts = /^[^\d]*(\d+)\.(\d+)(?:\.(\d+))?/.exec(text);
  return parts === null ? undefined : [Number(parts[1]), Number(parts[2]), Number(parts[3] ?? 0)];
}

const UNITS: Readonly<Record<string, number>> = {
  m: 1e-3,
  "": 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
};

/** The number behind a quantity of Kubernetes (`100m`, `1.5Gi`); 0 when it is none. */
export function quantity(text: string | number | undefined): number {
  const parts = /^(\d+(?:\.\d+)?)(m|[kMGTP]|[KMGTP]i|)$/.exec(String(text ?? "0"));
  return parts === null ? 0 : Number(parts[1]) * (UNITS[parts[2] ?? ""] ?? 1);
}
