import type { PeerLabels } from "../base/peer.ts";
import { peerLabels } from "../model/workload.ts";
import type { Peer } from "../grpc/server.ts";
import type { World } from "../resources/world.ts";
import type { Pod } from "../resources/core.ts";
import type { Caller } from "./caller.ts";
import { peerOfCaller } from "./node.ts";
import type { Shared } from "./shared.ts";

const WAIT_MS = 5_000;

/** The pod of a cluster that a caller's credential names, when it runs as the caller's account. Tracked. */
function podOf(world: World, caller: Caller): Pod | undefined {
  const { namespace, serviceAccount } = caller.identity;
  const pod =
    caller.podName === undefined
      ? world.list("Pod", namespace).find(({ metadata }) => metadata.uid === caller.podUid)
      : world.get("Pod", namespace, caller.podName);
  if (pod === undefined || pod.metadata.uid !== caller.podUid) return undefined;
  return (pod.spec?.serviceAccountName ?? "default") === serviceAccount ? pod : undefined;
}

/**
 * What the caller's pod tells its peers: one of the cluster that its credential is of, else of the one that it says. A pod that was made a moment ago may be known to the API server before it is to us:
 * it is waited for. Undefined when it does not come.
 */
export function peerLabelsOf(
  { state, clusters }: Pick<Shared, "state" | "clusters">,
  caller: Caller,
  peer: Pick<Peer, "clusterId">,
): Promise<PeerLabels | undefined> {
  const clusterId = caller.clusterId ?? clusters.named(peer.clusterId);
  if (clusterId === undefined) return Promise.resolve(undefined);
  if (caller.podUid === undefined) return Promise.resolve(peerOfCaller(caller, clusterId));
  return new Promise((resolve) => {
    let isDone = false;
    let stop: (() => void) | undefined;
    const finish = (labels: PeerLabels | undefined): void => {
      if (isDone) return;
      isDone = true;
      clearTimeout(timer);
      // Not from inside the effect that found it.
      queueMicrotask(() => stop?.());
      resolve(labels);
    };
    const timer = setTimeout(finish, WAIT_MS, undefined);
    stop = state.derivations.effect(() => {
      const world = clusters.member(clusterId)?.world;
      const pod = world === undefined ? undefined : podOf(world, caller);
      if (pod !== undefined) finish(peerLabels(pod, clusterId));
    });
  });
}
