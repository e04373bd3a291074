import type { Mirror } from "../../ir/route-features.ts";
import { destinationCluster } from "../destinations.ts";
import type { HttpRule } from "../http-match.ts";
import { shareOf } from "../share.ts";
import type { RouteFeature, RuleSource } from "./types.ts";

const ALL = 1_000_000;

/** `mirror` and `mirrors`: services that get a copy of forwarded requests; without a percentage, of all. */
export const mirrors: RouteFeature<"mirrors"> = {
  key: "mirrors",
  fields: ["mirrors", "mirror"],
  of(model, source) {
    if (source.action.kind !== "forward") return undefined;
    const made = specs(source.rule).flatMap(({ destination, share }): readonly Mirror[] =>
      share === 0 ? [] : [{ cluster: destinationCluster(model, destination, source.object, source.site), share }],
    );
    return made.length === 0 ? undefined : made;
  },
};

interface MirrorSpec {
  readonly destination: NonNullable<HttpRule["mirror"]>;
  readonly share: number;
}

function specs(rule: RuleSource["rule"]): readonly MirrorSpec[] {
  const several = (rule.mirrors ?? []).map(({ destination, percentage }) => ({
    destination,
    share: shareOf(percentage, ALL),
  }));
  if (several.length > 0 || rule.mirror === undefined) return several;
  const whole = rule.mirrorPercent ?? rule.mirror_percent ?? undefined;
  const old = whole === undefined ? ALL : shareOf({ value: whole }, ALL);
  return [{ destination: rule.mirror, share: shareOf(rule.mirrorPercentage, old) }];
}
