import type { FieldPath } from "../../diagnostics/finding.ts";
import { gatewayRef } from "../../model/gateways.ts";
import { namedSelector, selects } from "../../model/selectors.ts";
import type { Pod } from "../../resources/core.ts";
import type { KindTypes } from "../../resources/kinds.ts";
import { type AnalyzerInput, defineAnalyzer } from "../analyzer.ts";
import { podTitle } from "./shared-names.ts";

/**
 * Claims of a token are there for routing only when a RequestAuthentication validates it at the gateway; without one no
 * request matches. It may stand in the gateway pods' namespace or, for all, in the root namespace.
 */
export const virtualserviceJwtClaim = defineAnalyzer({
  name: "virtualservice-jwt-claim",
  summary: "Checks that gateways validate the tokens whose claims VirtualServices route by.",
  reads: ["VirtualService", "Gateway", "Pod", "RequestAuthentication"],
  codes: ["IST0149"],
  analyze: (input) => {
    for (const object of input.world.list("VirtualService")) {
      const [claim] = claimsOf(object);
      if (claim === undefined) continue;
      for (const reference of object.spec?.gateways ?? []) checkGateway(input, object, reference, claim);
    }
  },
});

type VirtualService = KindTypes["VirtualService"];
type Input = AnalyzerInput<"VirtualService" | "Gateway" | "Pod" | "RequestAuthentication", "IST0149">;

interface Claim {
  readonly key: string;
  readonly path: FieldPath;
}

/** Matches on claims: `@request.auth.claims.sub` or `@request.auth.claims[sub]`. */
function claimsOf({ spec }: VirtualService): readonly Claim[] {
  return (spec?.http ?? []).flatMap(({ match = [] }, rule) =>
    match.flatMap((each, index) =>
      (["headers", "withoutHeaders"] as const).flatMap((field) =>
        Object.keys(each[field] ?? {})
          .filter((key) => /^@request\.auth\.claims[.[]/i.test(key))
          .map((key) => ({ key, path: ["spec", "http", rule, "match", index, field, key] })),
      ),
    ),
  );
}

function checkGateway(input: Input, object: VirtualService, reference: string, { key, path }: Claim): void {
  const { namespace, name } = gatewayRef(reference, object.metadata.namespace ?? "");
  const gateway = input.world.get("Gateway", namespace, name);
  // the mesh, a Gateway that is not there, one of Gateway API
  const selector = namedSelector(gateway?.spec?.selector);
  if (selector === undefined) return;
  const pods = input.model.workloads.selected(undefined, selector);
  const pod = pods.find((candidate) => !isValidated(input, candidate));
  if (pod === undefined) return;
  const places = [pod.metadata.namespace ?? "", input.model.rootNamespace];
  if (!places.some((place) => input.knows("RequestAuthentication", place)))
    return input.unknown(
      `tokens at gateway ${namespace}/${name}: no RequestAuthentication of its pods' namespace is in the files`,
    );
  input.report(object, path, "IST0149", { key, gateway: `${namespace}/${name}`, pod: podTitle(pod) });
}

function isValidated({ world, model }: Input, { metadata }: Pod): boolean {
  const places = new Set([metadata.namespace ?? "", model.rootNamespace]);
  return [...places].some((place) =>
    world.list("RequestAuthentication", place).some(({ spec }) => isForPod(spec, metadata.labels ?? {})),
  );
}

function isForPod(spec: KindTypes["RequestAuthentication"]["spec"], labels: Readonly<Record<string, string>>): boolean {
  const hasTarget = spec?.targetRef !== undefined || (spec?.targetRefs ?? []).length > 0;
  return !hasTarget && (spec?.jwtRules ?? []).length > 0 && selects(spec?.selector?.matchLabels ?? {}, labels);
}
