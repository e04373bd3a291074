import type { ChainNeed } from "../ir/listener.ts";
import type { WeightedCluster } from "../ir/route.ts";
import type { MeshService, ServicePort, Session } from "../ir/service.ts";
import type { Model } from "../model/model.ts";
import type { Viewer } from "../model/sight.ts";
import { parseOutboundCluster } from "./names.ts";

/** How the first of these clusters' services that keeps sessions keeps them; undefined when none does. */
export function sessionOf(
  model: Model,
  caller: Viewer,
  clusters: readonly Pick<WeightedCluster, "cluster">[],
): Session | undefined {
  for (const { cluster } of clusters) {
    const parsed = parseOutboundCluster(cluster);
    const session = parsed === undefined ? undefined : model.sight.visible(caller, parsed.host)?.session;
    if (session !== undefined) return session;
  }
  return undefined;
}

/** What chains with routes to a service need, or to one port of it. */
export function needsOf({ session, resolution, ports }: MeshService, port?: ServicePort): readonly ChainNeed[] {
  const isGrpc = (port === undefined ? ports : [port]).some(({ protocol }) => protocol === "grpc");
  return [
    ...(resolution === "dynamic-dns" ? (["dynamic-dns"] as const) : []),
    ...(isGrpc ? (["grpc"] as const) : []),
    ...(session === undefined ? [] : (["sessions"] as const)),
  ];
}
