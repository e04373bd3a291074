import { resolveHost } from "../../model/host.ts";
import { exportsOverlap } from "../../model/visibility.ts";
import type { KindTypes } from "../../resources/kinds.ts";
import { defineAnalyzer } from "../analyzer.ts";
import { listText, nameOf } from "./shared-names.ts";

/**
 * Of several VirtualServices for one host sidecars follow the oldest alone; they are not merged as on a gateway. Two that no
 * namespace sees both of do not meet. Hosts are compared as they are meant, each once for an object: `web` and its full name
 * in one VirtualService are no conflict.
 */
export const virtualserviceConflict = defineAnalyzer({
  name: "virtualservice-conflict",
  summary: "Finds VirtualServices that rule the same host for the same sidecars.",
  reads: ["VirtualService", "ConfigMap"],
  codes: ["IST0109"],
  analyze: ({ world, model, report }) => {
    const byHost = new Map<string, Claim[]>();
    for (const object of world.list("VirtualService"))
      for (const [host, index] of meshHosts(object, model.domain))
        byHost.set(host, [...(byHost.get(host) ?? []), { object, index }]);
    const fallback = model.meshConfig().defaultVirtualServiceExportTo;
    const meet = (a: Claim, b: Claim): boolean => exportsOverlap(sight(a.object), sight(b.object), fallback);
    for (const [host, claims] of byHost)
      for (const claim of claims.length > 1 ? claims : []) {
        const others = claims.filter((other) => other !== claim && meet(claim, other));
        const [other] = others;
        if (other === undefined) continue;
        const virtualServices = listText([claim, ...others].map(({ object }) => nameOf(object)).toSorted(), ",");
        const path = ["spec", "hosts", claim.index];
        const words = "the same host, for the same sidecars";
        const related = { object: other.object, path: ["spec", "hosts", other.index], words };
        report(claim.object, path, "IST0109", { virtualServices, host }, related);
      }
  },
});

type VirtualService = KindTypes["VirtualService"];

interface Claim {
  readonly object: VirtualService;
  /** Of the host in the object. */
  readonly index: number;
}

/** Full hosts that sidecars follow this object for, with their first place. */
function meshHosts({ spec, metadata }: VirtualService, domain: string): ReadonlyMap<string, number> {
  const gateways = spec?.gateways ?? [];
  const hosts = new Map<string, number>();
  if (gateways.length > 0 && !gateways.includes("mesh")) return hosts;
  for (const [index, host] of (spec?.hosts ?? []).entries()) {
    const full = resolveHost(host, metadata.namespace ?? "", domain);
    if (!hosts.has(full)) hosts.set(full, index);
  }
  return hosts;
}

function sight({ spec, metadata }: VirtualService): { readonly exportTo: readonly string[]; readonly owner: string } {
  return { exportTo: spec?.exportTo ?? [], owner: metadata.namespace ?? "" };
}
