import type { Pod } from "../../resources/core.ts";
import { type AnalyzerInput, defineAnalyzer } from "../analyzer.ts";
import { podOwner } from "../pod-owner.ts";
import { actionOf, type AuthorizationPolicy, isDryRun, type RuleValues, rulesOf, ruleValues } from "./shared-rules.ts";

/** Policies that let more in than their authors thought: https://istio.io/latest/docs/ops/best-practices/security/. */
export const practiceAuthorization = defineAnalyzer({
  name: "practice-authorization",
  summary: "Finds workloads without policy, and policies that let more in than they seem to.",
  reads: ["AuthorizationPolicy", "Pod", "Namespace", "Gateway", "ConfigMap"],
  codes: ["MSH0172", "MSH0173", "MSH0174", "MSH0175", "MSH0176", "MSH0177", "MSH0190"],
  profile: "security",
  analyze: (input) => {
    const policies = input.world.list("AuthorizationPolicy").filter((policy) => !isDryRun(policy));
    const normalization = normalizationOf(input);
    for (const policy of policies) {
      const lists = rulesOf(policy).flatMap(({ rule, at }) => ruleValues(rule, at));
      checkExclusion(input, policy, lists);
      checkCallers(input, policy);
      checkPaths(input, policy, lists, normalization);
      checkRemote(input, policy, lists);
    }
    checkCoverage(input, policies);
  },
});

type Input = AnalyzerInput<
  "AuthorizationPolicy" | "Pod" | "Namespace" | "Gateway" | "ConfigMap",
  "MSH0172" | "MSH0173" | "MSH0174" | "MSH0175" | "MSH0176" | "MSH0177" | "MSH0190"
>;

const EXCLUDING: readonly string[] = ["notPaths", "notMethods", "notHosts"];
const LISTING: readonly string[] = ["paths", "hosts"];

function checkExclusion({ report }: Input, policy: AuthorizationPolicy, lists: readonly RuleValues[]): void {
  const action = actionOf(policy);
  for (const { field, path } of lists) {
    if (action === "ALLOW" && EXCLUDING.includes(field)) report(policy, path, "MSH0174", { field });
    if (action === "DENY" && LISTING.includes(field)) report(policy, path, "MSH0175", { field });
  }
}

/** A gateway is there for everybody; inside the mesh callers have names. */
function checkCallers({ model, report }: Input, policy: AuthorizationPolicy): void {
  if (actionOf(policy) !== "ALLOW") return;
  const pods = model.workloads.ofPolicy(policy);
  if (!pods.some((pod) => !model.workloads.isGateway(pod))) return;
  for (const { rule, at } of rulesOf(policy)) {
    const asked = (rule.when ?? []).some(({ key }) => /^(?:source|remote|request\.auth)\./.test(key));
    if ((rule.from ?? []).length === 0 && !asked) report(policy, at, "MSH0176", { why: "the rule has no from" });
    for (const { field, values, path } of ruleValues(rule, at))
      if (field === "namespaces" && values.includes("*"))
        report(policy, path, "MSH0176", { why: "namespaces has *, which is every namespace" });
  }
}

/** The mesh's way of bringing paths into one form; undefined when it cannot be known. */
function normalizationOf({ model, knows }: Input): string | undefined {
  if (!knows("ConfigMap", model.rootNamespace)) return undefined;
  const { normalization } = (model.meshConfig().raw["pathNormalization"] ?? {}) as { readonly normalization?: unknown };
  return typeof normalization === "string" && normalization !== "DEFAULT" ? normalization : "BASE";
}

function checkPaths(
  { report, unknown }: Input,
  policy: AuthorizationPolicy,
  lists: readonly RuleValues[],
  normalization: string | undefined,
): void {
  const asked = lists.find(({ field }) => field === "paths" || field === "notPaths");
  if (asked === undefined) return;
  if (normalization === undefined) return unknown("pathNormalization: no mesh configuration is in the files");
  if (normalization !== "NONE" && normalization !== "BASE") return;
  report(policy, asked.path, "MSH0177", { normalization, field: asked.field });
}

const REMOTE: readonly string[] = ["remoteIpBlocks", "notRemoteIpBlocks", "remote.ip"];

/** The number of proxies is set for the mesh, or in the annotation proxy.istio.io/config of the pods. */
function checkRemote(
  { model, report, knows, unknown }: Input,
  policy: AuthorizationPolicy,
  lists: readonly RuleValues[],
): void {
  const asked = lists.find(({ field }) => REMOTE.includes(field));
  if (asked === undefined) return;
  if (!knows("ConfigMap", model.rootNamespace))
    return unknown("numTrustedProxies: no mesh configuration is in the files");
  const topology = (model.meshConfig().defaultConfig["gatewayTopology"] ?? {}) as Readonly<Record<string, unknown>>;
  if (Number(topology["numTrustedProxies"] ?? 0) > 0 || topology["proxyProtocol"] !== undefined) return;
  const config = ({ metadata }: Pod): string => metadata.annotations?.["proxy.istio.io/config"] ?? "";
  if (model.workloads.ofPolicy(policy).some((pod) => /numTrustedProxies|proxyProtocol/.test(config(pod)))) return;
  report(policy, asked.path, "MSH0190", { field: asked.field });
}

/** Workloads of the mesh that no policy is for, and namespaces that nothing closes. */
function checkCoverage(input: Input, policies: readonly AuthorizationPolicy[]): void {
  const { world, model, report } = input;
  const isWide = ({ spec }: AuthorizationPolicy): boolean =>
    Object.keys(spec?.selector?.matchLabels ?? {}).length === 0 &&
    spec?.targetRef === undefined &&
    (spec?.targetRefs ?? []).length === 0;
  const wide = new Set(policies.filter(isWide).map(({ metadata }) => metadata.namespace));
  const closed = new Set(
    policies.filter((policy) => isWide(policy) && closes(policy)).map(({ metadata }) => metadata.namespace),
  );
  const covered = new Set(
    policies.filter((policy) => !isWide(policy)).flatMap((policy) => model.workloads.ofPolicy(policy)),
  );
  const told = new Set<string>();
  for (const pod of world.list("Pod")) {
    if (model.workloads.isGateway(pod) || model.workloads.proxy(pod) !== "yes") continue;
    const { namespace = "" } = pod.metadata;
    const { object, title } = podOwner(pod);
    if (!wide.has(namespace) && !wide.has(model.rootNamespace) && !covered.has(pod))
      report(object, [], "MSH0173", { workload: title });
    if (closed.has(namespace) || closed.has(model.rootNamespace) || told.has(namespace)) continue;
    told.add(namespace);
    report(world.get("Namespace", "", namespace) ?? object, [], "MSH0172", { namespace, root: model.rootNamespace });
  }
}

/** An ALLOW policy that matches nothing refuses whatever no other one allows. */
function closes(policy: AuthorizationPolicy): boolean {
  return actionOf(policy) === "ALLOW" && rulesOf(policy).length === 0;
}
