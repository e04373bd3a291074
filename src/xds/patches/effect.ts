import { sameContent } from "../../base/equal.ts";
import type { ProxyConfig } from "../../ir/config.ts";
import type { EnvoyPatch } from "../../ir/envoy-patch.ts";
import { resourcesFor } from "../resources.ts";
import type { EnvoyResource, XdsKind, XdsOptions } from "../types.ts";
import { createPatcher, type OnPatch, type Patcher } from "./apply.ts";

/** Where patches of a kind can change something; EXTENSION_CONFIG changes nothing by itself. */
const KINDS: Readonly<Record<EnvoyPatch["applyTo"], readonly XdsKind[]>> = {
  LISTENER: ["listener"],
  FILTER_CHAIN: ["listener"],
  NETWORK_FILTER: ["listener"],
  HTTP_FILTER: ["listener"],
  LISTENER_FILTER: ["listener"],
  // those of inbound ports stand in their listeners
  ROUTE_CONFIGURATION: ["route", "listener"],
  VIRTUAL_HOST: ["route", "listener"],
  HTTP_ROUTE: ["route", "listener"],
  CLUSTER: ["cluster"],
  EXTENSION_CONFIG: [],
};

/**
 * Those of a proxy's patches, out of `asked`, that change something in what it gets. They are applied one after another to the
 * resources without any, so that one may find what an earlier one has put there. `onPatch` hears of those that cannot be read.
 */
export function effectivePatches(
  config: ProxyConfig,
  options: XdsOptions,
  { asked, onPatch }: { readonly asked: ReadonlySet<EnvoyPatch>; readonly onPatch: OnPatch },
): ReadonlySet<EnvoyPatch> {
  const isRouter = config.proxy.type === "router";
  const all = config.patches?.() ?? [];
  const steps = all.map((patch) => ({ patch, patcher: createPatcher([patch], isRouter, onPatch) }));
  const resources = resourcesFor({ ...config, patches: () => [] }, options);
  const found = new Set<EnvoyPatch>();
  const kinds = new Set([...asked].flatMap(({ applyTo }) => KINDS[applyTo]));
  for (const kind of kinds) {
    const known = resources.names(kind).map(({ name }) => name);
    const added = steps.flatMap(({ patcher }) => patcher.added(kind));
    for (const { patch, patcher } of steps) if (asked.has(patch) && patcher.added(kind).length > 0) found.add(patch);
    for (const name of new Set([...known, ...added])) {
      note(steps, resources.resource(kind, name), { kind, name, asked, found });
      if (found.size === asked.size) return found;
    }
  }
  return found;
}

/** Walks one resource through all patches; `resource` is undefined where one of them adds it. */
function note(
  steps: readonly { readonly patch: EnvoyPatch; readonly patcher: Patcher }[],
  resource: EnvoyResource | undefined,
  of: {
    readonly kind: XdsKind;
    readonly name: string;
    readonly asked: ReadonlySet<EnvoyPatch>;
    readonly found: Set<EnvoyPatch>;
  },
): void {
  let current = resource;
  for (const { patch, patcher } of steps) {
    const next = patcher.patched(of.kind, of.name, current);
    if (of.asked.has(patch) && !of.found.has(patch) && !sameContent(current, next)) of.found.add(patch);
    current = next;
  }
}
