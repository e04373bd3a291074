import type { Derivations } from "../base/derive.ts";
import type { World } from "../resources/world.ts";
import type { MeshConfig } from "./mesh-config.ts";

/** What the parts of the model stand on. */
export interface ModelContext {
  readonly world: World;
  readonly derivations: Derivations;
  readonly rootNamespace: string;
  /** DNS suffix of the cluster, e.g. `cluster.local`. */
  readonly domain: string;
  readonly clusterId: string;
  readonly meshConfig: () => MeshConfig;
}
