import { compact } from "../base/compact.ts";
import type { EnvoyPatch } from "../ir/envoy-patch.ts";
import type { ConfigPatch, EnvoyFilter } from "../model/envoy-filters.ts";
import { refOf } from "../resources/object.ts";
import type { CompileContext } from "./context.ts";

/** The patches of a scope's EnvoyFilters, in the order in which they are applied. */
export function createEnvoyPatches({
  model,
  derivations,
  scope: factsOf,
}: CompileContext): (scope: string) => readonly EnvoyPatch[] {
  const { world } = model;
  const ofFilter = derivations.keyed("patches of EnvoyFilter", (entry: string): readonly EnvoyPatch[] => {
    const [, namespace = "", name = "", , numbers] = /^([^/]*)\/([^:]*)(:(.*))?$/.exec(entry) ?? [];
    const object = world.get("EnvoyFilter", namespace, name);
    const own = numbers?.split(",").map(Number);
    return (object?.spec?.configPatches ?? []).flatMap((patch, index) =>
      object === undefined || own?.includes(index) === false ? [] : (patchOf(object, patch, index) ?? []),
    );
  });
  return (scope) => (factsOf(scope).patches ?? []).flatMap(ofFilter);
}

/** Undefined for what no proxy here has: bootstraps, waypoints, and what says nothing. */
function patchOf(object: EnvoyFilter, { applyTo, match, patch }: ConfigPatch, index: number): EnvoyPatch | undefined {
  const { context = "ANY", listener, routeConfiguration, cluster } = match ?? {};
  const { operation = "INVALID", value = {}, filterClass = "UNSPECIFIED" } = patch ?? {};
  if (applyTo === undefined || applyTo === "INVALID" || applyTo === "BOOTSTRAP") return undefined;
  if (context === "WAYPOINT" || operation === "INVALID") return undefined;
  const place = { from: refOf(object), path: ["spec", "configPatches", index] };
  return compact({
    applyTo,
    operation,
    context,
    filterClass,
    listener,
    routes: routeConfiguration,
    cluster,
    value,
    ...place,
  });
}
