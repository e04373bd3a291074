import { namedSelector, selects } from "../../model/selectors.ts";
import type { ClusterFacts, Evidence, Facts, Guess, Hypothesis } from "../types.ts";
import { envoy, kubernetes, logged, object, refText, refTo, ruleOf, serviceRef, some } from "../words.ts";
import { podStates } from "./pod-states.ts";

/** Nobody to send to (flag UH): no pods, none that is ready, all ejected or withheld, no endpoints, a name that does not resolve. */
export const noEndpoints: Hypothesis = {
  name: "no endpoints",
  codes: [
    "selector-matches-nothing",
    "subset-matches-nothing",
    "pods-not-ready",
    "pods-crash",
    "pods-not-started",
    "pods-withheld",
    "ejected",
    "entry-without-endpoints",
    "name-not-resolved",
  ],
  guess(facts) {
    const { symptom, cluster, proxy } = facts;
    if (cluster?.direction !== "outbound" || cluster.service === undefined) return [];
    const dns = symptom.flags.includes("DF") || symptom.details?.includes("dns_resolution_failure") === true;
    if (!dns && !symptom.flags.includes("UH")) return [];
    const hosts = proxy.hosts(cluster.name);
    const seen = envoy(
      proxy,
      `cluster ${cluster.name} has ${hosts.length === 0 ? "no endpoint" : some(hosts.map(hostText))}`,
    );
    const evidence = [logged(facts), seen];
    const ejected = hosts.filter(({ unhealthy }) => unhealthy.includes("failed_outlier_check"));
    if (ejected.length > 0) return [ejection(facts, evidence)];
    if (hosts.some(({ unhealthy }) => unhealthy.length === 0)) return [];
    return cluster.service.from.kind === "Service"
      ? ofService(facts, cluster, evidence)
      : ofEntry(facts, cluster, evidence);
  },
};

function hostText({ address, unhealthy }: { readonly address: string; readonly unhealthy: readonly string[] }): string {
  return unhealthy.length === 0 ? address : `${address} (${unhealthy.join(", ")})`;
}

function ejection(facts: Facts, evidence: readonly Evidence[]): Guess {
  const rule = ruleOf(facts);
  const settings = rule?.policy.outlierDetection;
  const said =
    rule === undefined || settings === undefined
      ? []
      : [object(rule.ref, `outlierDetection is ${JSON.stringify(settings)}`)];
  return {
    code: "ejected",
    object: rule?.ref ?? serviceRef(facts) ?? facts.proxy.pod,
    ...(rule === undefined ? {} : { field: rule.path("outlierDetection") }),
    says: "its outlier detection ejected every endpoint after failed requests",
    evidence: [...evidence, ...said],
    fix: "Look why the endpoints failed; lower maxEjectionPercent, so that some always stay.",
    weight: 95,
  };
}

function ofService(facts: Facts, cluster: ClusterFacts, evidence: readonly Evidence[]): readonly Guess[] {
  const { model } = facts;
  const from = cluster.service?.from;
  const service = from === undefined ? undefined : model.world.get("Service", from.namespace, from.name);
  if (from === undefined || service === undefined) return [];
  const ref = refTo({ kind: "Service", metadata: from });
  const selector = namedSelector(service.spec?.selector);
  const selected =
    selector === undefined
      ? []
      : model.world.list("Pod", from.namespace).filter(({ metadata }) => selects(selector, metadata.labels ?? {}));
  const states = selected.flatMap((pod) =>
    podStates(pod, [...evidence, kubernetes(`${refText(ref)} selects ${refText(refTo(pod))}`)]),
  );
  if (states.length > 0) return states;
  const subset = subsetGuess(facts, cluster, evidence);
  if (subset !== undefined) return [subset];
  if (selected.length > 0 || hasSlices(facts, from.namespace, from.name)) return [];
  return [
    {
      code: "selector-matches-nothing",
      object: ref,
      field: "spec.selector",
      says:
        selector === undefined
          ? "it has no selector, and nobody wrote endpoints for it"
          : `no pod of namespace ${from.namespace} has the labels ${labelText(selector)}`,
      evidence: [...evidence, kubernetes(`no EndpointSlice of ${refText(ref)} has an address`)],
      fix: "Make the selector and the labels of the pods the same; look whether the workload is scaled to 0.",
      weight: 93,
    },
  ];
}

/** Whether somebody stands behind the Service, whatever its selector. */
function hasSlices({ model }: Facts, namespace: string, name: string): boolean {
  return model.world
    .by("endpointSlicesOfService", `${namespace}/${name}`)
    .some(({ endpoints }) => ((endpoints ?? []) as readonly unknown[]).length > 0);
}

function labelText(labels: Readonly<Record<string, string>>): string {
  return Object.entries(labels)
    .map(([key, value]) => `${key}=${value}`)
    .join(",");
}

/** The Service has pods; the subset has none. */
function subsetGuess(facts: Facts, cluster: ClusterFacts, evidence: readonly Evidence[]): Guess | undefined {
  if (cluster.subset === "" || cluster.service === undefined) return undefined;
  const rule = facts.model.destinationRules.effective(facts.proxy, cluster.host, cluster.service.namespace);
  const index = (rule?.subsets ?? []).findIndex(({ subset }) => subset.name === cluster.subset);
  const found = rule?.subsets[index];
  const all = facts.model.endpoints.of(cluster.service, cluster.port);
  if (found === undefined || all.length === 0) return undefined;
  const { from, path } = found.provenance;
  const labels = found.subset.labels ?? {};
  return {
    code: "subset-matches-nothing",
    object: from,
    field: `spec.subsets[${String(path[2] ?? index)}].labels`,
    says: `none of the ${all.length} endpoints of ${cluster.host} has the labels ${labelText(labels)} of subset ${cluster.subset}`,
    evidence: [
      ...evidence,
      kubernetes(
        `its endpoints have ${some(all.map((endpoint) => `${endpoint.address} ${labelText(endpoint.labels)}`))}`,
      ),
    ],
    fix: "Make the labels of the subset those of the pods.",
    weight: 94,
  };
}

/** The Endpoints of a ServiceEntry: none that is written, or none that DNS gives. */
function ofEntry(facts: Facts, cluster: ClusterFacts, evidence: readonly Evidence[]): readonly Guess[] {
  const entry = serviceRef(facts);
  const spec =
    entry === undefined ? undefined : facts.model.world.get("ServiceEntry", entry.namespace, entry.name)?.spec;
  if (entry === undefined || spec === undefined) return [];
  if (cluster.service?.resolution.includes("dns") === true) {
    const names = (spec.endpoints ?? []).flatMap(({ address }) => address ?? []);
    return [unresolved(facts, { entry, names: names.length === 0 ? [cluster.host] : names }, evidence)];
  }
  const selector = spec.workloadSelector?.labels;
  const common = { code: "entry-without-endpoints", object: entry, evidence, weight: 92 };
  if (selector === undefined)
    return [
      {
        ...common,
        field: "spec.endpoints",
        says: "it names no endpoint",
        fix: "Write its endpoints, or resolution DNS.",
      },
    ];
  return [
    {
      ...common,
      field: "spec.workloadSelector",
      says: `no pod or WorkloadEntry of its namespace has the labels ${labelText(selector)}`,
      fix: "Make the selector and the labels the same.",
    },
  ];
}

function unresolved(
  { cluster, proxy }: Facts,
  { entry, names }: { readonly entry: Guess["object"]; readonly names: readonly string[] },
  evidence: readonly Evidence[],
): Guess {
  const failures = proxy.count(new RegExp(`^cluster\\.${escaped(cluster?.name ?? "")};?\\.?.*update_(failure|empty)$`));
  const counted = failures === 0 ? [] : [envoy(proxy, `${failures} look-ups failed or gave nothing`)];
  return {
    code: "name-not-resolved",
    object: entry,
    field: "spec.resolution",
    says: `DNS gives no address for ${some(names)}`,
    evidence: [...evidence, ...counted],
    fix: "Name a host that DNS knows from within the pod, or write its addresses as endpoints with resolution STATIC.",
    weight: 92,
  };
}

function escaped(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&");
}
