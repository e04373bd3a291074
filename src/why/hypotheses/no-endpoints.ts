import { namedSelector, selects } from "../../model/selectors.ts";
import type { Pod } from "../../resources/core.ts";
import type { ClusterFacts, Evidence, Facts, Guess, Hypothesis } from "../types.ts";
import { below, envoy, kubernetes, logged, madeBy, object, refNamed, refText, refTo, some } from "../words.ts";

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
    if (ejected.length > 0) return [ejection(facts, cluster, [...evidence])];
    if (hosts.some(({ unhealthy }) => unhealthy.length === 0)) return [];
    return cluster.service.from.kind === "Service"
      ? ofService(facts, cluster, evidence)
      : ofEntry(facts, cluster, evidence);
  },
};

function hostText({ address, unhealthy }: { readonly address: string; readonly unhealthy: readonly string[] }): string {
  return unhealthy.length === 0 ? address : `${address} (${unhealthy.join(", ")})`;
}

function ejection(facts: Facts, cluster: ClusterFacts, evidence: readonly Evidence[]): Guess {
  const source = madeBy(cluster.message, facts);
  const isRule = source?.object.startsWith("DestinationRule ") === true;
  const named = refNamed(source?.object ?? "");
  const spec = isRule ? facts.model.world.get("DestinationRule", named.namespace, named.name)?.spec : undefined;
  const settings = spec?.trafficPolicy?.outlierDetection;
  return {
    code: "ejected",
    object: isRule
      ? named
      : refTo({ kind: cluster.service?.from.kind ?? "", metadata: cluster.service?.from ?? { name: "" } }),
    ...(isRule ? { field: below(source, "outlierDetection") } : {}),
    says: "its outlier detection ejected every endpoint after failed requests",
    evidence:
      settings === undefined
        ? evidence
        : [...evidence, object(named, `outlierDetection is ${JSON.stringify(settings)}`)],
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
    stateOf(pod, [...evidence, kubernetes(`${refText(ref)} selects ${refText(refTo(pod))}`)]),
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

interface ContainerStatus {
  readonly name?: string;
  readonly restartCount?: number;
  readonly state?: { readonly waiting?: { readonly reason?: string; readonly message?: string } };
  readonly lastState?: { readonly terminated?: { readonly exitCode?: number; readonly reason?: string } };
}

/** Why a pod gets no requests. */
function stateOf(pod: Pod, evidence: readonly Evidence[]): readonly Guess[] {
  const ref = refTo({ ...pod, kind: "Pod" });
  const withheld = pod.metadata.annotations?.["traffic.meshctl.io/withhold"];
  if (withheld !== undefined)
    return [
      {
        code: "pods-withheld",
        object: ref,
        field: 'metadata.annotations["traffic.meshctl.io/withhold"]',
        says: "it is taken out of traffic",
        evidence: [...evidence, kubernetes(`annotation traffic.meshctl.io/withhold is ${withheld}`)],
        fix: "Bring it back with meshctl bring.",
        weight: 93,
      },
    ];
  if (pod.status?.conditions?.some(({ type, status }) => type === "Ready" && status === "True") === true) return [];
  const containers = (pod.status?.["containerStatuses"] ?? []) as readonly ContainerStatus[];
  const waiting = containers.find(({ state }) => state?.waiting?.reason !== undefined);
  const reason = waiting?.state?.waiting?.reason ?? "";
  const { exitCode, reason: why } = waiting?.lastState?.terminated ?? {};
  if (reason === "CrashLoopBackOff" || exitCode !== undefined)
    return [
      {
        code: "pods-crash",
        object: ref,
        says: `its container ${waiting?.name ?? ""} ends again and again`,
        evidence: [
          ...evidence,
          kubernetes(
            `${reason}, ${waiting?.restartCount ?? 0} restarts, last exit code ${exitCode ?? "unknown"}${why === undefined ? "" : ` (${why})`}`,
          ),
        ],
        fix: `Read what it wrote last: kubectl logs -n ${ref.namespace} ${ref.name} -c ${waiting?.name ?? ""} --previous.`,
        weight: 94,
      },
    ];
  if (reason !== "" || pod.status?.phase === "Pending")
    return [
      {
        code: "pods-not-started",
        object: ref,
        says: `it does not start${reason === "" ? "" : `: ${reason}`}`,
        evidence: [
          ...evidence,
          kubernetes(
            `phase ${pod.status?.phase ?? "unknown"}${reason === "" ? "" : `, container ${waiting?.name ?? ""} waits: ${reason}`}`,
          ),
        ],
        fix: `Look at its events: kubectl describe pod -n ${ref.namespace} ${ref.name}.`,
        weight: 94,
      },
    ];
  return [
    {
      code: "pods-not-ready",
      object: ref,
      says: "it runs, and its readiness probe does not succeed",
      evidence: [...evidence, kubernetes("condition Ready is False, no container waits")],
      fix: `Look at its probe: kubectl describe pod -n ${ref.namespace} ${ref.name}.`,
      weight: 92,
    },
  ];
}

function ofEntry(
  { model, symptom, proxy }: Facts,
  cluster: ClusterFacts,
  evidence: readonly Evidence[],
): readonly Guess[] {
  const { service } = cluster;
  const from = service?.from;
  const spec = from === undefined ? undefined : model.world.get("ServiceEntry", from.namespace, from.name)?.spec;
  if (from === undefined || service === undefined || spec === undefined) return [];
  const entry = refTo({ kind: "ServiceEntry", metadata: from });
  if (/dns/.test(service.resolution)) {
    const failures = proxy.count(new RegExp(`^cluster\\.${escaped(cluster.name)};?\\.?.*update_(failure|empty)$`));
    const names = (spec.endpoints ?? []).map(({ address }) => address ?? "");
    return [
      {
        code: "name-not-resolved",
        object: entry,
        field: "spec.resolution",
        says: `DNS gives no address for ${some(names.length === 0 ? [cluster.host] : names)}`,
        evidence:
          failures === 0 ? evidence : [...evidence, envoy(proxy, `${failures} look-ups failed or gave nothing`)],
        fix: "Name a host that DNS knows from within the pod, or write its addresses as endpoints with resolution STATIC.",
        weight: symptom.flags.includes("DF") ? 95 : 92,
      },
    ];
  }
  const selector = spec.workloadSelector?.labels;
  return [
    {
      code: "entry-without-endpoints",
      object: entry,
      field: selector === undefined ? "spec.endpoints" : "spec.workloadSelector",
      says:
        selector === undefined
          ? "it names no endpoint"
          : `no pod or WorkloadEntry of its namespace has the labels ${labelText(selector)}`,
      evidence,
      fix:
        selector === undefined
          ? "Write its endpoints, or resolution DNS."
          : "Make the selector and the labels the same.",
      weight: 92,
    },
  ];
}

function escaped(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&");
}
