import type { FieldPath } from "../../diagnostics/finding.ts";
import { resolveHost } from "../../model/host.ts";
import type { KindTypes } from "../../resources/kinds.ts";
import { defineAnalyzer } from "../analyzer.ts";
import { nameOf } from "./shared-names.ts";

/**
 * A gateway follows the VirtualService that is bound to it, and goes to the whole service where that one names no subset:
 * rules of another VirtualService, for the service's own host, hold for sidecars only. See
 * https://istio.io/latest/docs/ops/common-problems/network-issues/#route-rules-have-no-effect-on-ingress-gateway-requests
 */
export const virtualserviceIngressSubset = defineAnalyzer({
  name: "virtualservice-ingress-subset",
  summary: "Finds routes of gateways that go past the subsets which another VirtualService chooses.",
  reads: ["VirtualService"],
  codes: ["IST0140"],
  analyze: ({ world, model, report }) => {
    const virtualServices = world.list("VirtualService");
    const choosers = new Map<string, VirtualService>();
    for (const object of virtualServices.filter(isOfMesh))
      for (const { host, subset } of routesOf(object, model.domain))
        if (subset !== undefined && ownHosts(object, model.domain).has(host) && !choosers.has(host))
          choosers.set(host, object);
    if (choosers.size === 0) return;
    for (const object of virtualServices.filter(isOfGateway))
      for (const { host, subset, path } of routesOf(object, model.domain)) {
        const chooser = subset === undefined ? choosers.get(host) : undefined;
        if (chooser === undefined || chooser === object) continue;
        const related = { object: chooser, path: ["spec", "http"], words: "the subsets that sidecars choose" };
        const args = { virtualService: nameOf(chooser), ingress: nameOf(object) };
        report(object, path, "IST0140", args, related);
      }
  },
});

type VirtualService = KindTypes["VirtualService"];

interface Use {
  /** Full. */
  readonly host: string;
  readonly subset: string | undefined;
  readonly path: FieldPath;
}

function routesOf({ spec, metadata }: VirtualService, domain: string): readonly Use[] {
  return (spec?.http ?? []).flatMap(({ route = [] }, rule) =>
    route.map(({ destination }, index) => ({
      host: resolveHost(destination.host, metadata.namespace ?? "", domain),
      subset: destination.subset === "" ? undefined : destination.subset,
      path: ["spec", "http", rule, "route", index, "destination"],
    })),
  );
}

function ownHosts({ spec, metadata }: VirtualService, domain: string): ReadonlySet<string> {
  return new Set((spec?.hosts ?? []).map((host) => resolveHost(host, metadata.namespace ?? "", domain)));
}

function isOfMesh({ spec }: VirtualService): boolean {
  const gateways = spec?.gateways ?? [];
  return gateways.length === 0 || gateways.includes("mesh");
}

function isOfGateway({ spec }: VirtualService): boolean {
  return (spec?.gateways ?? []).some((name) => name !== "mesh");
}
