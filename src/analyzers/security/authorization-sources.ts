import { nearest } from "../../base/nearest.ts";
import type { Pod } from "../../resources/core.ts";
import { refOf, refText } from "../../resources/object.ts";
import { type AnalyzerInput, defineAnalyzer } from "../analyzer.ts";
import { podOwner } from "../pod-owner.ts";
import { actionOf, type AuthorizationPolicy, type RuleValues, rulesOf, ruleValues } from "./shared-rules.ts";

/** Who calls: identities that nobody has, and identities where nobody proves any. */
export const authorizationSources = defineAnalyzer({
  name: "authorization-sources",
  summary: "Checks that callers that AuthorizationPolicies name exist and can be known where the policy holds.",
  reads: [
    "AuthorizationPolicy",
    "PeerAuthentication",
    "ServiceAccount",
    "Service",
    "Pod",
    "Namespace",
    "Gateway",
    "ConfigMap",
  ],
  codes: ["MSH0152", "MSH0153", "MSH0154", "MSH0155"],
  analyze: (input) => {
    const accounts = accountsOf(input);
    const disabling = disablingNamespaces(input);
    for (const policy of input.world.list("AuthorizationPolicy"))
      for (const { rule, at } of rulesOf(policy)) {
        const lists = ruleValues(rule, at);
        checkMutualTls(input, policy, lists, disabling);
        for (const list of lists) {
          if (PRINCIPALS.has(list.field)) checkPrincipals(input, policy, list, accounts);
          if (ACCOUNTS.has(list.field)) checkAccounts(input, policy, list, accounts);
          if (TRUST_DOMAINS.has(list.field)) checkTrustDomains(input, policy, list);
        }
      }
  },
});

type Input = AnalyzerInput<
  | "AuthorizationPolicy"
  | "PeerAuthentication"
  | "ServiceAccount"
  | "Service"
  | "Pod"
  | "Namespace"
  | "Gateway"
  | "ConfigMap",
  "MSH0152" | "MSH0153" | "MSH0154" | "MSH0155"
>;

const PRINCIPALS: ReadonlySet<string> = new Set(["principals", "notPrincipals", "source.principal"]);
const ACCOUNTS: ReadonlySet<string> = new Set(["serviceAccounts", "notServiceAccounts", "source.serviceAccount"]);
const TRUST_DOMAINS: ReadonlySet<string> = new Set(["trustDomains", "notTrustDomains", "source.trustDomain"]);
const NAMESPACES: ReadonlySet<string> = new Set(["namespaces", "notNamespaces", "source.namespace"]);
const IDENTITY = (field: string): boolean =>
  PRINCIPALS.has(field) || ACCOUNTS.has(field) || TRUST_DOMAINS.has(field) || NAMESPACES.has(field);

/** Accounts by `namespace/name`: those that are there, and those that pods use. */
function accountsOf({ world }: Input): ReadonlySet<string> {
  return new Set([
    ...world.list("ServiceAccount").map(({ metadata }) => `${metadata.namespace ?? ""}/${metadata.name}`),
    ...world
      .list("Pod")
      .map(({ metadata, spec }) => `${metadata.namespace ?? ""}/${spec?.serviceAccountName ?? "default"}`),
  ]);
}

/** Namespaces with a policy that turns mutual TLS off somewhere: only there it has to be looked at closely. */
function disablingNamespaces({ world }: Input): ReadonlySet<string> {
  const disabling = world.list("PeerAuthentication").filter(({ spec }) => {
    const modes = [spec?.mtls, ...Object.values(spec?.portLevelMtls ?? {})];
    return modes.some((mtls) => mtls?.mode === "DISABLE");
  });
  return new Set(disabling.map(({ metadata }) => metadata.namespace ?? ""));
}

/** Without mutual TLS a connection has no identity: positive lists match nobody, negative ones everybody. */
function checkMutualTls(
  input: Input,
  policy: AuthorizationPolicy,
  lists: readonly RuleValues[],
  disabling: ReadonlySet<string>,
): void {
  const { model } = input;
  const asked = lists.find(({ field }) => IDENTITY(field));
  if (asked === undefined || disabling.size === 0) return;
  const named = lists.filter(({ field }) => field === "ports").flatMap(({ values }) => values.map(Number));
  for (const pod of model.workloads.ofPolicy(policy)) {
    const { namespace } = refOf(pod);
    const off = [namespace, model.rootNamespace].some((each) => disabling.has(each)) && turnedOff(input, pod, named);
    if (off === false || off === undefined) continue;
    const whom = asked.negative ? "every caller matches" : "no caller matches";
    const effect = `${whom}, so ${EFFECTS[actionOf(policy)]} ${asked.negative ? "all" : "none"} of them`;
    const args = { fields: asked.field, workload: podOwner(pod).title, policy: off, effect };
    return input.report(policy, asked.path, "MSH0152", args);
  }
}

/** The policy that turns mutual TLS off for all these ports of a pod (none: those that Services lead to). */
function turnedOff({ model }: Input, pod: Pod, named: readonly number[]): string | undefined {
  if (model.workloads.isGateway(pod) || model.workloads.proxy(pod) === "no") return undefined;
  const { namespace, name } = refOf(pod);
  const { labels = {} } = pod.metadata;
  const served = model.workloads.servedPorts(namespace, name).flatMap(({ target }) => target ?? []);
  const concerned = named.length > 0 ? named : served;
  const ports = concerned.length > 0 ? concerned : [undefined];
  const taken = ports.map((port) => model.peerAuthentications.effective({ namespace, labels }, port));
  const from = taken[0]?.from;
  return from === undefined || taken.some(({ mode }) => mode !== "DISABLE") ? undefined : refText(from.from);
}

const EFFECTS = {
  ALLOW: "the rule allows",
  DENY: "the rule refuses",
  AUDIT: "the rule audits",
  CUSTOM: "the rule asks about",
} as const;

const PRINCIPAL = /^([^/]+)\/ns\/([^/]+)\/sa\/([^/]+)$/;

function checkPrincipals(
  input: Input,
  policy: AuthorizationPolicy,
  { values, path }: RuleValues,
  accounts: ReadonlySet<string>,
): void {
  const { trustDomain: ours } = input.model.meshConfig();
  for (const [index, principal] of values.entries()) {
    const place = { policy, path: [...path, index] };
    const [, trustDomain, namespace = "", name = ""] = PRINCIPAL.exec(principal) ?? [];
    if (principal.startsWith("spiffe://")) {
      const args = {
        principal,
        why: "identities are written without spiffe://",
        meant: principal.slice("spiffe://".length),
      };
      input.report(policy, place.path, "MSH0155", args);
    } else if (trustDomain !== undefined && !trustDomain.includes("*")) {
      checkTrustDomain(input, place, trustDomain);
      // accounts of another mesh are not known here
      if (ownTrustDomains(input).has(trustDomain)) checkAccount(input, place, { namespace, name }, accounts);
    } else if (trustDomain === undefined && !principal.includes("*")) {
      const meant = `${ours}/ns/NAMESPACE/sa/${/^[a-z0-9-]+$/.test(principal) ? principal : "ACCOUNT"}`;
      const args = { principal, why: "an identity is TRUST-DOMAIN/ns/NAMESPACE/sa/ACCOUNT", meant };
      input.report(policy, place.path, "MSH0155", args);
    }
  }
}

interface Place {
  readonly policy: AuthorizationPolicy;
  readonly path: readonly (string | number)[];
}

function checkAccounts(
  input: Input,
  policy: AuthorizationPolicy,
  { values, path }: RuleValues,
  accounts: ReadonlySet<string>,
): void {
  for (const [index, value] of values.entries()) {
    const slash = value.indexOf("/");
    const namespace = slash < 0 ? (policy.metadata.namespace ?? "") : value.slice(0, slash);
    checkAccount(input, { policy, path: [...path, index] }, { namespace, name: value.slice(slash + 1) }, accounts);
  }
}

function checkAccount(
  input: Input,
  { policy, path }: Place,
  { namespace, name }: { readonly namespace: string; readonly name: string },
  accounts: ReadonlySet<string>,
): void {
  const account = `${namespace}/${name}`;
  if (account.includes("*") || accounts.has(account)) return;
  // every namespace has the account "default"
  if (name === "default" && input.model.namespaces.exists(namespace)) return;
  if (!input.knows("ServiceAccount", namespace) && !input.knows("workloads", namespace))
    return input.unknown(`service account ${account}: nothing of its namespace is in the files`);
  const close = nearest(account, [...accounts]) ?? "";
  input.report(policy, path, "MSH0153", { account, nearest: close });
}

function checkTrustDomains(input: Input, policy: AuthorizationPolicy, { values, path }: RuleValues): void {
  for (const [index, value] of values.entries())
    if (!value.includes("*")) checkTrustDomain(input, { policy, path: [...path, index] }, value);
}

/** `cluster.local` always stands for the mesh's own. */
function ownTrustDomains({ model }: Input): ReadonlySet<string> {
  const { trustDomain, trustDomainAliases } = model.meshConfig();
  return new Set([trustDomain, "cluster.local", ...trustDomainAliases]);
}

function checkTrustDomain(input: Input, { policy, path }: Place, trustDomain: string): void {
  const { model } = input;
  const known = new Set([...ownTrustDomains(input), ...trustedDomains(model.meshConfig().raw["caCertificates"])]);
  if (known.has(trustDomain)) return;
  if (!input.knows("ConfigMap", model.rootNamespace))
    return input.unknown(`trust domain ${trustDomain}: no mesh configuration is in the files`);
  input.report(policy, path, "MSH0154", { trustDomain, known: [...known].join(", ") });
}

/** Trust domains that other CAs of the mesh vouch for. */
function trustedDomains(certificates: unknown): readonly string[] {
  return (Array.isArray(certificates) ? certificates : []).flatMap((certificate: unknown) => {
    const { trustDomains } = (certificate ?? {}) as { readonly trustDomains?: unknown };
    return Array.isArray(trustDomains) ? trustDomains.map(String) : [];
  });
}
