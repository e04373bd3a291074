import type { KindTypes } from "../../resources/kinds.ts";
import { walkRoutes } from "../../simulate/outcome.ts";
import type { Evidence, Facts, Guess, Hypothesis } from "../types.ts";
import { below, envoy, logged, madeBy, object, refNamed } from "../words.ts";

/** A rule answers, breaks or delays the request by itself: direct responses, redirects that lead to themselves, faults. */
export const answeredByRule: Hypothesis = {
  name: "answered by a rule",
  codes: ["direct-response", "redirect-loop", "fault-injected"],
  guess(facts) {
    const { symptom, way } = facts;
    const source = madeBy(way?.chosen.route, facts);
    if (source === undefined || way === undefined) return [];
    const common = { object: refNamed(source.object), evidence: [logged(facts)] };
    const flags = new Set(symptom.flags);
    const guesses: Guess[] = [];
    if (flags.has("FI") || flags.has("DI")) guesses.push(...faults(facts, common));
    if (symptom.details !== "direct_response") return guesses;
    const { outcome } = way;
    if (outcome.kind === "direct" && common.object.kind !== "ConfigMap" && common.object.kind !== "Sidecar")
      guesses.push({
        ...common,
        code: "direct-response",
        field: below(source, "directResponse"),
        says: `its rule answers with ${outcome.status} itself`,
        fix: "Take the answer out of the rule, or match less.",
        weight: 95,
      });
    if (outcome.kind === "redirect")
      guesses.push(...redirect(facts, { ...common, field: below(source, "redirect") }, outcome.location));
    return guesses;
  },
};

type Common = Pick<Guess, "object" | "evidence"> & { readonly field?: string };

/** A redirect whose target the same rule redirects to the same place. */
function redirect(facts: Facts, common: Common, location: string): readonly Guess[] {
  const { way, symptom, proxy } = facts;
  const table = proxy.config.routes(way?.table ?? "");
  if (table === undefined || !URL.canParse(location)) return [];
  const { host, pathname, search, protocol } = new URL(location);
  const scheme = protocol === "https:" ? "https" : "http";
  const request = {
    method: symptom.method ?? "GET",
    scheme,
    authority: host,
    path: `${pathname}${search}`,
    headers: [],
  } as const;
  const again = walkRoutes(table, request).outcome;
  if (again.kind !== "redirect" || again.location !== location) return [];
  return [
    {
      ...common,
      code: "redirect-loop",
      says: `it redirects to ${location}, which it redirects to the same place again`,
      evidence: [
        ...common.evidence,
        envoy(proxy, `asked for ${location}, the routes answer ${again.status} to ${again.location}`),
      ],
      fix: "Redirect to a host or path that another rule takes.",
      weight: 95,
    },
  ];
}

function faults(facts: Facts, common: Common): readonly Guess[] {
  const { symptom, model } = facts;
  const { kind, namespace, name } = common.object;
  const source = madeBy(facts.way?.chosen.route, facts);
  const rule = kind === "VirtualService" ? model.world.get("VirtualService", namespace, name) : undefined;
  const http = rule?.spec?.http?.[Number(/\[(\d+)\]/.exec(source?.field ?? "")?.[1] ?? Number.NaN)];
  const parts = [
    ["FI", "abort"],
    ["DI", "delay"],
  ] as const;
  return parts.flatMap(([flag, part]): Guess[] => {
    if (!symptom.flags.includes(flag)) return [];
    const words =
      flag === "FI" ? "it answers a share of the requests with an error" : "it holds back a share of the requests";
    return [
      {
        ...common,
        code: "fault-injected",
        field: below(source, `fault.${part}`),
        says: `${words}, to test how others take it`,
        evidence: [...common.evidence, ...said(common, http, part)],
        fix: "Take the fault out of the rule.",
        weight: 96,
      },
    ];
  });
}

type HttpRule = NonNullable<NonNullable<KindTypes["VirtualService"]["spec"]>["http"]>[number];

function said(common: Common, http: HttpRule | undefined, part: "abort" | "delay"): readonly Evidence[] {
  const fault = http?.fault?.[part];
  return fault === undefined ? [] : [object(common.object, `fault.${part} is ${JSON.stringify(fault)}`)];
}
