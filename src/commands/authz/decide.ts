import type { ProxyConfig } from "../../ir/config.ts";
import type { Proxy } from "../../ir/proxy.ts";
import type { PolicyRule } from "../../ir/security.ts";
import { type AuthorizationStep, type AuthorizationWalk, walkAuthorization } from "../../simulate/authorization.ts";
import type { SimulatedCall } from "../../simulate/rbac.ts";
import type { OfflineMesh } from "../offline/mesh.ts";
import { shortName } from "../offline/proxies.ts";
import { viewOf } from "../trace/view.ts";
import { type Arrival, doorOf } from "./arrive.ts";
import type { AskedCall } from "./asked.ts";
import { type Explained, explainRules } from "./explain.ts";
import { placeNamed, placeOf, type RulePlace, rulesOf } from "./rules.ts";

/** One thing that a policy, or the lack of one, said. Without a place: no rule matched. */
export interface Reason extends Partial<RulePlace> {
  readonly action: AuthorizationStep["action"];
  readonly effect: AuthorizationStep["effect"];
  readonly dryRun?: boolean;
  /** Of a token that is refused: what is wrong with it. */
  readonly why?: string;
}

/** What becomes of the call, and why. */
export interface Decision {
  readonly to: string;
  readonly port: number;
  readonly decision: "allow" | "deny" | "ask" | "reset";
  /** HTTP status when refused; absent for connections and what passes. */
  readonly status?: number;
  readonly reasons: readonly Reason[];
  /** Every rule that the proxy has, with what the call misses; only of `authz explain`. */
  readonly rules?: readonly Explained[];
}

/** What is to be told of a call, and by what its proxy's filters are known; default: by what it would get. */
export interface Judging {
  readonly explain?: boolean;
  readonly views?: typeof viewOf;
}

/** Decides calls to one server by the very filters that its proxy gets, or has. */
export function judgeOf(
  mesh: OfflineMesh,
  server: Proxy,
  { explain = false, views = viewOf }: Judging = {},
): (asked: AskedCall) => Decision {
  const arrive = doorOf(mesh, server, views);
  return (asked) => decided(mesh, { server, arrival: arrive(asked), asked, explain });
}

interface Arrived {
  readonly server: Proxy;
  readonly arrival: Arrival;
  readonly asked: AskedCall;
  readonly explain: boolean;
}

/** A call that arrived, decided. `reset`: mutual TLS refuses the connection before any policy. */
function decided(
  { positionOf }: Pick<OfflineMesh, "positionOf">,
  { server, arrival, asked, explain }: Arrived,
): Decision {
  const at = { to: `${shortName(server)}.${server.namespace}`, port: asked.port };
  if (arrival.leads === "nothing") return { ...at, decision: "reset", reasons: [] };
  const call = callOf(arrival, asked);
  if (call === undefined) return { ...at, decision: "deny", status: 400, reasons: [] };
  const walk = walkAuthorization(arrival.filters, call, asked.now);
  const { decision, status } = walk;
  const rules = explain ? { rules: explainRules(rulesOf(arrival.config), walk.call, positionOf) } : {};
  const reasons = reasonsOf(walk, arrival.config, positionOf);
  return { ...at, decision, ...(status === undefined ? {} : { status }), reasons, ...rules };
}

/** The call as the filters of its chain see it; undefined when its path is refused before them. */
function callOf(
  { identified, destination, request }: Arrival,
  { principal, sourceIp, remoteIp, claims }: AskedCall,
): SimulatedCall | undefined {
  if (request === "refused") return undefined;
  return {
    peer: principal === undefined || !identified ? undefined : `spiffe://${principal}`,
    source: sourceIp,
    remote: remoteIp,
    destination,
    serverName: undefined,
    request,
    ...(claims === undefined ? {} : { token: { claims, signed: true } }),
  };
}

/** What was said on the way through the filters, with the policies' places. */
export function reasonsOf(
  { steps }: AuthorizationWalk,
  config: ProxyConfig,
  positionOf: OfflineMesh["positionOf"],
): readonly Reason[] {
  const rules = new Map(rulesOf(config).map(({ rule }) => [rule.name, rule]));
  return steps.map((step) => reasonOf(step, rules, positionOf));
}

function reasonOf(
  { action, effect, dryRun, policy, why }: AuthorizationStep,
  rules: ReadonlyMap<string, PolicyRule>,
  positionOf: OfflineMesh["positionOf"],
): Reason {
  const rule = policy === undefined ? undefined : rules.get(policy);
  const said = { action, effect, ...(dryRun ? { dryRun } : {}), ...(why === undefined ? {} : { why: WRONG[why] }) };
  return rule === undefined ? { ...said, ...placeNamed(policy) } : { ...said, ...placeOf(rule, positionOf) };
}

const WRONG: Readonly<Record<NonNullable<AuthorizationStep["why"]>, string>> = {
  issuer: "no rule names its issuer",
  time: "it is not valid now",
  audience: "it is for another audience",
  signature: "the issuer's keys do not verify it",
};
