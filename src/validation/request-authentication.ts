import type { FieldPath } from "../diagnostics/finding.ts";
import type { RequestAuthenticationJwtRule, RequestAuthenticationSpec } from "../gen/schema-types.ts";
import type { Rules } from "./rule.ts";
import { jwksProblem, privateKeys } from "./shared/jwks.ts";
import { targetRules } from "./shared/targets.ts";
import { checkDuration, isGiven } from "./shared/values.ts";

/** Rules of RequestAuthentication. */
export const requestAuthenticationRules: Rules<RequestAuthenticationSpec> = [
  ...targetRules<RequestAuthenticationSpec>("request-authentication"),
  {
    name: "request-authentication-issuer",
    holds: "An issuer has a name, or an address of keys.",
    severity: "error",
    check: (spec, report) =>
      eachJwt(spec, (rule, path) => {
        if (!isGiven(rule.issuer) && !isGiven(uriOf(rule)))
          report([...path, "issuer"], "issuer is missing", "Add issuer, or jwksUri.");
      }),
  },
  {
    name: "request-authentication-keys",
    holds: "Keys come by address or as text, not both.",
    severity: "error",
    check: (spec, report) =>
      eachJwt(spec, (rule, path) => {
        if (isGiven(uriOf(rule)) && isGiven(rule.jwks))
          report([...path, "jwks"], "jwks and jwksUri exclude each other", "Keep one of them.");
      }),
  },
  {
    name: "request-authentication-keys-address",
    holds: "The address of keys is http or https.",
    severity: "error",
    check: (spec, report) =>
      eachJwt(spec, (rule, path) => {
        const uri = uriOf(rule);
        if (isGiven(uri) && !isHttpAddress(uri))
          report([...path, "jwksUri"], `"${uri}" is no http or https address`, "Write https://HOST/PATH.");
      }),
  },
  {
    name: "request-authentication-keys-text",
    holds: "Keys given as text are a JSON Web Key Set, or one key.",
    severity: "error",
    check: (spec, report) =>
      eachJwt(spec, ({ jwks }, path) => {
        const problem = isGiven(jwks) ? jwksProblem(jwks) : undefined;
        if (problem !== undefined)
          report([...path, "jwks"], `no JSON Web Key Set: ${problem}`, 'Write {"keys": [...]}.');
      }),
  },
  {
    name: "request-authentication-keys-private",
    holds: "Keys given as text are public.",
    severity: "warning",
    check: (spec, report) =>
      eachJwt(spec, ({ jwks }, path) => {
        for (const index of isGiven(jwks) ? privateKeys(jwks) : [])
          report(
            [...path, "jwks"],
            `key ${index} is a private or secret key; only public ones are used`,
            "Take it out.",
          );
      }),
  },
  {
    name: "request-authentication-timeout",
    holds: "The time for fetching keys is whole milliseconds.",
    severity: "error",
    check: (spec, report) => eachJwt(spec, ({ timeout }, path) => checkDuration(timeout, [...path, "timeout"], report)),
  },
];

function eachJwt(
  spec: RequestAuthenticationSpec,
  visit: (rule: RequestAuthenticationJwtRule, path: FieldPath) => void,
): void {
  for (const [index, rule] of (spec.jwtRules ?? []).entries()) visit(rule, ["jwtRules", index]);
}

function uriOf(rule: RequestAuthenticationJwtRule): string | undefined {
  return rule.jwksUri ?? rule.jwks_uri;
}

function isHttpAddress(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname } = new URL(text);
  return (protocol === "http:" || protocol === "https:") && hostname !== "";
}
