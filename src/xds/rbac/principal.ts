import type { Messages } from "../../wire/codec.ts";
import { cidrRange } from "./cidr.ts";
import { bracketed, claim } from "./claims.ts";
import { requestPrincipal } from "./request-principal.ts";
import { headerMatch, quoted, type StringMatcher, textMatch, wildcardRegex } from "./text-match.ts";

type Principal = Messages["envoy.config.rbac.v3.Principal"];

/**
 * What a caller has to be for one value of an attribute, as Envoy asks it; undefined when it cannot be asked: of bytes that
 * are no HTTP, or for a value or attribute that makes no sense. Identity is the URI in the certificate, nothing else.
 */
export function principalOf(attribute: string, value: string, speaks: "http" | "tcp"): Principal | undefined {
  const ofConnection = CONNECTION[attribute];
  if (ofConnection !== undefined) return ofConnection(value);
  return speaks === "tcp" ? undefined : requestAttribute(attribute, value);
}

const CONNECTION: Readonly<Record<string, (value: string) => Principal | undefined>> = {
  "source.principal": (value) => identity(principalMatch(value)),
  "source.namespace": (value) => identity({ safe_regex: { regex: `.*/ns/${wildcardRegex(value, ".*")}/.*` } }),
  "source.serviceAccount": (value) => identity({ safe_regex: { regex: accountRegex(value) } }),
  "source.trustDomain": (value) => identity(trustDomainMatch(value)),
  "source.ip": (value) => {
    const range = cidrRange(value);
    return range && { direct_remote_ip: range };
  },
  "remote.ip": (value) => {
    const range = cidrRange(value);
    return range && { remote_ip: range };
  },
};

const HEADERS = "request.headers";
const CLAIMS = "request.auth.claims";

function requestAttribute(attribute: string, value: string): Principal | undefined {
  switch (attribute) {
    case "request.auth.principal":
      return requestPrincipal(value);
    case "request.auth.audiences":
      return { metadata: claim(["aud"], textMatch(value)) };
    case "request.auth.presenter":
      return { metadata: claim(["azp"], textMatch(value)) };
  }
  if (attribute.startsWith(HEADERS)) {
    const name = bracketedWhole(attribute.slice(HEADERS.length));
    return name === undefined ? undefined : { header: headerMatch(name, value, false) };
  }
  if (!attribute.startsWith(CLAIMS)) return undefined;
  const path = bracketed(attribute.slice(CLAIMS.length));
  return path === undefined ? undefined : { metadata: claim(path, textMatch(value)) };
}

function bracketedWhole(text: string): string | undefined {
  return text.startsWith("[") && text.endsWith("]") ? text.slice(1, -1) : undefined;
}

function identity(match: StringMatcher): Principal {
  return { authenticated: { principal_name: match } };
}

function principalMatch(value: string): StringMatcher {
  if (value !== "*" && value.startsWith("*")) return { safe_regex: { regex: `spiffe://.*${quoted(value.slice(1))}` } };
  const match = textMatch(value);
  if (match.prefix !== undefined) return { prefix: `spiffe://${match.prefix}` };
  return match.exact === undefined ? match : { exact: `spiffe://${match.exact}` };
}

/** `namespace/account` */
function accountRegex(value: string): string {
  const slash = value.indexOf("/");
  return `spiffe://.+/ns/${quoted(value.slice(0, slash))}/(.+/|)sa/${quoted(value.slice(slash + 1))}(/.+)?`;
}

function trustDomainMatch(value: string): StringMatcher {
  if (value === "*") return { prefix: "spiffe://" };
  if (!value.includes("*")) return { prefix: `spiffe://${value}/` };
  const star = value.indexOf("*");
  return {
    safe_regex: { regex: `spiffe://${quoted(value.slice(0, star))}[^/]*${quoted(value.slice(star + 1))}/.*` },
  };
}
