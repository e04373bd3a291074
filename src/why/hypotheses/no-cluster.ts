import { resolveHost } from "../../model/host.ts";
import type { KindTypes } from "../../resources/kinds.ts";
import type { Facts, Guess, Hypothesis } from "../types.ts";
import { envoy, logged, madeBy, object, refNamed, refTo, some } from "../words.ts";

/** A rule sends the request to a destination that no cluster stands for: host, port or subset is not there (flag NC). */
export const noCluster: Hypothesis = {
  name: "no cluster",
  codes: ["missing-subset", "missing-destination", "missing-port"],
  guess(facts) {
    const { symptom, way, proxy } = facts;
    if (!symptom.flags.includes("NC") && symptom.details !== "cluster_not_found") return [];
    const source = madeBy(way?.chosen.route, facts);
    if (source === undefined) return [];
    const from = refNamed(source.object);
    const targets = way?.outcome.kind === "forward" ? way.outcome.targets.map(({ cluster }) => cluster) : [];
    const missing = targets.filter((name) => proxy.config.cluster(name) === undefined);
    const rule =
      from.kind === "VirtualService" ? facts.model.world.get("VirtualService", from.namespace, from.name) : undefined;
    return destinations(rule, source.field).flatMap(({ host, port, subset, field }): Guess[] => {
      const full = resolveHost(host, from.namespace, facts.model.domain);
      const fits = missing.some((name) => name.includes(full) && name.split("|")[2] === (subset ?? ""));
      const verdict = fits || missing.length === 0 ? verdictOf(facts, { full, port, subset }) : undefined;
      if (verdict === undefined) return [];
      const evidence = [
        logged(facts),
        envoy(proxy, `the route leads to ${some(missing)}, which is no cluster`),
        ...verdict.evidence,
      ];
      return [{ ...verdict, object: from, field: `${field}.${verdict.part}`, evidence, weight: 95 }];
    });
  },
};

interface Destination {
  readonly host: string;
  readonly port: number | undefined;
  readonly subset: string | undefined;
  /** `spec.http[0].route[1].destination` */
  readonly field: string;
}

/** The destinations of the rule that the field names. */
function destinations(rule: KindTypes["VirtualService"] | undefined, field = ""): readonly Destination[] {
  const index = /^spec\.http\[(\d+)\]/.exec(field)?.[1];
  const http = index === undefined ? undefined : rule?.spec?.http?.[Number(index)];
  return (http?.route ?? []).map(({ destination }, at) => ({
    host: destination?.host ?? "",
    port: destination?.port?.number,
    subset: destination?.subset,
    field: `spec.http[${index}].route[${at}].destination`,
  }));
}

function verdictOf(
  { model, proxy }: Facts,
  {
    full,
    port,
    subset,
  }: { readonly full: string; readonly port: number | undefined; readonly subset: string | undefined },
): (Pick<Guess, "code" | "says" | "fix" | "evidence"> & { readonly part: string }) | undefined {
  const service = model.services.visible(proxy.namespace, full);
  if (service === undefined)
    return {
      code: "missing-destination",
      part: "host",
      says: `the rule sends requests to ${full}, which no Service or ServiceEntry that ${proxy.name} sees has`,
      evidence: [],
      fix: "Name a host that is there, or create the Service.",
    };
  const from = refTo({ kind: service.from.kind, metadata: service.from });
  if (port !== undefined && !service.ports.some(({ number }) => number === port))
    return {
      code: "missing-port",
      part: "port",
      says: `the rule sends requests to port ${port} of ${full}, which has ${some(service.ports.map(({ number }) => String(number)))}`,
      evidence: [object(from, `its ports are ${some(service.ports.map(({ number }) => String(number)))}`)],
      fix: `Name one of its ports.`,
    };
  if (subset === undefined || subset === "") return undefined;
  const rule = model.destinationRules.effective(proxy, full, service.namespace);
  const known = (rule?.subsets ?? []).map(({ subset: { name } }) => name ?? "");
  if (known.includes(subset)) return undefined;
  return {
    code: "missing-subset",
    part: "subset",
    says: `the rule sends requests to subset ${subset} of ${full}, which no DestinationRule defines`,
    evidence: [
      rule === undefined
        ? { from: "configuration", says: `there is no DestinationRule for ${full}` }
        : object(rule.provenance.from, `its subsets are ${known.length === 0 ? "none" : some(known)}`),
    ],
    fix: `Add subset ${subset} to the DestinationRule of ${full}, or name one of its subsets.`,
  };
}
