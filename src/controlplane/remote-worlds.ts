import type { Derivations } from "../base/derive.ts";
import type { RemoteWorld } from "../model/members.ts";
import { byText } from "../model/order.ts";
import type { World } from "../resources/world.ts";

/** The Worlds of the mesh's other clusters, as they come and go. */
export interface RemoteWorlds {
  /** By name; tracked. */
  list(): readonly RemoteWorld[];
  /** Puts the World of a cluster in place of the one before; `undefined` takes it out. */
  set(clusterId: string, world: World | undefined): void;
}

export function createRemoteWorlds(derivations: Derivations): RemoteWorlds {
  const worlds = new Map<string, World>();
  const mark = derivations.mark();
  return {
    list() {
      mark.touch();
      return [...worlds]
        .map(([clusterId, world]) => ({ clusterId, world }))
        .toSorted((a, b) => byText(a.clusterId, b.clusterId));
    },
    set(clusterId, world) {
      if (worlds.get(clusterId) === world) return;
      if (world === undefined) worlds.delete(clusterId);
      else worlds.set(clusterId, world);
      mark.changed();
    },
  };
}
