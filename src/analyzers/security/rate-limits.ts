import { RATE_LIMIT_SERVICE, type RateLimitPolicy } from "../../model/rate-limits.ts";
import { type AnalyzerInput, defineAnalyzer } from "../analyzer.ts";

/** A limit that nobody counts lets everything pass; one by claims that no token brings counts nothing, or everybody together. */
export const rateLimits = defineAnalyzer({
  name: "rate-limits",
  summary: "Finds limits that nobody can count.",
  reads: ["RateLimitPolicy", "RequestAuthentication", "Service", "Pod", "Gateway"],
  codes: ["MSH0162", "MSH0163"],
  analyze: (input) => {
    for (const policy of input.world.list("RateLimitPolicy")) {
      checkService(input, policy);
      checkClaims(input, policy);
      checkRoutes(input, policy);
    }
  },
});

type Input = AnalyzerInput<
  "RateLimitPolicy" | "RequestAuthentication" | "Service" | "Pod" | "Gateway",
  "MSH0162" | "MSH0163"
>;

function checkService(input: Input, policy: RateLimitPolicy): void {
  const { limits = [], failureModeDeny } = policy.spec ?? {};
  const index = limits.findIndex(({ global }) => global !== undefined);
  if (index < 0 || input.model.rateLimits.service() !== undefined) return;
  const root = input.model.rootNamespace;
  if (!input.knows("Service", root))
    return input.unknown(`Service ${root}/${RATE_LIMIT_SERVICE}: no Service of ${root} is in the files`);
  const effect = failureModeDeny === true ? "all requests are refused" : "all requests pass";
  input.report(policy, ["spec", "limits", index, "global"], "MSH0162", { root, effect });
}

/** Claims are known where a RequestAuthentication holds: for a pod of the policy, or, without pods, for the same namespace. */
function checkClaims(input: Input, policy: RateLimitPolicy): void {
  const limits = policy.spec?.limits ?? [];
  const byClaim = limits.flatMap(({ match, keys = [] }, index) => {
    const [claim] = Object.keys(match?.claims ?? {});
    const key = keys.findIndex((each) => each.claim !== undefined);
    const path = ["spec", "limits", index];
    if (claim !== undefined)
      return [{ claim, path: [...path, "match", "claims", claim], effect: "the limit counts nothing" }];
    const effect = "all requests are counted together";
    return key < 0 ? [] : [{ claim: keys[key]?.claim ?? "", path: [...path, "keys", key, "claim"], effect }];
  });
  if (byClaim.length === 0 || hasTokens(input, policy)) return;
  const why = "no RequestAuthentication reads tokens there";
  for (const { claim, path, effect } of byClaim)
    input.report(policy, path, "MSH0163", { what: `claim ${claim}`, why, effect });
}

/** Only gateways know by which route a request goes: where the policy holds for none, such a limit counts nothing. */
function checkRoutes(input: Input, policy: RateLimitPolicy): void {
  const { limits = [], targetRefs = [] } = policy.spec ?? {};
  const index = limits.findIndex(({ match }) => match?.routes !== undefined);
  if (index < 0 || targetRefs.some(({ kind }) => kind === "Gateway")) return;
  if (targetRefs.length === 0 && mayHoldForGateways(input, policy)) return;
  const [route = ""] = limits[index]?.match?.routes ?? [];
  const why = "no workload of the policy is a gateway";
  const path = ["spec", "limits", index, "match", "routes"];
  input.report(policy, path, "MSH0163", { what: `route ${route}`, why, effect: "the limit counts nothing" });
}

/** Also where nobody knows its pods. */
function mayHoldForGateways({ model: { workloads } }: Input, policy: RateLimitPolicy): boolean {
  const pods = workloads.ofPolicy(policy);
  return pods.length === 0 || pods.some((pod) => workloads.isGateway(pod));
}

function hasTokens({ world, model }: Input, policy: RateLimitPolicy): boolean {
  const pods = model.workloads.ofPolicy(policy);
  if (pods.length > 0)
    return pods.some(({ metadata }) => {
      const workload = { namespace: metadata.namespace ?? "", labels: metadata.labels ?? {} };
      return model.requestAuthentications.effective(workload).length > 0;
    });
  const { namespace } = policy.metadata;
  const isNear = (there: string | undefined): boolean => there === namespace || there === model.rootNamespace;
  return world.list("RequestAuthentication").some(({ metadata }) => isNear(metadata.namespace));
}
