import { createMesh, type Mesh } from "../compile/mesh.ts";
import type { ProxyConfig } from "../ir/config.ts";
import type { EnvoyPatch } from "../ir/envoy-patch.ts";
import { generatedOptions } from "../model/generated-options.ts";
import { podProxy } from "../model/pod-proxy.ts";
import type { KindTypes } from "../resources/kinds.ts";
import { effectivePatches } from "../xds/patches/effect.ts";
import { defineAnalyzer } from "./analyzer.ts";
import { mistypedFilters } from "./filter-names.ts";

type EnvoyFilter = KindTypes["EnvoyFilter"];

/** Kinds of proxies that one object is tried on; of one that holds for more nothing is said. */
const MAX_PROXIES = 20;

/**
 * A patch whose match fits nothing is no error of Envoy's: nobody would say so. It stands beside the registry: it makes the
 * configuration of proxies, and is loaded only where there are EnvoyFilters.
 */
export const envoyfilterPatch = defineAnalyzer({
  name: "envoyfilter-patch",
  summary: "Finds patches of EnvoyFilters that change nothing in any proxy.",
  reads: ["EnvoyFilter", "Pod"],
  codes: ["MSH0125"],
  analyze({ world, model, report, complete, unknown }) {
    const objects = world.list("EnvoyFilter").filter(({ spec }) => Array.isArray(spec?.configPatches));
    if (objects.length === 0) return;
    const mesh = createMesh(model.world, { model });
    const configs = distinctConfigs(mesh);
    for (const object of objects) {
      const own = configs.filter((config) => patchesOf(config, object).length > 0);
      if (own.length === 0 || own.length > MAX_PROXIES) continue;
      for (const { patch, problem } of idlePatches(mesh, object, own)) {
        const applyTo = patch.applyTo;
        // files may lack the service that it is about
        if (!complete && problem === "" && namesSomething(patch)) unknown(`patches of ${applyTo} that match by name`);
        else report(object, patch.path, "MSH0125", { applyTo, proxies: own.length, problem });
      }
    }
  },
});

/** The configurations of all proxies, one of those that are alike. */
function distinctConfigs(mesh: Mesh): readonly ProxyConfig[] {
  const { model } = mesh;
  const found = new Map<string, ProxyConfig>();
  for (const pod of model.world.list("Pod")) {
    if (model.workloads.proxy(pod) !== "yes") continue;
    const config = mesh.proxyConfig(podProxy(pod, model));
    found.set(`${config.scope} ${config.workload}`, config);
  }
  return [...found.values()];
}

function patchesOf(config: ProxyConfig, { metadata }: EnvoyFilter): readonly EnvoyPatch[] {
  return (config.patches?.() ?? []).filter(
    ({ from }) => from.name === metadata.name && from.namespace === (metadata.namespace ?? ""),
  );
}

interface Idle {
  readonly patch: EnvoyPatch;
  /** Why it cannot be applied at all; "": nothing fits it. */
  readonly problem: string;
}

function idlePatches({ model }: Mesh, object: EnvoyFilter, configs: readonly ProxyConfig[]): readonly Idle[] {
  const options = generatedOptions(model.meshConfig());
  const problems = new Map<string, string>();
  const left = new Map<string, EnvoyPatch>();
  for (const patch of configs.flatMap((config) => patchesOf(config, object)))
    if (isJudged(object, patch)) left.set(JSON.stringify(patch.path), patch);
  for (const config of configs) {
    const asked = new Set(patchesOf(config, object).filter(({ path }) => left.has(JSON.stringify(path))));
    if (asked.size === 0) continue;
    const onPatch = (patch: EnvoyPatch, problem: string): void => {
      if (asked.has(patch)) problems.set(JSON.stringify(patch.path), problem);
    };
    for (const { path } of effectivePatches(config, options, { asked, onPatch })) left.delete(JSON.stringify(path));
  }
  return [...left].map(([path, patch]) => ({ patch, problem: problems.get(path) ?? "" }));
}

/** What only a running proxy says of itself is unknown here; a mistyped filter is told already. */
function isJudged({ spec }: EnvoyFilter, { applyTo, path }: EnvoyPatch): boolean {
  const written = spec?.configPatches?.[Number(path[2])];
  return applyTo !== "EXTENSION_CONFIG" && written?.match?.proxy === undefined && mistypedFilters(written).length === 0;
}

/** Whether it is about things by their names or ports, which come from other objects. */
function namesSomething({ listener, routes, cluster, applyTo }: EnvoyPatch): boolean {
  const { name, portNumber, filterChain } = listener ?? {};
  const isByChain = filterChain?.name ?? filterChain?.sni ?? filterChain?.destinationPort;
  const isByListener = name !== undefined || portNumber !== undefined || isByChain !== undefined;
  return isByListener || routes !== undefined || cluster !== undefined || applyTo === "CLUSTER";
}
