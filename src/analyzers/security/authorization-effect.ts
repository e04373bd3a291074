import { selects } from "../../model/selectors.ts";
import { refOf, refText } from "../../resources/object.ts";
import { type AnalyzerInput, defineAnalyzer } from "../analyzer.ts";
import { actionOf, type AuthorizationPolicy, isDryRun, matchesEverything, rulesOf } from "./shared-rules.ts";

/** Policies that do nothing, or everything, for another reason than it seems. */
export const authorizationEffect = defineAnalyzer({
  name: "authorization-effect",
  summary: "Finds AuthorizationPolicies that decide nothing, or more than they seem to.",
  reads: ["AuthorizationPolicy", "ConfigMap"],
  codes: ["MSH0157", "MSH0158", "MSH0161"],
  analyze: (input) => {
    const deciders = decidersOf(input);
    for (const policy of input.world.list("AuthorizationPolicy")) {
      const action = actionOf(policy);
      if (action === "ALLOW" && policy.spec?.rules?.length === 0)
        input.report(policy, ["spec", "rules"], "MSH0157", { action });
      if (action === "ALLOW" && !isDryRun(policy)) checkDecided(input, policy, deciders);
      if (action === "CUSTOM") checkProvider(input, policy);
    }
  },
});

type Input = AnalyzerInput<"AuthorizationPolicy" | "ConfigMap", "MSH0157" | "MSH0158" | "MSH0161">;
type Labels = Readonly<Record<string, string>>;

const selectorOf = ({ spec }: AuthorizationPolicy): Labels => spec?.selector?.matchLabels ?? {};
const isAttached = ({ spec }: AuthorizationPolicy): boolean =>
  spec?.targetRef !== undefined || (spec?.targetRefs?.length ?? 0) > 0;

/** Policies with a rule for everything, by where they are looked up: namespace and their first label, "" without one. */
function decidersOf({ world }: Input): ReadonlyMap<string, readonly AuthorizationPolicy[]> {
  const deciders = new Map<string, AuthorizationPolicy[]>();
  for (const policy of world.list("AuthorizationPolicy")) {
    const action = actionOf(policy);
    if ((action !== "ALLOW" && action !== "DENY") || isDryRun(policy) || isAttached(policy)) continue;
    if (!rulesOf(policy).some(({ rule }) => matchesEverything(rule))) continue;
    const [first] = pairsOf(selectorOf(policy));
    const key = `${policy.metadata.namespace ?? ""} ${first ?? ""}`;
    const there = deciders.get(key);
    if (there === undefined) deciders.set(key, [policy]);
    else there.push(policy);
  }
  return deciders;
}

function pairsOf(selector: Labels): readonly string[] {
  return Object.entries(selector)
    .map((pair) => pair.join("="))
    .toSorted();
}

/** One that holds for all workloads of this policy, and more: of its namespace or the root one, with no label more. */
function checkDecided(
  { model, report }: Input,
  policy: AuthorizationPolicy,
  deciders: ReadonlyMap<string, readonly AuthorizationPolicy[]>,
): void {
  if (isAttached(policy)) return;
  const selector = selectorOf(policy);
  const places = [...new Set([policy.metadata.namespace ?? "", model.rootNamespace])].flatMap((namespace) =>
    ["", ...pairsOf(selector)].map((pair) => `${namespace} ${pair}`),
  );
  const decider = places
    .flatMap((place) => deciders.get(place) ?? [])
    .find((other) => other !== policy && selects(selectorOf(other), selector) && !isMutual(other, policy));
  if (decider === undefined) return;
  const denies = actionOf(decider) === "DENY";
  const why = denies ? "refuses everything for its workloads" : "allows everything for its workloads";
  report(
    policy,
    ["spec"],
    "MSH0158",
    { other: refText(refOf(decider)), why },
    {
      object: decider,
      path: ["spec", "rules"],
      words: "the rule for everything",
    },
  );
}

/** Of two alike one has to stay: only the second by name is told. */
function isMutual(other: AuthorizationPolicy, policy: AuthorizationPolicy): boolean {
  if (actionOf(other) !== actionOf(policy)) return false;
  if (!rulesOf(policy).some(({ rule }) => matchesEverything(rule))) return false;
  return selects(selectorOf(policy), selectorOf(other)) && policy.metadata.name < other.metadata.name;
}

function checkProvider(input: Input, policy: AuthorizationPolicy): void {
  const { model } = input;
  const provider = policy.spec?.provider?.name ?? "";
  const providers = model.meshConfig().raw["extensionProviders"];
  const names = (Array.isArray(providers) ? providers : []).map((each: unknown) => {
    const { name } = (each ?? {}) as { readonly name?: unknown };
    return String(name);
  });
  if (provider === "" || names.includes(provider)) return;
  if (!input.knows("ConfigMap", model.rootNamespace))
    return input.unknown(`extension provider ${provider}: no mesh configuration is in the files`);
  const known = names.length === 0 ? "there is none" : `there are ${names.join(", ")}`;
  input.report(policy, ["spec", "provider", "name"], "MSH0161", { provider, known });
}
