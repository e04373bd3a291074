import type { ClusterMatch, EnvoyPatch } from "../../ir/envoy-patch.ts";
import type { EnvoyCluster } from "../types.ts";
import type { ReadyPatch } from "./list.ts";
import { mergedMessage } from "./merge.ts";
import { holds, type Loose } from "./message.ts";

/** A cluster after all patches; undefined when one removes it. */
export function patchedCluster(
  cluster: EnvoyCluster,
  patches: readonly ReadyPatch[],
  isRouter: boolean,
): EnvoyCluster | undefined {
  const name = cluster.name ?? "";
  let made = cluster as Loose;
  for (const { patch, value } of patches) {
    if (patch.applyTo !== "CLUSTER" || patch.operation === "ADD") continue;
    if (!isOf(name, patch, isRouter) || !matches(name, patch.cluster)) continue;
    if (patch.operation === "REMOVE") return undefined;
    if (!patch.operation.startsWith("MERGE")) continue;
    const lists = patch.operation === "MERGE" ? "join" : "replace";
    made = { ...mergedMessage("envoy.config.cluster.v3.Cluster", made, value, lists), name };
  }
  return made as EnvoyCluster;
}

function isInbound(name: string): boolean {
  return name.startsWith("inbound|") || name === "InboundPassthroughCluster";
}

function isOf(name: string, { context }: EnvoyPatch, isRouter: boolean): boolean {
  if (context === "ANY") return true;
  if (isRouter) return context === "GATEWAY";
  return context === (isInbound(name) ? "SIDECAR_INBOUND" : "SIDECAR_OUTBOUND");
}

/** By its whole name, or by the parts of it: `outbound|80|v1|host`, `inbound|8080||`. */
function matches(name: string, match: ClusterMatch | undefined): boolean {
  if (match === undefined) return true;
  if (match.name !== undefined && match.name !== "") return match.name === name;
  const [, port, subset, host] = name.split("|");
  return (
    holds(match.portNumber === undefined ? "" : String(match.portNumber || ""), port) &&
    holds(match.subset, subset) &&
    (isInbound(name) || holds(match.service, host))
  );
}
