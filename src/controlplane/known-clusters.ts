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

/** `remote` gives the API server of another cluster. */
export function createKnownClusters(
  members: Members,
  own: Reviewer,
  remote: (clusterId: string) => Reviewer | undefined = () => undefined,
): KnownClusters {
  const of = (is: (clusterId: string) => boolean): string | undefined => {
    const [first, ...others] = members.all();
    if (others.length === 0 || is(first.clusterId)) return first.clusterId;
    return others.find(({ clusterId }) => is(clusterId))?.clusterId;
  };
  return {
    named: (claim) => of((id) => claim === undefined || claim === "" || claim === id),
    isOwn: (clusterId) => clusterId === members.all()[0].clusterId,
    labelled: (label) => (label === undefined ? undefined : of((id) => label === peerLabel("cluster", id))),
    member: (clusterId) => members.all().find((member) => member.clusterId === clusterId),
    reviewer: (clusterId) => (clusterId === members.all()[0].clusterId ? own : remote(clusterId)),
  };
}
