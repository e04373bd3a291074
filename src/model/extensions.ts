import { compact } from "../base/compact.ts";
import type { KindTypes } from "../resources/kinds.ts";
import type { ModelContext } from "./context.ts";
import { byAge } from "./order.ts";
import { policyHolds, type PolicyWorkload } from "./policy-selection.ts";

export type TrafficExtension = KindTypes["TrafficExtension"];
export type WasmPlugin = KindTypes["WasmPlugin"];
export type ExtensionSpec = NonNullable<TrafficExtension["spec"]>;
export type ExtensionWasm = NonNullable<ExtensionSpec["wasm"]>;

/** An object that puts a module or a script into proxies; both kinds in the form of the newer one. */
export interface MeshExtension {
  /** `WasmPlugin/shop/headers` */
  readonly id: string;
  readonly object: TrafficExtension | WasmPlugin;
  readonly spec: ExtensionSpec;
}

/** Questions about WasmPlugins and TrafficExtensions. */
export interface Extensions {
  /** Those that hold for the workload, in the order in which traffic passes those of one phase: by priority, then by age. */
  of(workload: PolicyWorkload): readonly MeshExtension[];
  /** One by its id; undefined when it is not there. */
  byId(id: string): MeshExtension | undefined;
}

export function createExtensions({ world, derivations, rootNamespace }: ModelContext): Extensions {
  const inNamespace = derivations.keyed("extensions", (namespace: string): readonly MeshExtension[] => [
    ...world.list("TrafficExtension", namespace).flatMap((object) => extensionOf(object) ?? []),
    ...world.list("WasmPlugin", namespace).flatMap((object) => extensionOf(object) ?? []),
  ]);
  return {
    of: (workload) =>
      [...new Set([workload.namespace, rootNamespace])]
        .flatMap((namespace) => inNamespace(namespace).filter(({ spec }) => policyHolds(spec, namespace, workload)))
        .toSorted(byPriority),
    byId(id) {
      const [kind, namespace = "", name = ""] = id.split("/");
      const object = world.get(kind === "WasmPlugin" ? kind : "TrafficExtension", namespace, name);
      return object === undefined ? undefined : extensionOf(object);
    },
  };
}

function byPriority(a: MeshExtension, b: MeshExtension): number {
  return (b.spec.priority ?? 0) - (a.spec.priority ?? 0) || byAge(a.object, b.object);
}

/** Undefined for what says neither module nor script. */
function extensionOf(object: TrafficExtension | WasmPlugin): MeshExtension | undefined {
  const { kind, metadata, spec } = object;
  const id = `${kind}/${metadata.namespace ?? ""}/${metadata.name}`;
  if (spec === undefined) return undefined;
  if ("url" in spec) return { id, object, spec: translated(spec) };
  return spec.wasm === undefined && spec.lua === undefined ? undefined : { id, object, spec };
}

function translated(spec: NonNullable<WasmPlugin["spec"]>): ExtensionSpec {
  const { selector, targetRef, targetRefs, phase, priority, match, ...wasm } = spec;
  return compact({
    selector,
    targetRefs: targetRefs ?? (targetRef === undefined ? undefined : [targetRef]),
    phase: phase === "UNSPECIFIED_PHASE" ? undefined : phase,
    priority,
    match,
    wasm,
  });
}
