import type { FieldPath } from "../../diagnostics/finding.ts";
import type {
  DestinationRulePortPolicy,
  DestinationRuleSpec,
  DestinationRuleTrafficPolicy,
} from "../../gen/schema-types.ts";
import type { Rules } from "../rule.ts";

/** Rules of DestinationRule, in one of the files of this folder. */
export type DestinationRuleRules = Rules<DestinationRuleSpec>;

/** What the policy of a service and that of one port have in common. */
export type Settings = DestinationRuleTrafficPolicy | DestinationRulePortPolicy;

/** Visits the policies of the whole service and of each subset. */
export function eachPolicy(
  spec: DestinationRuleSpec,
  visit: (policy: DestinationRuleTrafficPolicy, path: FieldPath) => void,
): void {
  if (spec.trafficPolicy !== undefined) visit(spec.trafficPolicy, ["trafficPolicy"]);
  // each rule of this kind asks for each object: without iterators, which cost more than what is visited
  spec.subsets?.forEach(({ trafficPolicy }, index) => {
    if (trafficPolicy !== undefined) visit(trafficPolicy, ["subsets", index, "trafficPolicy"]);
  });
}

/** Visits the policies, and their settings for single ports. */
export function eachSettings(spec: DestinationRuleSpec, visit: (settings: Settings, path: FieldPath) => void): void {
  eachPolicy(spec, (policy, path) => {
    visit(policy, path);
    policy.portLevelSettings?.forEach((settings, index) => visit(settings, [...path, "portLevelSettings", index]));
  });
}
