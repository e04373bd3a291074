import type { FieldPath } from "../diagnostics/finding.ts";
import type { KindTypes } from "../resources/kinds.ts";

type Rule = KindTypes["DestinationRule"];
type Policy = NonNullable<NonNullable<Rule["spec"]>["trafficPolicy"]>;

/** One place of a DestinationRule that says something of TLS. */
export interface TlsSetting {
  readonly tls: NonNullable<Policy["tls"]>;
  /** "" for the whole host. */
  readonly subset: string;
  /** Of `tls`. */
  readonly path: FieldPath;
}

/** Every place of a rule with `tls`: for the host, its subsets, and ports of both. */
export function tlsSettings({ spec }: Rule): readonly TlsSetting[] {
  const whole = settingsOf(spec?.trafficPolicy, "", ["spec", "trafficPolicy"]);
  const subsets = (spec?.subsets ?? []).flatMap(({ name, trafficPolicy }, index) =>
    settingsOf(trafficPolicy, name, ["spec", "subsets", index, "trafficPolicy"]),
  );
  return [...whole, ...subsets];
}

function settingsOf(policy: Policy | undefined, subset: string, at: FieldPath): readonly TlsSetting[] {
  const ports = (policy?.portLevelSettings ?? []).map(({ tls }, index) => ({
    tls,
    path: [...at, "portLevelSettings", index, "tls"],
  }));
  return [{ tls: policy?.tls, path: [...at, "tls"] }, ...ports].flatMap(({ tls, path }) =>
    tls === undefined ? [] : [{ tls, subset, path }],
  );
}
