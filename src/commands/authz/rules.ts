import type { ProxyConfig } from "../../ir/config.ts";
import type { PolicyRule } from "../../ir/security.ts";
import { refText } from "../../resources/object.ts";
import type { OfflineMesh } from "../offline/mesh.ts";

/** One rule that the proxy is to ask, of which action. */
export interface AskedRule {
  readonly action: "CUSTOM" | "AUDIT" | "DENY" | "ALLOW";
  readonly dryRun: boolean;
  readonly rule: PolicyRule;
}

/** All rules that a proxy asks, in the order in which they are asked. */
export function rulesOf(config: ProxyConfig): readonly AskedRule[] {
  const security = config.inbound()?.security ?? config.gatewayListeners()[0]?.security;
  const { custom, audit, deny, allow } = security?.authorization ?? {};
  const sets = [
    ["CUSTOM", custom],
    ["AUDIT", audit],
    ["DENY", deny],
    ["ALLOW", allow],
  ] as const;
  return sets.flatMap(([action, set]) => [
    ...(set?.enforced ?? []).map((rule): AskedRule => ({ action, dryRun: false, rule })),
    ...(set?.dryRun ?? []).map((rule): AskedRule => ({ action, dryRun: true, rule })),
  ]);
}

/** Where a rule stands. */
export interface RulePlace {
  /** `AuthorizationPolicy shop/viewer` */
  readonly policy: string;
  readonly field: string;
  readonly file?: string;
  readonly line?: number;
}

/** Which rule of which object it is, and where that stands. */
export function placeOf({ provenance: { from, path } }: PolicyRule, positionOf: OfflineMesh["positionOf"]): RulePlace {
  const position = positionOf(from, path);
  const [, , index] = path;
  return {
    policy: refText(from),
    field: `spec.rules[${String(index)}]`,
    ...(position === undefined ? {} : { file: position.file, line: position.line }),
  };
}

/** The same by the name that a proxy has for a rule, where nothing else is known of it; undefined: it is none of a policy. */
export function placeNamed(name: string | undefined): RulePlace | undefined {
  const [, namespace, policy, index] = /ns\[(.*?)\]-policy\[(.*?)\]-rule\[(\d+)\]/.exec(name ?? "") ?? [];
  if (namespace === undefined || policy === undefined || index === undefined) return undefined;
  return { policy: `AuthorizationPolicy ${namespace}/${policy}`, field: `spec.rules[${index}]` };
}
