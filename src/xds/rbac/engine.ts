import type { Condition, PolicyRule } from "../../ir/security.ts";
import type { Messages } from "../../wire/codec.ts";
import { permissionOf } from "./permission.ts";
import { principalOf } from "./principal.ts";

export type Rbac = Messages["envoy.config.rbac.v3.RBAC"];
type Policy = Messages["envoy.config.rbac.v3.Policy"];
type Permission = Messages["envoy.config.rbac.v3.Permission"];
type Principal = Messages["envoy.config.rbac.v3.Principal"];
type Action = NonNullable<Rbac["action"]>;

/** Where rules are to be asked: of requests or of connections, and what follows when one holds. */
export interface Site {
  readonly action: Action;
  readonly speaks: "http" | "tcp";
}

/**
 * Rules as Envoy's RBAC engine asks them. What cannot be asked on this chain (methods, paths, tokens, headers of bytes that
 * are no HTTP) makes an ALLOW rule hold for nobody, and is left out of the others, which then hold for more: closed on both
 * sides, as Istio does it.
 */
export function rbacOf(rules: readonly PolicyRule[], site: Site): Rbac {
  const policies = rules.flatMap((rule) => {
    const policy = policyOf(rule, site);
    return policy === undefined ? [] : [[rule.name, policy] as const];
  });
  return { action: site.action, policies: Object.fromEntries(policies) };
}

function policyOf({ from, to }: PolicyRule, site: Site): Policy | undefined {
  const permissions = to.map((conditions) => allOf(conditions, site, PERMISSION));
  const principals = from.map((conditions) => allOf(conditions, site, PRINCIPAL));
  if (permissions.includes(undefined) || principals.includes(undefined)) return undefined;
  return { permissions: permissions.filter(isSaid), principals: principals.filter(isSaid) };
}

/** How the two halves of a policy, which look alike, are written. */
interface Dialect<T> {
  of(attribute: string, value: string, speaks: Site["speaks"]): T | undefined;
  any(): T;
  all(parts: readonly T[]): T;
  some(parts: readonly T[]): T;
  not(part: T): T;
}

const PERMISSION: Dialect<Permission> = {
  of: permissionOf,
  any: () => ({ any: true }),
  all: (rules) => single(rules) ?? { and_rules: { rules } },
  some: (rules) => single(rules) ?? { or_rules: { rules } },
  not: (not_rule) => ({ not_rule }),
};

const PRINCIPAL: Dialect<Principal> = {
  of: principalOf,
  any: () => ({ any: true }),
  all: (ids) => single(ids) ?? { and_ids: { ids } },
  some: (ids) => single(ids) ?? { or_ids: { ids } },
  not: (not_id) => ({ not_id }),
};

/** All conditions of a part; undefined when an ALLOW rule has one that cannot be asked. */
function allOf<T>(conditions: readonly Condition[], site: Site, dialect: Dialect<T>): T | undefined {
  const parts: T[] = [];
  for (const { attribute, values, notValues } of conditions) {
    for (const [list, negative] of [
      [values, false],
      [notValues, true],
    ] as const) {
      const asked = list.map((value) => dialect.of(attribute, value, site.speaks));
      if (site.action === "ALLOW" && asked.includes(undefined)) return undefined;
      const said = asked.filter(isSaid);
      if (said.length === 0) continue;
      parts.push(negative ? dialect.not(dialect.some(said)) : dialect.some(said));
    }
  }
  return dialect.all(parts.length === 0 ? [dialect.any()] : parts);
}

function single<T>(parts: readonly T[]): T | undefined {
  return parts.length === 1 ? parts[0] : undefined;
}

function isSaid<T>(part: T | undefined): part is T {
  return part !== undefined;
}
