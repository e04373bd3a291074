import type { Authorization, Condition, PolicyRule } from "../../ir/security.ts";
import { cidrRange } from "./cidr.ts";

/**
 * What is known of a condition from the connection alone, as CEL: it surely holds where `lower` does, and surely not where
 * `upper` does not. What cannot be asked so is `false` and `true`.
 */
interface Bounds {
  readonly lower: string;
  readonly upper: string;
}

const UNKNOWN: Bounds = { lower: "false", upper: "true" };
const PEER = "connection.uri_san_peer_certificate";

/**
 * CEL that holds for connections that the rules surely refuse, as far as that is known when the handshake is done;
 * undefined when no rule refuses anything. The RBAC filter judges at the client's first byte: too late for a server that
 * speaks first. What is unknown here is left to it.
 */
export function surelyRefused({ allow, deny }: Authorization, mutualTls: boolean): string | undefined {
  const denied = (deny?.enforced ?? []).map((rule) => ruleBounds(rule, "DENY", mutualTls).lower);
  const allowed = allow?.enforced?.map((rule) => ruleBounds(rule, "ALLOW", mutualTls).upper);
  const parts = [some(denied), ...(allowed === undefined ? [] : [not(some(allowed))])];
  const refused = some(parts);
  return refused === "false" ? undefined : refused;
}

function ruleBounds({ from, to }: PolicyRule, action: "ALLOW" | "DENY", mutualTls: boolean): Bounds {
  const half = (parts: readonly (readonly Condition[])[]): Bounds => {
    const bounds = parts.map((conditions) =>
      conditions.map((condition) => conditionBounds(condition, action, mutualTls)),
    );
    return {
      lower: some(bounds.map((list) => every(list.map(({ lower }) => lower)))),
      upper: some(bounds.map((list) => every(list.map(({ upper }) => upper)))),
    };
  };
  const [callers, targets] = [half(from), half(to)];
  return { lower: every([callers.lower, targets.lower]), upper: every([callers.upper, targets.upper]) };
}

function conditionBounds(
  { attribute, values, notValues }: Condition,
  action: "ALLOW" | "DENY",
  mutualTls: boolean,
): Bounds {
  // as in engine.ts: what cannot be asked of bytes holds for nobody in ALLOW and is left out of DENY
  if (attribute.startsWith("request.")) {
    const holds = String(action !== "ALLOW");
    return { lower: holds, upper: holds };
  }
  const one = (value: string): Bounds => valueBounds(attribute, value, mutualTls);
  const [wanted, unwanted] = [values.map(one), notValues.map(one)];
  const positive = (side: keyof Bounds): string => (values.length === 0 ? "true" : some(wanted.map((b) => b[side])));
  return {
    lower: every([positive("lower"), not(some(unwanted.map(({ upper }) => upper)))]),
    upper: every([positive("upper"), not(some(unwanted.map(({ lower }) => lower)))]),
  };
}

function valueBounds(attribute: string, value: string, mutualTls: boolean): Bounds {
  if (!SAFE.test(value)) return UNKNOWN;
  const ofPeer = IDENTITY[attribute];
  // without mutual TLS nobody has an identity
  if (ofPeer !== undefined) return mutualTls ? ofPeer(value) : exactly("false");
  if (attribute === "source.ip") return addressBounds(value);
  if (attribute === "destination.port") return /^\d+$/.test(value) ? exactly(`destination.port == ${value}`) : UNKNOWN;
  return UNKNOWN;
}

/** Texts that mean themselves inside of CEL and of Envoy's format strings. */
const SAFE = /^[A-Za-z0-9_.:/*@-]*$/;

const IDENTITY: Readonly<Record<string, (value: string) => Bounds>> = {
  "source.principal": principalBounds,
  "source.namespace": (value) => (value.includes("*") ? UNKNOWN : exactly(`${PEER}.contains('/ns/${value}/')`)),
  "source.trustDomain": (value) =>
    value.includes("*") ? UNKNOWN : exactly(`${PEER}.startsWith('spiffe://${value}/')`),
  "source.serviceAccount": (value) => {
    const slash = value.indexOf("/");
    const [namespace, account] = [value.slice(0, slash), value.slice(slash + 1)];
    return {
      lower: `${PEER}.endsWith('/ns/${namespace}/sa/${account}')`,
      upper: `${PEER}.contains('/ns/${namespace}/') && ${PEER}.contains('/sa/${account}')`,
    };
  },
};

function principalBounds(value: string): Bounds {
  if (value === "*") return exactly(`${PEER} != ''`);
  if (value.startsWith("*")) return exactly(`${PEER}.startsWith('spiffe://') && ${PEER}.endsWith('${value.slice(1)}')`);
  if (value.endsWith("*")) return exactly(`${PEER}.startsWith('spiffe://${value.slice(0, -1)}')`);
  return exactly(`${PEER} == 'spiffe://${value}'`);
}

/** Ranges of IPv4 that end at a dot are prefixes of the text; CEL in Envoy knows no ranges. */
function addressBounds(value: string): Bounds {
  const { address_prefix = "", prefix_len = 0 } = cidrRange(value) ?? {};
  if (!/^\d+(?:\.\d+){3}$/.test(address_prefix) || prefix_len === 0 || prefix_len % 8 !== 0) return UNKNOWN;
  const start = address_prefix
    .split(".")
    .slice(0, prefix_len / 8)
    .join(".");
  return exactly(`source.address.startsWith('${start}${prefix_len === 32 ? ":" : "."}')`);
}

function exactly(cel: string): Bounds {
  return { lower: cel, upper: cel };
}

function every(parts: readonly string[]): string {
  const left = parts.filter((part) => part !== "true");
  if (left.includes("false")) return "false";
  return left.length === 0 ? "true" : left.length === 1 ? (left[0] ?? "") : left.map(bracket).join(" && ");
}

function some(parts: readonly string[]): string {
  const left = parts.filter((part) => part !== "false");
  if (left.includes("true")) return "true";
  return left.length === 0 ? "false" : left.length === 1 ? (left[0] ?? "") : left.map(bracket).join(" || ");
}

function not(part: string): string {
  return part === "true" ? "false" : part === "false" ? "true" : `!(${part})`;
}

function bracket(part: string): string {
  return `(${part})`;
}
