import { checkRanges } from "../shared/addresses.ts";
import {
  type AuthorizationPolicyRules,
  checkAccounts,
  checkNoEmpty,
  checkWildcards,
  eachRule,
  eachSource,
  isEmpty,
} from "./parts.ts";

const ADDRESSES = ["ipBlocks", "notIpBlocks", "remoteIpBlocks", "notRemoteIpBlocks"] as const;
const IDENTITIES = ["principals", "notPrincipals", "namespaces", "notNamespaces"] as const;
const ACCOUNTS = ["serviceAccounts", "notServiceAccounts"] as const;

/** Rules about who calls. */
export const sourceRules: AuthorizationPolicyRules = [
  {
    name: "authorization-policy-source",
    holds: "A source says who calls.",
    severity: "error",
    check: (spec, report) =>
      eachRule(spec, (rule, path) => {
        for (const [index, { source }] of (rule.from ?? []).entries())
          if (source === undefined || isEmpty(source))
            report([...path, "from", index], "an empty source", "Say who calls, or remove the entry.");
      }),
  },
  {
    name: "authorization-policy-source-values",
    holds: "Values of a source are not empty.",
    severity: "error",
    check: (spec, report) => eachSource(spec, (source, path) => checkNoEmpty(source, path, report)),
  },
  {
    name: "authorization-policy-addresses",
    holds: "Addresses are IP addresses or CIDR ranges.",
    severity: "error",
    check: (spec, report) =>
      eachSource(spec, (source, path) => {
        for (const field of ADDRESSES)
          if (source[field] !== undefined) checkRanges(source[field], [...path, field], report);
      }),
  },
  {
    name: "authorization-policy-accounts",
    holds: "Service accounts are ACCOUNT or NAMESPACE/ACCOUNT, without wildcards, at most 16.",
    severity: "error",
    check: (spec, report) =>
      eachSource(spec, (source, path) => {
        for (const field of ACCOUNTS) checkAccounts(source[field], [...path, field], report);
      }),
  },
  {
    name: "authorization-policy-accounts-alone",
    holds: "Service accounts are not mixed with principals or namespaces, which they include.",
    severity: "error",
    check: (spec, report) =>
      eachSource(spec, (source, path) => {
        const account = ACCOUNTS.find((field) => (source[field]?.length ?? 0) > 0);
        const other = IDENTITIES.find((field) => (source[field]?.length ?? 0) > 0);
        if (account !== undefined && other !== undefined)
          report([...path, account], `${account} and ${other} exclude each other in one source`, "Keep one of them.");
      }),
  },
  {
    name: "authorization-policy-trust-domains",
    holds: "Trust domains are names, with a wildcard at start or end at most.",
    severity: "error",
    check: (spec, report) =>
      eachSource(spec, (source, path) => {
        for (const field of ["trustDomains", "notTrustDomains"] as const) {
          checkWildcards(source[field], [...path, field], report);
          for (const [index, domain] of (source[field] ?? []).entries())
            if (domain.includes("/"))
              report([...path, field, index], `"${domain}" is no trust domain`, "Leave out what follows /.");
        }
      }),
  },
];
