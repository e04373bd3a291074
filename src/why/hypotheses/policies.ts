import type { Facts, Guess, Hypothesis, PolicyVerdict } from "../types.ts";
import { kubernetes, logged, object, refNamed, refTo, some } from "../words.ts";

/** An AuthorizationPolicy refuses the request: a DENY rule matches, or ALLOW rules are there and none does. */
export const policies: Hypothesis = {
  name: "authorization",
  codes: ["denied", "not-allowed", "token-missing", "authorizer-unreachable", "authorizer-refused"],
  guess(facts) {
    const { symptom } = facts;
    const refused = /rbac_access_denied_matched_policy\[(.*)\]$/.exec(
      symptom.details ?? symptom.terminationDetails ?? "",
    )?.[1];
    if (refused !== undefined) return refused === "none" ? notAllowed(facts) : matched(facts, refused);
    return symptom.flags.includes("UAEX") ? authorizer(facts) : [];
  },
};

/** The rule that Envoy names: `ns[shop]-policy[viewer]-rule[0]`. */
function matched(facts: Facts, name: string): readonly Guess[] {
  const rule = /ns\[([^\]]*)\]-policy\[([^\]]*)\]-rule\[(\d+)\]/.exec(name);
  if (rule === null) return [];
  const [, namespace = "", policy = "", index = "0"] = rule;
  const ref = { kind: "AuthorizationPolicy", namespace, name: policy };
  const provider = facts.model.world.get("AuthorizationPolicy", namespace, policy)?.spec?.provider?.name;
  if (name.startsWith("istio-ext-authz-") && provider !== undefined) return [unusable(facts, ref, provider)];
  return [
    {
      code: "denied",
      object: ref,
      field: `spec.rules[${index}]`,
      says: "its rule matches, and its action is DENY",
      evidence: [
        logged(facts),
        { from: `Envoy of ${facts.proxy.name}`, says: `rule ${index} of the policy refused the request` },
      ],
      fix: "Make the rule match less, or call from where it does not match.",
      weight: 97,
    },
  ];
}

/** The provider cannot be asked: its service is nowhere. */
function unusable(facts: Facts, policy: Guess["object"], provider: string): Guess {
  const known = providersOf(facts).find(({ name }) => name === provider);
  const service = known?.service;
  return {
    code: "authorizer-unreachable",
    object: policy,
    field: "spec.provider.name",
    says:
      known === undefined
        ? `it asks provider ${provider}, which the mesh configuration does not have`
        : `it asks provider ${provider}, whose service ${service ?? ""} is not in the mesh: everything is refused`,
    evidence: [
      logged(facts),
      known === undefined
        ? kubernetes(`extensionProviders has ${some(providersOf(facts).map(({ name }) => name))}`)
        : kubernetes(`no Service or ServiceEntry has host ${service ?? ""}`),
    ],
    fix: "Create the service, or name a provider that is there.",
    weight: 95,
  };
}

function providersOf({ model }: Facts): readonly { readonly name: string; readonly service: string | undefined }[] {
  const { extensionProviders } = model.meshConfig() as { readonly extensionProviders?: unknown };
  const all = Array.isArray(extensionProviders)
    ? (extensionProviders as readonly Readonly<Record<string, unknown>>[])
    : [];
  return all.map((provider) => {
    const config = Object.values(provider).find((value) => typeof value === "object" && value !== null) as
      | { readonly service?: string }
      | undefined;
    return { name: typeof provider["name"] === "string" ? provider["name"] : "", service: config?.service };
  });
}

/** Conditions that say about which requests a rule is, rather than who may make them: a rule that misses these is about others. */
const ABOUT: ReadonlySet<string> = new Set(["request.host", "destination.port", "destination.ip"]);

const FIELDS: Readonly<Record<string, string>> = {
  "source.principal": "source.principals",
  "source.namespace": "source.namespaces",
  "source.serviceAccount": "source.serviceAccounts",
  "source.ip": "source.ipBlocks",
  "remote.ip": "source.remoteIpBlocks",
  "request.auth.principal": "source.requestPrincipals",
  "request.method": "operation.methods",
  "request.path": "operation.paths",
  "request.host": "operation.hosts",
  "destination.port": "operation.ports",
};

function notAllowed(facts: Facts): readonly Guess[] {
  const allowing = facts.policies.filter(
    ({ action, dryRun, matches }) => action === "ALLOW" && dryRun !== true && !matches,
  );
  const missesHost = ({ missed }: PolicyVerdict): number =>
    missed.filter(({ attribute }) => ABOUT.has(attribute)).length;
  const sorted = allowing.toSorted((a, b) => missesHost(a) - missesHost(b) || a.missed.length - b.missed.length);
  const guesses = sorted.slice(0, 4).map((verdict, index) => closest(facts, verdict, index === 0 ? 92 : 40 - index));
  return guesses.length > 0 ? guesses : allowNothing(facts);
}

function closest(facts: Facts, { policy, field, missed }: PolicyVerdict, weight: number): Guess {
  const [first] = missed;
  const ref = refNamed(policy);
  const place =
    first === undefined
      ? field
      : `${field}.${first.part}${FIELDS[first.attribute] === undefined ? "" : `.${FIELDS[first.attribute]}`}`;
  const words = missed.map(({ attribute, wanted = [], unwanted = [], got }) => {
    const asked = wanted.length > 0 ? some(wanted) : `not ${some(unwanted)}`;
    return `${attribute} is ${got ?? "not there"}, wanted ${asked}`;
  });
  const isToken = first?.attribute.startsWith("request.auth.") === true && first.got === undefined;
  return {
    code: isToken ? "token-missing" : "not-allowed",
    object: ref,
    field: place,
    says: isToken
      ? "it lets requests with a token through, and the request has none that was taken"
      : `there are ALLOW policies, and this rule, which comes nearest, does not hold: ${words[0] ?? "it matches nothing"}`,
    evidence: [logged(facts), ...words.map((said) => object(ref, said))],
    fix: isToken
      ? "Send a token of the issuer: Authorization: Bearer …"
      : "Add what the request has to the rule, or write a rule for it.",
    weight,
  };
}

/** An ALLOW policy without rules. */
function allowNothing({ model, proxy, ...rest }: Facts): readonly Guess[] {
  return model.authorizationPolicies
    .effective(proxy)
    .filter(({ spec }) => (spec?.action ?? "ALLOW") === "ALLOW" && (spec?.rules ?? []).length === 0)
    .slice(0, 1)
    .map((policy) => ({
      code: "not-allowed",
      object: refTo(policy),
      field: "spec.rules",
      says: "it has no rule, so it lets nothing through",
      evidence: [logged({ ...rest, proxy }), object(refTo(policy), "action ALLOW without rules")],
      fix: "Write a rule for what is to be let through.",
      weight: 88,
    }));
}

/** The external authorizer refused, or did not answer. */
function authorizer(facts: Facts): readonly Guess[] {
  const { symptom, policies: verdicts } = facts;
  const isError = /ext_authz_error/.test(symptom.details ?? "");
  const custom = verdicts.filter(({ action, matches }) => action === "CUSTOM" && matches);
  return custom.map(({ policy, field }) => {
    const ref = refNamed(policy);
    const provider = facts.model.world.get("AuthorizationPolicy", ref.namespace, ref.name)?.spec?.provider?.name ?? "";
    return {
      code: isError ? "authorizer-unreachable" : "authorizer-refused",
      object: ref,
      field: isError ? "spec.provider.name" : field,
      says: isError
        ? `it asks provider ${provider}, which does not answer`
        : `it asks provider ${provider}, which refused the request`,
      evidence: [
        logged(facts),
        object(ref, `its rule matches ${symptom.method ?? "the request"} ${symptom.path ?? ""}, provider ${provider}`),
      ],
      fix: isError
        ? "Look whether the provider's service runs and answers."
        : `Look into the log of provider ${provider}: it decides.`,
      weight: 93,
    };
  });
}
