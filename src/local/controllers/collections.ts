import { kubeResourcesJson } from "../../gen/kube-types.ts";
import type { KubeObject } from "../../resources/object.ts";
import type { ResourceId } from "../api/types.ts";
import { ids } from "../ids.ts";
import type { Cache } from "./cache.ts";

/** A collection whose objects can be owned, own others and be deleted one by one. */
export interface CollectionInfo extends ResourceId {
  readonly kind: string;
  readonly namespaced: boolean;
}

interface RawResource {
  readonly groupVersion: string;
  readonly name: string;
  readonly namespaced: boolean;
  readonly kind: string;
  readonly verbs: readonly string[];
}

interface CrdSpec {
  readonly group: string;
  readonly scope: string;
  readonly names: { readonly plural: string; readonly kind: string };
  readonly versions: readonly { readonly name: string; readonly served: boolean }[];
}

const needed = ["list", "watch", "delete"];

/** Built-in collections, each in one version. Second faces of the same objects (events.k8s.io) are left out. */
export function builtinCollections(): readonly CollectionInfo[] {
  const found = new Map<string, CollectionInfo>();
  for (const raw of JSON.parse(kubeResourcesJson) as RawResource[]) {
    if (raw.name.includes("/") || !needed.every((verb) => raw.verbs.includes(verb))) continue;
    const [group, version] = splitVersion(raw.groupVersion);
    if (group === "events.k8s.io" || found.has(`${group}/${raw.name}`)) continue;
    found.set(`${group}/${raw.name}`, {
      group,
      version,
      resource: raw.name,
      kind: raw.kind,
      namespaced: raw.namespaced,
    });
  }
  return [...found.values()];
}

/** The collection that a CRD serves, in its first served version. */
export function crdCollection(crd: KubeObject): CollectionInfo | undefined {
  const spec = crd.spec as CrdSpec;
  const version = spec.versions.find((entry) => entry.served)?.name;
  if (version === undefined) return undefined;
  const { plural, kind } = spec.names;
  return { group: spec.group, version, resource: plural, kind, namespaced: spec.scope === "Namespaced" };
}

/** Built-in collections and those of the CRDs there are now. */
export function allCollections(cache: Cache): readonly CollectionInfo[] {
  return [
    ...builtinCollections(),
    ...cache.list(ids.crds).flatMap((crd) => {
      const info = crdCollection(crd);
      return info === undefined ? [] : [info];
    }),
  ];
}

function splitVersion(groupVersion: string): [string, string] {
  const slash = groupVersion.indexOf("/");
  return slash < 0 ? ["", groupVersion] : [groupVersion.slice(0, slash), groupVersion.slice(slash + 1)];
}
