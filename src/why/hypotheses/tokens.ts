import type { KindTypes } from "../../resources/kinds.ts";
import type { Facts, Guess, Hypothesis } from "../types.ts";
import { envoy, logged, object, refTo, some } from "../words.ts";

/** A token is there and is not taken (jwt_authn): too old, of another issuer or for another audience, not signed by the issuer's keys. */
export const tokens: Hypothesis = {
  name: "tokens",
  codes: ["token-expired", "token-issuer", "token-audience", "token-signature", "keys-unreachable"],
  guess(facts) {
    const words = /jwt_authn_access_denied\{([^}]*)\}/.exec(facts.symptom.details ?? "")?.[1];
    if (words === undefined) return [];
    const said = words.replaceAll("_", " ");
    if (/expired|not yet valid/i.test(said)) return each(facts, said, EXPIRED);
    if (/issuer is not configured/i.test(said)) return each(facts, said, ISSUER);
    if (/audiences/i.test(said)) return each(facts, said, AUDIENCE);
    if (/doesn't have key|Jwks.*(fetch|missing|empty|not found)/i.test(said))
      return [...each(facts, said, KEYS), ...each(facts, said, SIGNATURE).map(less)];
    return each(facts, said, SIGNATURE);
  },
};

type Rule = NonNullable<NonNullable<KindTypes["RequestAuthentication"]["spec"]>["jwtRules"]>[number];

interface Kind {
  readonly code: string;
  /** The field below the rule; "": the rule; undefined: the list of rules. */
  readonly field: string | undefined;
  readonly fits: (rule: Rule, facts: Facts) => boolean;
  readonly says: (rules: readonly Rule[]) => string;
  readonly fix: string;
}

const issuers = (rules: readonly Rule[]): string => some(rules.map(({ issuer = "" }) => issuer));

const EXPIRED: Kind = {
  code: "token-expired",
  field: undefined,
  fits: () => true,
  says: () => "the token's times (exp, nbf) do not hold now",
  fix: "Ask the issuer for a new token; compare the clocks of issuer and cluster.",
};
const ISSUER: Kind = {
  code: "token-issuer",
  field: undefined,
  fits: () => true,
  says: (rules) => `it takes tokens of ${issuers(rules)}, and the token is of another issuer`,
  fix: "Add the token's issuer (claim iss) to jwtRules.",
};
const AUDIENCE: Kind = {
  code: "token-audience",
  field: "audiences",
  fits: ({ audiences = [] }) => audiences.length > 0,
  says: (rules) =>
    `it takes tokens for ${some(rules.flatMap(({ audiences = [] }) => audiences))}, and the token is for others`,
  fix: "Add the token's audience (claim aud), or ask the issuer for a token for one of these.",
};
const SIGNATURE: Kind = {
  code: "token-signature",
  field: "",
  fits: (rule, facts) => !hasNoKeys(rule, facts),
  says: (rules) => `the keys of ${issuers(rules)} do not verify the token's signature`,
  fix: "Look whether the token was changed, or signed with a key that the issuer's keys no longer have.",
};
const KEYS: Kind = {
  code: "keys-unreachable",
  field: "jwksUri",
  fits: hasNoKeys,
  says: (rules) =>
    `the keys at ${some(rules.map(({ jwksUri = "" }) => jwksUri))} could not be fetched, so no token is taken`,
  fix: "Look whether the control plane reaches the address, and whether it answers with a key set.",
};

/** What stands for keys that the control plane could not fetch (compile/security/token-rules.ts). */
const UNFETCHED = '"kid":"nobody"';

/** Whether the proxy holds no usable key for a rule whose keys are fetched. */
function hasNoKeys({ jwksUri = "", issuer = "" }: Rule, { proxy }: Facts): boolean {
  if (jwksUri === "") return false;
  const keys = providersOf(proxy.config).filter((provider) => provider.issuer === issuer);
  return keys.some(({ keys: text }) => text.includes(UNFETCHED));
}

/** Issuers and their keys as the listeners of the proxy have them. */
function providersOf(config: Facts["proxy"]["config"]): readonly { readonly issuer: string; readonly keys: string }[] {
  const found: { issuer: string; keys: string }[] = [];
  const look = (value: unknown): void => {
    if (Array.isArray(value)) for (const item of value as readonly unknown[]) look(item);
    else if (typeof value === "object" && value !== null) {
      const { issuer, local_jwks: keys } = value as { readonly issuer?: unknown; readonly local_jwks?: unknown };
      if (typeof issuer === "string" && keys !== undefined) found.push({ issuer, keys: textOf(keys) });
      for (const item of Object.values(value)) look(item);
    }
  };
  look(config.listeners());
  return found;
}

function textOf(keys: unknown): string {
  const { inline_string: text, inline_bytes: bytes } = keys as {
    readonly inline_string?: string;
    readonly inline_bytes?: string;
  };
  return text ?? (bytes === undefined ? "" : Buffer.from(bytes, "base64").toString());
}

function less(guess: Guess): Guess {
  return { ...guess, weight: guess.weight - 30 };
}

/** A guess for each RequestAuthentication that holds for the workload and has a rule that fits; several are less sure. */
function each(facts: Facts, said: string, kind: Kind): readonly Guess[] {
  const { model, proxy } = facts;
  const found = model.requestAuthentications.effective(proxy).flatMap((policy) => {
    const rules = (policy.spec?.jwtRules ?? [])
      .map((rule, index) => ({ rule, index }))
      .filter(({ rule }) => kind.fits(rule, facts));
    return rules.length === 0 ? [] : [{ policy, rules }];
  });
  return found.map(({ policy, rules }) => {
    const ref = refTo(policy);
    const at = `spec.jwtRules[${rules[0]?.index ?? 0}]`;
    return {
      code: kind.code,
      object: ref,
      field: kind.field === undefined ? "spec.jwtRules" : kind.field === "" ? at : `${at}.${kind.field}`,
      says: kind.says(rules.map(({ rule }) => rule)),
      evidence: [
        logged(facts),
        envoy(proxy, said),
        object(ref, `its issuers are ${issuers(rules.map(({ rule }) => rule))}`),
      ],
      fix: kind.fix,
      weight: found.length === 1 ? 94 : 60,
    };
  });
}
