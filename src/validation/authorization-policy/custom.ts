import { type AuthorizationPolicyRules, eachRule, eachSource } from "./parts.ts";

/** What is not known yet when an external authorizer is asked. */
const LATER = [
  "namespaces",
  "notNamespaces",
  "serviceAccounts",
  "notServiceAccounts",
  "trustDomains",
  "notTrustDomains",
  "principals",
  "notPrincipals",
  "requestPrincipals",
  "notRequestPrincipals",
] as const;

const LATER_KEYS: ReadonlySet<string> = new Set([
  "source.namespace",
  "source.serviceAccount",
  "source.trustDomain",
  "source.principal",
]);

/** Rules about external authorizers. */
export const customRules: AuthorizationPolicyRules = [
  {
    name: "authorization-policy-provider",
    holds: "CUSTOM names a provider; other actions name none.",
    severity: "error",
    check: ({ action = "ALLOW", provider, rules }, report) => {
      if (action !== "CUSTOM") {
        if (provider !== undefined)
          report(["provider"], `provider is for action CUSTOM, got ${action}`, "Remove provider.");
      } else if (rules !== undefined && (provider?.name ?? "") === "")
        report(["provider"], "action CUSTOM needs provider.name", "Add provider.name.");
    },
  },
  {
    name: "authorization-policy-custom-rules",
    holds: "CUSTOM has rules: without any nobody is asked.",
    severity: "error",
    check: ({ action, rules }, report) => {
      if (action === "CUSTOM" && rules === undefined)
        report(["rules"], "action CUSTOM without rules asks nobody", "Write rules: [{}] to ask for every request.");
    },
  },
  {
    name: "authorization-policy-custom-identities",
    holds: "CUSTOM does not ask for identities: they are not known yet when the authorizer is asked.",
    severity: "error",
    check: (spec, report) => {
      if (spec.action !== "CUSTOM") return;
      const tell = (name: string): string => `${name} is not known where action CUSTOM is decided`;
      const hint = "Use an ALLOW or DENY policy for it.";
      eachSource(spec, (source, path) => {
        for (const field of LATER) if ((source[field]?.length ?? 0) > 0) report([...path, field], tell(field), hint);
      });
      eachRule(spec, (rule, path) => {
        for (const [index, { key }] of (rule.when ?? []).entries())
          if (LATER_KEYS.has(key) || key.startsWith("request.auth."))
            report([...path, "when", index, "key"], tell(key), hint);
      });
    },
  },
];
