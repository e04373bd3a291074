import type { Condition, PolicyRule } from "../../ir/security.ts";
import { judgeRbac, type SimulatedCall } from "../../simulate/rbac.ts";
import { headerValue } from "../../simulate/request.ts";
import { rbacOf } from "../../xds/rbac/engine.ts";
import type { OfflineMesh } from "../offline/mesh.ts";
import { type AskedRule, placeOf, type RulePlace } from "./rules.ts";

/** A condition of a rule that does not hold for the call. */
export interface Missed {
  /** `from[0]`, `to[1]` or `when`: the part of the rule. */
  readonly part: string;
  readonly attribute: string;
  readonly wanted?: readonly string[];
  readonly unwanted?: readonly string[];
  /** What the call has; absent: nothing. */
  readonly got?: string;
}

/** What one rule says to the call. */
export interface Explained extends RulePlace {
  readonly action: AskedRule["action"];
  readonly dryRun?: boolean;
  readonly matches: boolean;
  /** Why it does not, by part; empty when it does. */
  readonly missed: readonly Missed[];
}

/**
 * Every rule that the proxy asks, with the conditions that the call misses. Each condition is judged as a rule of its own, put into
 * Envoy's words by the generator and read by the simulator: there is no second meaning of it.
 */
export function explainRules(
  rules: readonly AskedRule[],
  call: SimulatedCall,
  positionOf: OfflineMesh["positionOf"],
): readonly Explained[] {
  return rules.map(({ action, dryRun, rule }) => {
    const matches = holds(rule, action, call);
    return {
      action,
      ...(dryRun ? { dryRun } : {}),
      ...placeOf(rule, positionOf),
      matches,
      missed: matches ? [] : missedOf(rule, action, call),
    };
  });
}

const ENGINE = { CUSTOM: "DENY", AUDIT: "LOG", DENY: "DENY", ALLOW: "ALLOW" } as const;

function holds(rule: PolicyRule, action: AskedRule["action"], call: SimulatedCall): boolean {
  const speaks = call.request === undefined ? "tcp" : "http";
  return judgeRbac(rbacOf([rule], { action: ENGINE[action], speaks }), call).policy !== undefined;
}

function missedOf(rule: PolicyRule, action: AskedRule["action"], call: SimulatedCall): readonly Missed[] {
  const half = (side: "from" | "to"): readonly Missed[] => {
    const parts = rule[side].map((conditions) =>
      conditions.filter((condition) => {
        const alone = { from: [[]], to: [[]], [side]: [[condition]] };
        return !holds({ ...rule, ...alone }, action, call);
      }),
    );
    // one part that holds is enough
    if (parts.some((missed) => missed.length === 0)) return [];
    return parts.flatMap((missed, index) => missed.map((condition) => missedBy(`${side}[${index}]`, condition, call)));
  };
  return [...half("from"), ...half("to")];
}

function missedBy(part: string, { attribute, values, notValues }: Condition, call: SimulatedCall): Missed {
  const got = valueOf(attribute, call);
  return {
    part,
    attribute,
    ...(values.length === 0 ? {} : { wanted: values }),
    ...(notValues.length === 0 ? {} : { unwanted: notValues }),
    ...(got === undefined ? {} : { got }),
  };
}

/** What the call has for an attribute, for people; undefined: nothing. */
function valueOf(attribute: string, call: SimulatedCall): string | undefined {
  const read = ATTRIBUTES[attribute];
  if (read !== undefined) return read(call);
  const { request } = call;
  const header = /^request\.headers\[(.+)\]$/.exec(attribute)?.[1];
  if (header !== undefined) return request && headerValue(request, header.toLowerCase());
  const path = [...(/^request\.auth\.claims(.*)$/.exec(attribute)?.[1] ?? "").matchAll(/\[([^[\]]*)\]/g)];
  return path.length === 0
    ? undefined
    : claimAt(
        call,
        path.map(([, name = ""]) => name),
      );
}

const ATTRIBUTES: Readonly<Record<string, (call: SimulatedCall) => string | undefined>> = {
  "source.principal": ({ peer }) => peer?.replace("spiffe://", ""),
  "source.namespace": ({ peer }) => identityPart(peer, "ns"),
  "source.trustDomain": ({ peer }) => peer?.split("/")[2],
  "source.serviceAccount": ({ peer }) =>
    peer === undefined ? undefined : `${identityPart(peer, "ns") ?? ""}/${identityPart(peer, "sa") ?? ""}`,
  "source.ip": ({ source }) => source,
  "remote.ip": ({ remote }) => remote,
  "destination.ip": ({ destination }) => destination.address,
  "destination.port": ({ destination }) => String(destination.port),
  "connection.sni": ({ serverName }) => serverName,
  "request.host": ({ request }) => request?.authority,
  "request.method": ({ request }) => request?.method,
  "request.path": ({ request }) => request?.path,
  "request.auth.principal": (call) => {
    const [issuer, subject] = [claimAt(call, ["iss"]), claimAt(call, ["sub"])];
    return issuer === undefined ? undefined : `${issuer}/${subject ?? ""}`;
  },
  "request.auth.audiences": (call) => claimAt(call, ["aud"]),
  "request.auth.presenter": (call) => claimAt(call, ["azp"]),
};

function identityPart(peer: string | undefined, part: "ns" | "sa"): string | undefined {
  return new RegExp(`/${part}/([^/]+)`).exec(peer ?? "")?.[1];
}

function claimAt({ token }: SimulatedCall, path: readonly string[]): string | undefined {
  const value = path.reduce<unknown>(
    (from, key) => (typeof from === "object" && from !== null ? (from as Record<string, unknown>)[key] : undefined),
    token?.claims,
  );
  return value === undefined ? undefined : typeof value === "string" ? value : JSON.stringify(value);
}
