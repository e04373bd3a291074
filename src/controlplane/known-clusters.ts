import { UsageError } from "../base/errors.ts";
import { peerLabel } from "../base/peer.ts";
import type { Member, Members } from "../model/members.ts";
import type { Cluster } from "../resources/cluster.ts";

/** What is asked of a cluster about its workloads. */
export type Reviewer = Pick<Cluster, "reviewToken" | "mayAccount">;

/** The clusters whose workloads this control plane serves: its own, and those of remote secrets. */
export interface KnownClusters {
  /**
   * The name of the cluster that a workload says it is in: ours where it says nothing; undefined where nobody knows it. A mesh of
   * one cluster does not care what its workloads call it. Tracked.
   */
  named(claim: string | undefined): string | undefined;
  /** The same by what a certificate says of its cluster. Tracked. */
  labelled(label: string | undefined): string | undefined;
  /** Whether it is our own. */
  isOwn(clusterId: string): boolean;
  /** Its objects; undefined until they are known. Tracked. */
  member(clusterId: string): Member | undefined;
  /** Its API server; undefined when nobody has the way to it. */
  reviewer(clusterId: string): Reviewer | undefined;
}

/** Our own cluster, and by which other names workloads may call clusters. */
export interface OwnCluster {
  readonly cluster: Reviewer;
  /** The cluster's name by each of its aliases (Istio's `clusterAliases`): what it was called before, for example. */
  readonly clusterAliases?: Readonly<Record<string, string>>;
}

/** `remote` gives the API server of another cluster. */
export function createKnownClusters(
  members: Members,
  { cluster: own, clusterAliases = {} }: OwnCluster,
  remote: (clusterId: string) => Reviewer | undefined = () => undefined,
): KnownClusters {
  const aliases = Object.entries(clusterAliases);
  const labels = (id: string): readonly string[] =>
    [id, ...aliases.flatMap(([alias, of]) => (of === id ? alias : []))].map((name) => peerLabel("cluster", name));
  const meant = (claim: string): string => aliases.find(([alias]) => alias === claim)?.[1] ?? claim;
  const of = (is: (clusterId: string) => boolean): string | undefined => {
    const [first, ...others] = members.all();
    if (others.length === 0 || is(first.clusterId)) return first.clusterId;
    return others.find(({ clusterId }) => is(clusterId))?.clusterId;
  };
  return {
    named: (claim) => of((id) => claim === undefined || claim === "" || meant(claim) === id),
    isOwn: (clusterId) => clusterId === members.all()[0].clusterId,
    labelled: (label) => (label === undefined ? undefined : of((id) => labels(id).includes(label))),
    member: (clusterId) => members.all().find((member) => member.clusterId === clusterId),
    reviewer: (clusterId) => (clusterId === members.all()[0].clusterId ? own : remote(clusterId)),
  };
}

/**
 * Aliases as CLUSTER_ALIASES and --clusterAliases write them: `alias=cluster` with commas. Throws UsageError for another form, and
 * for a cluster with two aliases, which Istio refuses too.
 */
export function parseClusterAliases(text = ""): Readonly<Record<string, string>> {
  const pairs = text.split(",").flatMap((item) => (item.trim() === "" ? [] : [item.trim().split("=")]));
  const aliases = new Map<string, string>();
  for (const [alias = "", id = "", ...more] of pairs) {
    if (alias === "" || id === "" || more.length > 0)
      throw new UsageError(`cluster aliases: expected alias=cluster, with commas between, got "${text}"`);
    if (aliases.has(alias) || [...aliases.values()].includes(id))
      throw new UsageError(
        `cluster aliases: more than one for ${aliases.has(alias) ? `name ${alias}` : `cluster ${id}`}`,
      );
    aliases.set(alias, id);
  }
  return Object.fromEntries(aliases);
}
