import type { Messages } from "../wire/codec.ts";
import { judgeToken } from "./jwt.ts";
import { metadataCheck } from "./metadata-match.ts";
import { judgeRbac, type Rbac, type SimulatedCall } from "./rbac.ts";
import type { SimulatedRequest } from "./request.ts";

type HttpFilter = Messages["envoy.extensions.filters.network.http_connection_manager.v3.HttpFilter"];
type NetworkFilter = Messages["envoy.config.listener.v3.Filter"];
type Filters = readonly (HttpFilter | NetworkFilter)[];
type Jwt = Messages["envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication"];
type MetadataMatcher = Messages["envoy.type.matcher.v3.MetadataMatcher"];

/** What one filter said. */
export interface AuthorizationStep {
  /** `ask`: the external authorizer is asked; `note`: marked for logs; `none`: nothing matched and nothing had to. */
  readonly effect: "allow" | "deny" | "ask" | "note" | "none";
  /** `JWT`: the token was judged. */
  readonly action: "ALLOW" | "DENY" | "LOG" | "CUSTOM" | "JWT";
  /** Name of the policy's rule in Envoy that matched; undefined: none did. */
  readonly policy: string | undefined;
  /** Said by rules that are only tried out: nothing follows. */
  readonly dryRun: boolean;
  /** Of a token that is refused. */
  readonly why?: "issuer" | "time" | "audience" | "signature";
}

export interface AuthorizationWalk {
  /** `ask`: it depends on the external authorizer; nothing else refuses. */
  readonly decision: "allow" | "deny" | "ask";
  /** HTTP status of a refusal; undefined for connections and what is not refused. */
  readonly status: number | undefined;
  /** In the order of the filters, up to the one that refuses. */
  readonly steps: readonly AuthorizationStep[];
  /** The call with what filters left on it. */
  readonly call: SimulatedCall;
}

/** The way of a call through the filters of a chain that may refuse it, HTTP's or a connection's. `now`: seconds, for tokens. */
export function walkAuthorization(filters: Filters, call: SimulatedCall, now: number): AuthorizationWalk {
  const steps: AuthorizationStep[] = [];
  const marks: Record<string, unknown> = {};
  let judged = call;
  for (const filter of filters) {
    const config = (filter.typed_config ?? {}) as unknown as RbacFilter &
      ExtAuthzFilter &
      Jwt & { readonly "@type"?: string };
    const type = config["@type"] ?? "";
    if (type.endsWith(".ext_authz.v3.ExtAuthz")) steps.push(...asked(config, marks));
    if (type.endsWith(".jwt_authn.v3.JwtAuthentication")) {
      const verdict = withToken(config, judged, now);
      if ("refused" in verdict)
        return { decision: "deny", status: verdict.status, steps: [...steps, verdict.refused], call: judged };
      judged = verdict.call;
      if (verdict.isTaken) steps.push({ effect: "allow", action: "JWT", policy: undefined, dryRun: false });
    }
    if (!type.endsWith(".rbac.v3.RBAC")) continue;
    const said = rbacSteps(config, judged, marks);
    steps.push(...said);
    if (said.some(({ effect, dryRun }) => effect === "deny" && !dryRun))
      return { decision: "deny", status: call.request === undefined ? undefined : 403, steps, call: judged };
  }
  const decision = steps.some(({ effect }) => effect === "ask") ? "ask" : "allow";
  return { decision, status: undefined, steps, call: judged };
}

/** The external authorizer, when the rules before it marked the call. */
function asked(
  { filter_enabled_metadata: enabled }: ExtAuthzFilter,
  marks: Readonly<Record<string, unknown>>,
): readonly AuthorizationStep[] {
  if (enabled === undefined || metadataCheck(enabled, { [enabled.filter ?? ""]: marks }) !== undefined) return [];
  return [{ effect: "ask", action: "CUSTOM", policy: String(marks[MARK]), dryRun: false }];
}

/** The call with what its token leaves for the rules behind. */
function withToken(
  config: Jwt,
  call: SimulatedCall,
  now: number,
):
  | { readonly call: SimulatedCall; readonly isTaken: boolean }
  | { readonly refused: AuthorizationStep; readonly status: number } {
  const { token, request } = call;
  if (token === undefined || request === undefined) return { call, isTaken: false };
  if (config.bypass_cors_preflight === true && isPreflight(request)) return { call, isTaken: false };
  const verdict = judgeToken(config, token, now);
  if ("status" in verdict) {
    const { status, why } = verdict;
    return { status, refused: { effect: "deny", action: "JWT", policy: undefined, dryRun: false, why } };
  }
  const metadata = { ...request.metadata, ...verdict.metadata };
  return { call: { ...call, request: { ...request, metadata } }, isTaken: true };
}

function isPreflight({ method, headers }: SimulatedRequest): boolean {
  const has = (name: string): boolean => headers.some(([own, value]) => own === name && value !== "");
  return method === "OPTIONS" && has("origin") && has("access-control-request-method");
}

interface RbacFilter {
  readonly rules?: Rbac;
  readonly shadow_rules?: Rbac;
  readonly shadow_rules_stat_prefix?: string;
}

interface ExtAuthzFilter {
  readonly filter_enabled_metadata?: MetadataMatcher;
}

/** Prefixes of rules that are not tried out: they leave what they match for the authorizer, and for access logs. */
const CUSTOM = "istio_ext_authz_";
const AUDIT = "istio_audit_";
const MARK = `${CUSTOM}shadow_effective_policy_id`;

function rbacSteps(
  { rules, shadow_rules: shadow, shadow_rules_stat_prefix: prefix = "" }: RbacFilter,
  call: SimulatedCall,
  metadata: Record<string, unknown>,
): readonly AuthorizationStep[] {
  const steps: AuthorizationStep[] = [];
  if (shadow !== undefined) {
    const { policy } = judgeRbac(shadow, call);
    if (policy !== undefined) metadata[`${prefix}shadow_effective_policy_id`] = policy;
    if (prefix !== CUSTOM && prefix !== AUDIT) steps.push({ ...stepOf(shadow, call), dryRun: true });
  }
  if (rules !== undefined) steps.push(stepOf(rules, call));
  return steps;
}

function stepOf(rbac: Rbac, call: SimulatedCall): AuthorizationStep {
  const { refused, policy } = judgeRbac(rbac, call);
  const action = rbac.action ?? "ALLOW";
  const matched = action === "LOG" ? "note" : "allow";
  const effect = refused ? "deny" : policy === undefined ? "none" : matched;
  return { effect, action, policy, dryRun: false };
}
