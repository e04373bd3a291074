import { isDeepStrictEqual } from "node:util";
import { strategicMerge } from "../base/strategic-merge.ts";
import { listKey } from "../inject/lists.ts";
import { type Overlay, OVERLAY_KEYS, readOverlays } from "../model/gateway-api-deployments.ts";
import type { KubeObject } from "../resources/object.ts";

/** Made only when an overlay says how many there are to be. */
const ASKED_FOR: ReadonlySet<string> = new Set(["HorizontalPodAutoscaler", "PodDisruptionBudget"]);

/**
 * Objects of a Gateway with what ConfigMaps (data of each, those of the class first) change in them: strategic merges, by kind.
 * Throws for data that cannot be read, and for an overlay that would rename an object or take it away from its Gateway.
 */
export function withOverlays(
  objects: readonly KubeObject[],
  written: readonly Readonly<Record<string, string>>[],
): readonly KubeObject[] {
  const overlays = written.map((data) => {
    const read = readOverlays(data);
    if ("problem" in read) throw new Error(read.problem);
    return read.overlays;
  });
  return objects.flatMap((object) => {
    const key = OVERLAY_KEYS[object.kind] ?? "";
    const patches = overlays.flatMap((each): readonly Overlay[] => {
      const overlay = each.get(key);
      return overlay === undefined ? [] : [overlay];
    });
    if (patches.length === 0 && ASKED_FOR.has(object.kind)) return [];
    return [patches.reduce<KubeObject>(applied(key), object)];
  });
}

function applied(key: string): (object: KubeObject, patch: Overlay) => KubeObject {
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
