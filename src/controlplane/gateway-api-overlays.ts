import { isDeepStrictEqual } from "node:util";
import { strategicMerge } from "../base/strategic-merge.ts";
import { listKey } from "../inject/lists.ts";
import type { KubeObject } from "../resources/object.ts";
import { parseYaml } from "../resources/yaml-plain.ts";

/** Keys of a ConfigMap with overlays, by the kind that each is about. */
const KEYS: Readonly<Record<string, string>> = {
  ServiceAccount: "serviceAccount",
  Deployment: "deployment",
  Service: "service",
  HorizontalPodAutoscaler: "horizontalPodAutoscaler",
  PodDisruptionBudget: "podDisruptionBudget",
};

/** Made only when an overlay says how many there are to be. */
const ASKED_FOR: ReadonlySet<string> = new Set(["HorizontalPodAutoscaler", "PodDisruptionBudget"]);

type Overlay = Readonly<Record<string, string>>;

/**
 * Objects of a Gateway with what ConfigMaps (data of each, those of the class first) change in them: strategic merges, by kind.
 * Throws for a key that is not read, for text that is no YAML object, and for one that would rename an object or take it away from
 * its Gateway.
 */
export function withOverlays(objects: readonly KubeObject[], overlays: readonly Overlay[]): readonly KubeObject[] {
  const known = Object.values(KEYS);
  for (const key of overlays.flatMap((data) => Object.keys(data)))
    if (!known.includes(key)) throw new Error(`unknown key ${key}: expected one of ${known.join(", ")}`);
  return objects.flatMap((object) => {
    const key = KEYS[object.kind] ?? "";
    const patches = overlays.flatMap((data) => (data[key] === undefined ? [] : [readOverlay(key, data[key])]));
    if (patches.length === 0 && ASKED_FOR.has(object.kind)) return [];
    return [patches.reduce(applied(key), object)];
  });
}

function readOverlay(key: string, text: string): Readonly<Record<string, unknown>> {
  const read = parseYaml(text) as unknown;
  if (typeof read !== "object" || read === null || Array.isArray(read))
    throw new Error(`key ${key}: expected an object in YAML`);
  return read as Readonly<Record<string, unknown>>;
}

function applied(key: string): (object: KubeObject, patch: Readonly<Record<string, unknown>>) => KubeObject {
  return (object, patch) => {
    const made = strategicMerge(object, patch, keyOf) as KubeObject;
    if (!isDeepStrictEqual(identityOf(made), identityOf(object)))
      throw new Error(`key ${key}: name, namespace and owner of what is made cannot be changed`);
    return made;
  };
}

/** A Service tells its ports apart by number, a container by another field. */
function keyOf(path: readonly string[]): string | undefined {
  return path.join(".") === "spec.ports" ? "port" : listKey(path);
}

function identityOf({ apiVersion, kind, metadata }: KubeObject): unknown {
  const { labels: _labels, annotations: _annotations, ...identity } = metadata;
  return { apiVersion, kind, identity };
}
