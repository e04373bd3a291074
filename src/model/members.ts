import type { World } from "../resources/world.ts";
import type { ModelContext } from "./context.ts";
import { createPods, type Pods } from "./pods.ts";

/** Label of the Secrets that hold the way to another cluster: each key is the cluster's name, its value a kubeconfig. Istio's. */
export const REMOTE_SECRET_LABEL = "istio/multiCluster";

/**
 * Annotation of the control plane's namespace in a cluster without a control plane: names of the clusters whose control planes
 * keep what that cluster needs of one, with commas; `*`: any. Istio's.
 */
export const CONTROLLERS_ANNOTATION = "topology.istio.io/controlPlaneClusters";

/** The objects of a further cluster of the mesh. */
export interface RemoteWorld {
  readonly clusterId: string;
  readonly world: World;
}

/** One cluster of the mesh: its objects, and questions about its pods. */
export interface Member extends RemoteWorld {
  readonly pods: Pods;
}

/**
 * The clusters of the mesh. Each has a World of its own, and what they have in common (a service of one name and namespace in
 * several of them) is put together by who asks here: an object never says which cluster it came from.
 */
export interface Members {
  /** Our own cluster first, the others by name; tracked. Rules of traffic and security are read from our own alone. */
  all(): readonly [Member, ...Member[]];
  /** The cluster of this name; our own where nobody knows it. Tracked. */
  of(clusterId: string): Member;
}

/** `remotes` is tracked. A cluster that comes with new credentials comes with a new World. */
export function createMembers(context: ModelContext, pods: Pods, remotes?: () => readonly RemoteWorld[]): Members {
  const own: Member = { clusterId: context.clusterId, world: context.world, pods };
  const alone: readonly [Member] = [own];
  const known = new WeakMap<World, Member>();
  const memberOf = (remote: RemoteWorld): Member => {
    const { clusterId, world } = remote;
    const member = known.get(world) ?? { ...remote, pods: createPods({ ...context, world, clusterId }) };
    known.set(world, member);
    return member;
  };
  const all = (): readonly [Member, ...Member[]] => {
    const others = (remotes?.() ?? []).filter(({ clusterId }) => clusterId !== own.clusterId);
    return others.length === 0 ? alone : [own, ...others.map(memberOf)];
  };
  return { all, of: (clusterId) => all().find((member) => member.clusterId === clusterId) ?? own };
}
