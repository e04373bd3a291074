import type { Counter, Gauge } from "prom-client";
import { type MeshCounts, meshCounts, type ProxyCounts, proxyCounts } from "../model/mesh-counts.ts";
import type { Model } from "../model/model.ts";
import type { World } from "../resources/world.ts";
import type { MakeCounted, MakeCounter, MakeGauge } from "./metric-makers.ts";
import type { ClusterStatus } from "./remote-clusters.ts";
import type { XdsStream } from "./xds-stream.ts";

/** What is asked when metrics are read. */
export interface MetricSources {
  readonly world: Pick<World, "list">;
  /** Absent: nothing is said that only the model knows. */
  readonly model?: Model;
  readonly streams?: Iterable<XdsStream>;
  /** Other clusters of the mesh. */
  readonly remotes?: () => readonly ClusterStatus[];
}

interface Makers {
  readonly counted: MakeCounted;
  readonly counter: MakeCounter;
  readonly gauge: MakeGauge;
}

/** Gauges of what the mesh holds, and of what in it is in vain; asked for when they are read. Returns what does so. */
export function meshMetrics(sources: MetricSources, makers: Makers): () => void {
  const { world } = sources;
  makers.counted("pilot_services", "Services of the cluster, and hosts of ServiceEntries.", () =>
    world
      .list("ServiceEntry")
      .reduce((sum, { spec }) => sum + (spec?.hosts?.length ?? 0), world.list("Service").length),
  );
  makers.counted("pilot_virt_services", "VirtualServices.", () => world.list("VirtualService").length);
  const clusters = clusterMetrics(sources, makers);
  const { model } = sources;
  if (model === undefined) return clusters;
  const ofMesh = countsOf(makers);
  const ofProxies = proxyMetrics(sources, makers);
  return () => {
    clusters();
    ofMesh(meshCounts(model));
    ofProxies(proxyCounts(model, sidecarPods(sources)));
  };
}

/** Gauges by the count that each shows. */
const OF_MESH: Readonly<Record<Exclude<keyof MeshCounts, "lostProviders">, readonly [name: string, help: string]>> = {
  withoutInstances: ["pilot_eds_no_instances", "Ports of services without a ready endpoint."],
  dnsWithoutEndpoints: ["pilot_dns_cluster_without_endpoints", "Ports of services by DNS without a name to ask for."],
  duplicateClusters: ["pilot_duplicate_envoy_clusters", "Ports of hosts that more than one service has."],
  duplicateDomains: ["pilot_vservice_dup_domain", "Hosts of VirtualServices that an older VirtualService rules."],
  duplicateSubsets: ["pilot_destrule_subsets", "Subsets that more than one DestinationRule of a host defines."],
  tcpConflicts: [
    "pilot_conflict_outbound_listener_tcp_over_current_tcp",
    "TCP ports whose address another TCP service has.",
  ],
  endpointsWithoutPod: ["endpoint_no_pod", "Endpoints that belong to no pod we know."],
};

function countsOf({ gauge, counter }: Makers): (counts: MeshCounts) => void {
  const gauges = gaugesOf(OF_MESH, gauge);
  const failures = counter("provider_lookup_cluster_failures", "Providers whose service became unknown.", ["type"]);
  const before = new Map<string, number>();
  return (counts) => {
    for (const [key, one] of gauges) one.set(counts[key]);
    for (const kind of new Set([...before.keys(), ...Object.keys(counts.lostProviders)])) {
      const now = counts.lostProviders[kind] ?? 0;
      failures.inc({ type: kind }, Math.max(0, now - (before.get(kind) ?? 0)));
      before.set(kind, now);
    }
  };
}

const OF_PROXIES: Readonly<Record<keyof ProxyCounts, readonly [name: string, help: string]>> = {
  withoutService: ["pilot_no_ip", "Connected sidecars that no Service leads to."],
  notReady: ["pilot_endpoint_not_ready", "Connected sidecars whose pods are not ready."],
  inboundConflicts: [
    "pilot_conflict_inbound_listener",
    "Ports of connected sidecars' pods that two Services take by different protocols.",
  ],
};

function proxyMetrics({ streams = [] }: MetricSources, { gauge, counter }: Makers): (counts: ProxyCounts) => void {
  const gauges = gaugesOf(OF_PROXIES, gauge);
  const missing = counter(
    "pilot_sds_certificate_errors_total",
    "Certificates that a proxy asked for and that are not there.",
  );
  let before: ReadonlySet<string> = new Set();
  return (counts) => {
    for (const [key, one] of gauges) one.set(counts[key]);
    const now = new Set([...streams].flatMap(missingSecrets));
    missing.inc([...now].filter((one) => !before.has(one)).length);
    before = now;
  };
}

function missingSecrets(stream: XdsStream): readonly string[] {
  const table = stream.snapshot()?.secret;
  const asked = stream.subscription("secret")?.names ?? new Set<string>();
  return table === undefined
    ? []
    : [...asked].filter((name) => !table.has(name)).map((name) => `${stream.proxy} ${name}`);
}

function sidecarPods({ streams = [] }: MetricSources): readonly XdsStream["claim"][] {
  const pods = [...streams].map(({ claim }) => claim).filter(({ type, outside }) => type === "sidecar" && !outside);
  return [...new Map(pods.map((pod) => [`${pod.namespace}/${pod.name}`, pod])).values()];
}

const STATES: readonly ClusterStatus["syncStatus"][] = ["synced", "syncing", "timeout"];

function clusterMetrics({ remotes = () => [] }: MetricSources, { gauge, counter }: Makers): () => void {
  const managed = gauge("istiod_managed_clusters", "Clusters that are watched.", ["cluster_type"]);
  managed.set({ cluster_type: "local" }, 1);
  managed.set({ cluster_type: "remote" }, 0);
  const states = gauge("istiod_remote_cluster_sync_status", "1 for the state that another cluster is in.", [
    "cluster",
    "status",
  ]);
  const timeouts = counter("remote_cluster_sync_timeouts_total", "Clusters that did not answer in time.");
  let late: ReadonlySet<string> = new Set();
  return () => {
    const all = remotes();
    managed.set({ cluster_type: "remote" }, all.length);
    states.reset();
    for (const { id, syncStatus } of all)
      for (const status of STATES) states.set({ cluster: id, status }, Number(status === syncStatus));
    const now = new Set(all.filter(({ syncStatus }) => syncStatus === "timeout").map(({ id }) => id));
    timeouts.inc([...now].filter((id) => !late.has(id)).length);
    late = now;
  };
}

function gaugesOf<K extends string>(
  named: Readonly<Record<K, readonly [name: string, help: string]>>,
  gauge: MakeGauge,
): readonly (readonly [K, Gauge])[] {
  return (Object.entries(named) as [K, readonly [string, string]][]).map(([key, [name, help]]) => [
    key,
    gauge(name, help),
  ]);
}

/** Counts of events beside streams, signing and admission. */
export interface EventMetrics {
  /** Keys of a token issuer were fetched, or could not be. */
  readonly keysFetched: (isFetched: boolean) => void;
  /** A webhook configuration was to be written. */
  readonly webhookWritten: (kind: string, name: string, failure: string | undefined) => void;
  /** Something that is no review came to the validating webhook; `status` as answered. */
  readonly unreadableReview: (status: number) => void;
  /** A watch of a cluster's objects broke. */
  readonly watchFailed: (cluster: string) => void;
  /** What was heard of the Secrets of other clusters. */
  readonly remoteSecret: (event: "add" | "update" | "delete") => void;
}

export function eventMetrics(counter: MakeCounter): EventMetrics {
  const fetched = counter("pilot_jwks_resolver_network_fetch_success_total", "Keys of token issuers fetched.");
  const unfetched = counter("pilot_jwks_resolver_network_fetch_fail_total", "Keys of token issuers not fetched.");
  const updates = counter("galley_validation_config_updates", "Validating webhook configurations brought up to date.");
  const updateErrors = counter(
    "galley_validation_config_update_error",
    "Validating webhook configurations that could not be written.",
    ["reason"],
  );
  const unread = counter("galley_validation_http_error", "What came for validation and is no review.", ["status"]);
  const attempts = counter("webhook_patch_attempts_total", "Attempts to write an injecting webhook configuration.", [
    "name",
  ]);
  const failures = counter("webhook_patch_failures_total", "Attempts that failed; they are made again.", [
    "name",
    "reason",
  ]);
  const watches = counter("controller_sync_errors_total", "Lists and watches that failed; they are made again.", [
    "cluster",
  ]);
  const secrets = counter("remote_cluster_secret_events_total", "Changes of Secrets of other clusters.", ["event"]);
  return {
    keysFetched: (isFetched) => (isFetched ? fetched : unfetched).inc(),
    webhookWritten(kind, name, failure) {
      if (kind === "ValidatingWebhookConfiguration") countUpdate(updates, updateErrors, failure);
      else {
        attempts.inc({ name });
        if (failure !== undefined) failures.inc({ name, reason: failure });
      }
    },
    unreadableReview: (status) => unread.inc({ status }),
    watchFailed: (cluster) => watches.inc({ cluster }),
    remoteSecret: (event) => secrets.inc({ event }),
  };
}

function countUpdate(updates: Counter, errors: Counter, failure: string | undefined): void {
  if (failure === undefined) updates.inc();
  else errors.inc({ reason: failure });
}
