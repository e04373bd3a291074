import type { CountedRequests, LocalLimit, RateAttribute, RateCondition, RateKey } from "../ir/rate-limit.ts";
import { type Messages, typed } from "../wire/codec.ts";
import { seconds } from "./duration.ts";
import { JWT_FILTER, JWT_PAYLOAD } from "./rbac/claims.ts";
import { quoted } from "./rbac/text-match.ts";

type Action = Messages["envoy.config.route.v3.RateLimit.Action"];
type HeaderMatcher = Messages["envoy.config.route.v3.HeaderMatcher"];
type Entry = Messages["envoy.extensions.common.ratelimit.v3.RateLimitDescriptor.Entry"];

/** Key of the entry that names the limit; the first of every descriptor. */
const LIMIT = "limit";
const MATCHED = "yes";
/** Stands for a value that a request does not have. */
const NONE = "-";

/**
 * What makes a limit's descriptor of a request: its name, one entry for its conditions, one for each key. Where a condition does
 * not hold Envoy makes none, and the limit is not asked.
 */
export function limitActions({ name, match, keys }: CountedRequests): readonly Action[] {
  const headers = match.flatMap((condition) => headerMatcher(condition) ?? []);
  const others = match.flatMap((condition) => expressionOf(condition) ?? []);
  return [
    { generic_key: { descriptor_key: LIMIT, descriptor_value: name } },
    ...(headers.length === 0
      ? []
      : [{ header_value_match: { descriptor_key: "request", descriptor_value: MATCHED, headers } }]),
    // an expression that fails makes no descriptor
    ...(others.length === 0 ? [] : [expression("caller", `(${others.join(" && ")}) ? "${MATCHED}" : 1 / 0`)]),
    ...keys.map((key) => keyAction(key)),
  ];
}

/** The descriptor that they make, keys open: as the proxy's own buckets are told it. */
export function limitEntries({ name, match, keys }: CountedRequests): readonly Entry[] {
  const kinds = match.map(({ attribute }) => ofCaller(attribute));
  return [
    { key: LIMIT, value: name },
    ...(kinds.includes(false) ? [{ key: "request", value: MATCHED }] : []),
    ...(kinds.includes(true) ? [{ key: "caller", value: MATCHED }] : []),
    ...keys.map((key) => ({ key: keyName(key) })),
  ];
}

/** Whether an expression asks for it, instead of a match of headers. */
function ofCaller({ kind }: RateAttribute): boolean {
  return kind === "principal" || kind === "claim" || kind === "route";
}

function keyName(key: RateKey): string {
  if (key.kind === "header" || key.kind === "claim") return `${key.kind}:${key.name}`;
  // Envoy's own name for it
  return key.kind === "remote-address" ? "remote_address" : key.kind;
}

function keyAction(key: RateKey): Action {
  const name = keyName(key);
  switch (key.kind) {
    case "header": {
      const header = cel(key.name);
      return expression(name, `${header} in request.headers ? request.headers[${header}] : "${NONE}"`);
    }
    case "claim":
      return {
        metadata: {
          descriptor_key: name,
          metadata_key: { key: JWT_FILTER, path: [{ key: JWT_PAYLOAD }, { key: key.name }] },
          default_value: NONE,
        },
      };
    case "principal":
      return expression(name, `connection.mtls ? connection.uri_san_peer_certificate : "${NONE}"`);
    case "remote-address":
      return { remote_address: {} };
  }
}

function expression(key: string, text: string): Action {
  return {
    extension: {
      name: "envoy.rate_limit_descriptors.expr",
      typed_config: typed("envoy.extensions.rate_limit_descriptors.expr.v3.Descriptor", { descriptor_key: key, text }),
    },
  };
}

/** A condition on the request line or a header; undefined for those on the caller or the route. */
function headerMatcher({ attribute, values }: RateCondition): HeaderMatcher | undefined {
  switch (attribute.kind) {
    case "host":
      return matching(":authority", `(?i)${oneOf(values, ".*")}(:[0-9]+)?`);
    case "method":
      return matching(":method", oneOf(values, ".*"));
    case "path":
      return matching(":path", String.raw`${oneOf(values, "[^?]*")}(\?.*)?`);
    case "header":
      return values.includes("*")
        ? { name: attribute.name, present_match: true }
        : matching(attribute.name, oneOf(values, ".*"));
    case "route":
    case "principal":
    case "claim":
      return undefined;
  }
}

function matching(name: string, regex: string): HeaderMatcher {
  return { name, string_match: { safe_regex: { regex } } };
}

/** The values as one regular expression; a star at an end stands for `any`. */
function oneOf(values: readonly string[], any: string): string {
  const parts = values.map((value) => {
    if (value === "*") return any;
    if (value.startsWith("*")) return `${any}${quoted(value.slice(1))}`;
    return value.endsWith("*") ? `${quoted(value.slice(0, -1))}${any}` : quoted(value);
  });
  return `(${parts.join("|")})`;
}

/** A condition on the caller or the route in CEL; undefined for others. What is missing makes the expression fail. */
function expressionOf({ attribute, values }: RateCondition): string | undefined {
  if (attribute.kind === "claim") {
    const claim = `metadata.filter_metadata[${cel(JWT_FILTER)}][${cel(JWT_PAYLOAD)}][${cel(attribute.name)}]`;
    return `(${values.map((value) => compared(claim, value, "")).join(" || ")})`;
  }
  if (attribute.kind === "route")
    return `(${values.map((value) => compared("xds.route_name", value, "")).join(" || ")})`;
  if (attribute.kind !== "principal") return undefined;
  const name = "connection.uri_san_peer_certificate";
  return `(connection.mtls && (${values.map((value) => compared(name, value, "spiffe://")).join(" || ")}))`;
}

function compared(what: string, value: string, prefix: string): string {
  if (value === "*") return `${what} != ""`;
  if (value.startsWith("*")) return `${what}.endsWith(${cel(value.slice(1))})`;
  return value.endsWith("*")
    ? `${what}.startsWith(${cel(prefix + value.slice(0, -1))})`
    : `${what} == ${cel(prefix + value)}`;
}

/** A text of a user as a literal of CEL: only plain characters stand for themselves. */
function cel(text: string): string {
  const escaped = text.replaceAll(
    /[^\w .:/@%+=,;~!?#$&*()[\]{}<>|^-]/gu,
    (char) => `\\U${(char.codePointAt(0) ?? 0).toString(16).padStart(8, "0")}`,
  );
  return `"${escaped}"`;
}

/** `ratelimit.shop.cart`: metrics are `ratelimit_shop_cart_http_local_rate_limit_rate_limited`. */
export function statPrefix(policy: string): string {
  return `ratelimit.${policy.replace("/", ".")}`;
}

/** Of a limit that the proxy counts. */
export function tokenBucket(limit: LocalLimit): Messages["envoy.type.v3.TokenBucket"] {
  return {
    max_tokens: limit.maxTokens,
    tokens_per_fill: limit.tokensPerFill,
    fill_interval: seconds(limit.fillIntervalMs),
  };
}

/** A percentage that nothing overrides at run time; Envoy wants a name for it. */
export function share(key: string, percent: number): Messages["envoy.config.core.v3.RuntimeFractionalPercent"] {
  return { default_value: { numerator: percent, denominator: "HUNDRED" }, runtime_key: key };
}
