import { resolveHost } from "../../model/host.ts";
import type { Subset } from "../../model/destination-rules.ts";
import { selects } from "../../model/selectors.ts";
import type { KindTypes } from "../../resources/kinds.ts";
import { type AnalyzerInput, defineAnalyzer } from "../analyzer.ts";
import { canTellHost, hostHint } from "./shared-hosts.ts";
import { labelsText, listText } from "./shared-names.ts";

/**
 * A DestinationRule for a host that no service has does nothing. A subset that no pod of the service belongs to has no
 * endpoints: requests routed to it are answered 503 (response flag UH).
 */
export const destinationruleReference = defineAnalyzer({
  name: "destinationrule-reference",
  summary: "Checks that hosts of DestinationRules exist and that each subset has pods of the service.",
  reads: ["DestinationRule", "Service", "ServiceEntry", "WorkloadEntry", "Pod", "ConfigMap"],
  codes: ["IST0173", "IST0174"],
  analyze: (input) => {
    for (const object of input.world.list("DestinationRule")) {
      const namespace = object.metadata.namespace ?? "";
      const host = resolveHost(object.spec?.host ?? "", namespace, input.model.domain);
      if (!input.model.hosts.exists(namespace, host)) reportHost(input, object, host);
      else if ((object.spec?.subsets ?? []).length > 0 && !host.startsWith("*")) checkSubsets(input, object, host);
    }
  },
});

type Labels = Readonly<Record<string, string>>;
type Rule = KindTypes["DestinationRule"];
type Input = AnalyzerInput<
  "DestinationRule" | "Service" | "ServiceEntry" | "WorkloadEntry" | "Pod" | "ConfigMap",
  "IST0173" | "IST0174"
>;

function reportHost(input: Input, object: Rule, host: string): void {
  const { namespace = "" } = object.metadata;
  if (!canTellHost(input, namespace, host))
    return input.unknown(`host ${host}: no service of its namespace is in the files`);
  const where = hostHint(input, namespace, host);
  input.report(object, ["spec", "host"], "IST0174", { host: object.spec?.host ?? "", where });
}

function checkSubsets(input: Input, object: Rule, host: string): void {
  const candidates = endpointLabels(input, object.metadata.namespace ?? "", host);
  if (candidates === undefined) return;
  if (candidates.length === 0 && !input.complete)
    return input.unknown(`subsets of ${host}: no workload of the service is in the files`);
  for (const [index, subset] of (object.spec?.subsets ?? []).entries()) {
    const labels = withoutTopology(subset);
    if (candidates.some((candidate) => selects(labels, candidate)) || Object.keys(labels).length === 0) continue;
    const where = advice(labels, candidates);
    input.report(object, ["spec", "subsets", index], "IST0173", { subset: subset.name, where });
  }
}

/** Labels of all that stands behind a host; undefined where nobody can say (a Service without selector, DNS names). */
function endpointLabels({ world, model }: Input, namespace: string, host: string): readonly Labels[] | undefined {
  const service = model.services.visible(namespace, host);
  if (service === undefined) return undefined;
  const pods = (selector: Labels): readonly Labels[] =>
    model.workloads.selected(service.namespace, selector).map(({ metadata }) => metadata.labels ?? {});
  if (service.from.kind === "Service") return service.selector === undefined ? undefined : pods(service.selector);
  const entry = world.get("ServiceEntry", service.namespace, service.from.name);
  const { selector } = service;
  if (selector === undefined) {
    const endpoints = entry?.spec?.endpoints ?? [];
    return endpoints.length === 0 ? undefined : endpoints.map(({ labels = {} }) => labels);
  }
  const machines = world.list("WorkloadEntry", service.namespace).map(({ spec }) => spec?.labels ?? {});
  return [...pods(selector), ...machines.filter((labels) => selects(selector, labels))];
}

/** Labels that endpoints get from where they run, and that pods do not carry themselves. */
const TOPOLOGY: ReadonlySet<string> = new Set([
  "topology.kubernetes.io/region",
  "topology.kubernetes.io/zone",
  "topology.istio.io/subzone",
  "topology.istio.io/network",
  "topology.istio.io/cluster",
  "kubernetes.io/hostname",
]);

function withoutTopology({ labels = {} }: Subset): Labels {
  return Object.fromEntries(Object.entries(labels).filter(([key]) => !TOPOLOGY.has(key)));
}

/** What the pods have in place of the label that none has. */
function advice(labels: Labels, candidates: readonly Labels[]): string {
  const [key, value] =
    Object.entries(labels).find((pair) => !candidates.some((candidate) => candidate[pair[0]] === pair[1])) ?? [];
  if (key === undefined || value === undefined) return `No one pod of the service has all of ${labelsText(labels)}.`;
  const values = [...new Set(candidates.flatMap((candidate) => candidate[key] ?? []))].toSorted();
  if (values.length === 0) return `Give pods of the service the label ${key}=${value}.`;
  return `Pods of the service have ${listText(
    values.map((each) => `${key}=${each}`),
    ", ",
  )}.`;
}
