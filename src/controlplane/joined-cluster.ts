import type { Cluster } from "../resources/cluster.ts";
import type { World } from "../resources/world.ts";

/** Another cluster, once it is known. */
export interface Joined {
  readonly clusterId: string;
  readonly cluster: Cluster;
  readonly world: World;
}
