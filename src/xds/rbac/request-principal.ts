import type { Messages } from "../../wire/codec.ts";
import { textClaim } from "./claims.ts";
import { type StringMatcher, textMatch } from "./text-match.ts";

type Principal = Messages["envoy.config.rbac.v3.Principal"];

const ANY: StringMatcher = { safe_regex: { regex: ".+" } };

/** A token's `issuer/subject`; the subject is what follows the last slash, since an issuer is mostly a URL. */
export function requestPrincipal(value: string): Principal {
  const { issuer, subject } = parts(value);
  return { and_ids: { ids: [{ metadata: textClaim("iss", issuer) }, { metadata: textClaim("sub", subject) }] } };
}

function parts(value: string): { readonly issuer: StringMatcher; readonly subject: StringMatcher } {
  if (value === "*") return { issuer: ANY, subject: ANY };
  const slash = value.lastIndexOf("/");
  const [issuer, subject] = [value.slice(0, slash), value.slice(slash + 1)];
  if (value.startsWith("*")) {
    if (slash < 0) return { issuer: ANY, subject: { suffix: value.slice(1) } };
    return { issuer: textMatch(issuer), subject: { exact: subject } };
  }
  if (value.endsWith("*")) {
    if (slash < 0) return { issuer: { prefix: value.slice(0, -1) }, subject: ANY };
    return { issuer: { exact: issuer }, subject: textMatch(subject) };
  }
  return slash < 0
    ? { issuer: { exact: value }, subject: { exact: "" } }
    : { issuer: { exact: issuer }, subject: { exact: subject } };
}
