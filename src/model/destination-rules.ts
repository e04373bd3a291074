import type { Provenance } from "../ir/provenance.ts";
import type { KindTypes } from "../resources/kinds.ts";
import { refOf } from "../resources/object.ts";
import { hostKeys } from "../resources/world-store.ts";
import type { ModelContext } from "./context.ts";
import { bySpecificity, hostMatches, resolveHost } from "./host.ts";
import { byAge, byText } from "./order.ts";
import { namedSelector, selects } from "./selectors.ts";
import { visibleTo } from "./visibility.ts";

/** The object, with its spec. */
export type DestinationRule = KindTypes["DestinationRule"];
type Spec = NonNullable<DestinationRule["spec"]>;
/** Settings of traffic to a service. */
export type TrafficPolicy = NonNullable<Spec["trafficPolicy"]>;
/** A named group of endpoints. */
export type Subset = NonNullable<Spec["subsets"]>[number];

/** What the rules of one host come to for some callers. */
export interface EffectiveDestinationRule {
  readonly trafficPolicy: TrafficPolicy | undefined;
  /** In order of their rules' age; a name stands once. */
  readonly subsets: readonly { readonly subset: Subset; readonly provenance: Provenance }[];
  readonly provenance: Provenance;
}

/** Who calls: rules may hold for a namespace, or for selected workloads of it. */
export interface Caller {
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** Questions about DestinationRules. */
export interface DestinationRules {
  /**
   * The rule of a service's host: of the caller's namespace, else the service's, else the root namespace; in each the most
   * specific host. Several for one host become one: the oldest trafficPolicy, all subsets.
   */
  effective(caller: Caller, host: string, serviceNamespace: string): EffectiveDestinationRule | undefined;
  /** Labels by which rules of a namespace select callers, sorted. */
  selectorKeys(namespace: string): readonly string[];
}

export function createDestinationRules({
  world,
  derivations,
  domain,
  rootNamespace,
  meshConfig,
}: ModelContext): DestinationRules {
  const ofHost = (host: string): readonly { readonly object: DestinationRule; readonly host: string }[] =>
    [...new Set(hostKeys(host).flatMap((key) => world.by("destinationRulesOfHost", key)))]
      .map((object) => ({
        object,
        host: resolveHost(object.spec?.host ?? "", object.metadata.namespace ?? "", domain),
      }))
      .filter((rule) => hostMatches(rule.host, host))
      .toSorted((a, b) => bySpecificity(a.host, b.host) || byAge(a.object, b.object));
  const effective = derivations.keyed(
    "DestinationRule of host",
    (host: string, namespace: string, serviceNamespace: string, labels: string) => {
      const rules = ofHost(host);
      if (rules.length === 0) return undefined;
      const callerLabels = JSON.parse(labels) as Caller["labels"];
      const levels = [...new Set([namespace, serviceNamespace, rootNamespace])].map((level) =>
        rules.filter(
          ({ object }) =>
            object.metadata.namespace === level && holds(object, { level, namespace, labels: callerLabels }),
        ),
      );
      const level = levels.find((candidates) => candidates.length > 0);
      const first = level?.[0];
      if (level === undefined || first === undefined) return undefined;
      const chosen = level.filter((rule) => rule.host === first.host).map(({ object }) => object);
      const others = levels.flat().filter(({ object }) => !chosen.includes(object));
      return merged(
        chosen,
        others.map(({ object }) => object),
      );
    },
  );
  const holds = (
    object: DestinationRule,
    { level, namespace, labels }: Caller & { readonly level: string },
  ): boolean => {
    const selector = namedSelector(object.spec?.workloadSelector?.matchLabels);
    if (level === namespace) return selector === undefined || selects(selector, labels);
    const fallback = meshConfig().defaultDestinationRuleExportTo;
    return selector === undefined && visibleTo(object.spec?.exportTo, level, namespace, fallback);
  };
  const selectorKeys = derivations.keyed("labels of DestinationRules", (namespace: string): readonly string[] => {
    const selectors = world
      .list("DestinationRule", namespace)
      .map(({ spec }) => spec?.workloadSelector?.matchLabels ?? {});
    return [...new Set(selectors.flatMap(Object.keys))].toSorted(byText);
  });
  return {
    selectorKeys,
    effective: (caller, host, serviceNamespace) => {
      const keys = selectorKeys(caller.namespace);
      const labels = Object.fromEntries(
        keys.flatMap((key) => (caller.labels[key] === undefined ? [] : [[key, caller.labels[key]]])),
      );
      return effective(host, caller.namespace, serviceNamespace, JSON.stringify(labels));
    },
  };
}

/** Rules of one host and namespace, oldest first, as one. */
function merged(
  rules: readonly DestinationRule[],
  others: readonly DestinationRule[],
): EffectiveDestinationRule | undefined {
  const [oldest] = rules;
  if (oldest === undefined) return undefined;
  const deciding = rules.find(({ spec }) => spec?.trafficPolicy !== undefined) ?? oldest;
  const taken = new Set<string>();
  const subsets = rules.flatMap((object) =>
    (object.spec?.subsets ?? []).flatMap((subset, index) => {
      if (taken.has(subset.name)) return [];
      taken.add(subset.name);
      return [{ subset, provenance: { from: refOf(object), path: ["spec", "subsets", index], lost: [] } }];
    }),
  );
  const lost = [
    ...rules
      .filter((object) => object !== deciding && object.spec?.trafficPolicy !== undefined)
      .map((object) => ({
        from: refOf(object),
        path: ["spec", "trafficPolicy"],
        reason: "older DestinationRule wins",
      })),
    ...others.map((object) => ({
      from: refOf(object),
      path: ["spec", "host"],
      reason: "a rule nearer to the caller, or of a more specific host, wins",
    })),
  ];
  return {
    trafficPolicy: deciding.spec?.trafficPolicy,
    subsets,
    provenance: { from: refOf(deciding), path: ["spec", "trafficPolicy"], lost },
  };
}
