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
/** How connections are secured. */
type ClientTls = NonNullable<TrafficPolicy["tls"]>;
/** A named group of endpoints. */
export type Subset = NonNullable<Spec["subsets"]>[number];

/** What the rules of one host come to for some callers. */
export interface EffectiveDestinationRule {
  readonly trafficPolicy: TrafficPolicy | undefined;
  /** It is for selected workloads only. */
  readonly selective?: true;
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
  /** Whether any rule orders endpoints by where they and their callers run. */
  asksLocality(): boolean;
  /** Whether any rule, or the mesh, shares traffic between zones. */
  asksZones(): boolean;
  /** Labels of callers by which any rule orders endpoints (`failoverPriority`), sorted. */
  priorityKeys(): readonly string[];
  /** Labels by which rules of a namespace select callers, sorted. */
  selectorKeys(namespace: string): readonly string[];
  /** TLS settings that name a Secret, of rules that select this caller; a rule for everybody gives Secrets to gateways alone. */
  credentials(caller: Caller): readonly ClientTls[];
}

export function createDestinationRules(context: ModelContext): DestinationRules {
  const { world, derivations, rootNamespace } = context;
  const effective = derivations.keyed(
    "DestinationRule of host",
    (host: string, namespace: string, serviceNamespace: string, labelText: string) => {
      const rules = rulesOfHost(context, host);
      if (rules.length === 0) return undefined;
      const caller: Caller = { namespace, labels: JSON.parse(labelText) as Caller["labels"] };
      const levels = [...new Set([namespace, serviceNamespace, rootNamespace])].map((level) =>
        rules.filter(({ object }) => object.metadata.namespace === level && holds(context, object, caller)),
      );
      const level = levels.find((candidates) => candidates.length > 0) ?? [];
      const chosen = level.filter((rule) => rule.host === level[0]?.host).map(({ object }) => object);
      const others = levels.flat().flatMap(({ object }) => (chosen.includes(object) ? [] : [object]));
      return merged(chosen, others);
    },
  );
  const isRuled = derivations.keyed("has DestinationRules", (host: string) => rulesOfHost(context, host).length > 0);
  const selectorKeys = derivations.keyed("labels of DestinationRules", (namespace: string): readonly string[] => {
    const rules = world.list("DestinationRule", namespace);
    const selectors = rules.map(({ spec }) => spec?.workloadSelector?.matchLabels ?? {});
    return [...new Set(selectors.flatMap(Object.keys))].toSorted(byText);
  });
  const { asksLocality, asksZones, priorityKeys, withCredentials } = ofAllRules(context);
  return {
    credentials: ({ namespace, labels }) =>
      withCredentials(namespace).flatMap(({ selector, named }) => (selects(selector, labels) ? named : [])),
    selectorKeys,
    asksLocality,
    asksZones,
    priorityKeys,
    effective: (caller, host, serviceNamespace) => {
      // Most hosts have none: one answer for all callers.
      if (!isRuled(host)) return undefined;
      const asked = selectorKeys(caller.namespace).flatMap((key) => {
        const value = caller.labels[key];
        return value === undefined ? [] : [[key, value] as const];
      });
      return effective(host, caller.namespace, serviceNamespace, JSON.stringify(Object.fromEntries(asked)));
    },
  };
}

/** What is asked of all rules together, or of those of a namespace. */
function ofAllRules({ world, derivations, meshConfig }: ModelContext) {
  const asksLocality = derivations.keyed("rules by locality", () =>
    world.list("DestinationRule").some(({ spec }) => policiesOf(spec).some(ordersByPlace)),
  );
  const asksZones = derivations.keyed(
    "rules by zone",
    () =>
      meshConfig().raw["zoneAwareLbSetting"] !== undefined ||
      world.list("DestinationRule").some(({ spec }) => policiesOf(spec).some(sharesBetweenZones)),
  );
  const priorityKeys = derivations.keyed("labels of failover", (): readonly string[] => {
    const policies = world.list("DestinationRule").flatMap(({ spec }) => policiesOf(spec));
    const keys = policies.flatMap(({ loadBalancer }) => [
      ...(loadBalancer?.localityLbSetting?.failoverPriority ?? []),
      ...(loadBalancer?.zoneAwareLbSetting?.failoverPriority ?? []),
    ]);
    return [...new Set(keys.map((text) => text.split("=")[0] ?? ""))].toSorted(byText);
  });
  const withCredentials = derivations.keyed("DestinationRules with Secrets", (namespace: string) =>
    world
      .list("DestinationRule", namespace)
      .toSorted(byAge)
      .flatMap(({ spec }) => {
        const selector = namedSelector(spec?.workloadSelector?.matchLabels);
        const named = policiesOf(spec).flatMap(({ tls }) => ((tls?.credentialName ?? "") === "" ? [] : (tls ?? [])));
        return selector === undefined || named.length === 0 ? [] : [{ selector, named }];
      }),
  );
  return { asksLocality, asksZones, priorityKeys, withCredentials };
}

type Policy = Pick<TrafficPolicy, "loadBalancer" | "outlierDetection" | "tls">;

/** Every policy in a rule: its own, its subsets', and those for ports. */
function policiesOf(spec: DestinationRule["spec"]): readonly Policy[] {
  const whole = [spec?.trafficPolicy, ...(spec?.subsets ?? []).map(({ trafficPolicy }) => trafficPolicy)];
  return whole.flatMap((policy) => (policy === undefined ? [] : [policy, ...(policy.portLevelSettings ?? [])]));
}

function sharesBetweenZones({ loadBalancer }: Policy): boolean {
  const zones = loadBalancer?.zoneAwareLbSetting;
  return zones !== undefined && zones.enabled !== false;
}

/** Failover needs outlier detection, shares do not. */
function ordersByPlace({ loadBalancer, outlierDetection }: Policy): boolean {
  return outlierDetection !== undefined || loadBalancer?.localityLbSetting?.distribute !== undefined;
}

interface RuleOfHost {
  readonly object: DestinationRule;
  /** Full. */
  readonly host: string;
}

/** Rules whose host covers this one, the most specific first, then the oldest. */
function rulesOfHost({ world, domain }: ModelContext, host: string): readonly RuleOfHost[] {
  return [...new Set(hostKeys(host).flatMap((key) => world.by("destinationRulesOfHost", key)))]
    .map((object) => ({ object, host: resolveHost(object.spec?.host ?? "", object.metadata.namespace ?? "", domain) }))
    .filter((rule) => hostMatches(rule.host, host))
    .toSorted((a, b) => bySpecificity(a.host, b.host) || byAge(a.object, b.object));
}

/** Whether a rule is for this caller: of its own namespace those that select it, of others those exported to it. */
function holds({ meshConfig }: ModelContext, { spec, metadata }: DestinationRule, caller: Caller): boolean {
  const selector = namedSelector(spec?.workloadSelector?.matchLabels);
  const owner = metadata.namespace ?? "";
  if (owner === caller.namespace) return selector === undefined || selects(selector, caller.labels);
  const fallback = meshConfig().defaultDestinationRuleExportTo;
  return selector === undefined && visibleTo(spec?.exportTo, owner, caller.namespace, fallback);
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
    ...(namedSelector(deciding.spec?.workloadSelector?.matchLabels) === undefined ? {} : { selective: true as const }),
    subsets,
    provenance: { from: refOf(deciding), path: ["spec", "trafficPolicy"], lost },
  };
}
