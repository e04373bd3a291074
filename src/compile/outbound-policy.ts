import type { Provenance } from "../ir/provenance.ts";
import { MESH_CONFIG_MAP } from "../model/mesh-config.ts";
import type { Model } from "../model/model.ts";
import { resolveHost } from "../model/host.ts";
import type { Sidecar } from "../model/sidecars.ts";
import type { Viewer } from "../model/sight.ts";
import { refOf } from "../resources/object.ts";
import { BLACK_HOLE, outboundCluster, PASSTHROUGH } from "./names.ts";

/** What happens to traffic that no known service takes. */
export interface OutboundPolicy {
  readonly mode: "ALLOW_ANY" | "REGISTRY_ONLY";
  /** Where it goes: where it wanted to, nowhere, or to the Sidecar's egressProxy. */
  readonly cluster: string;
  readonly provenance: Provenance;
}

/** `outboundTrafficPolicy` of the caller's Sidecar (REGISTRY_ONLY when it names no mode), else of the mesh configuration. */
export function outboundPolicy(model: Model, viewer: Viewer): OutboundPolicy {
  const sidecar = model.sight.sidecar(viewer);
  const own = sidecar?.spec?.outboundTrafficPolicy;
  if (sidecar === undefined || own === undefined) {
    const mode = model.meshConfig().outboundTrafficPolicy;
    const from = { kind: "ConfigMap", namespace: model.rootNamespace, name: MESH_CONFIG_MAP };
    const provenance: Provenance = { from, path: ["data", "mesh", "outboundTrafficPolicy"], lost: [] };
    return { mode, cluster: clusterOf(mode), provenance };
  }
  const mode = own.mode ?? "REGISTRY_ONLY";
  const provenance: Provenance = { from: refOf(sidecar), path: ["spec", "outboundTrafficPolicy"], lost: [] };
  const { egressProxy } = own;
  if (mode === "REGISTRY_ONLY" || egressProxy === undefined) return { mode, cluster: clusterOf(mode), provenance };
  const host = resolveHost(egressProxy.host, refOf(sidecar).namespace, model.domain);
  return { mode, cluster: proxyCluster(model, viewer, { ...egressProxy, host }), provenance };
}

type EgressProxy = NonNullable<NonNullable<NonNullable<Sidecar["spec"]>["outboundTrafficPolicy"]>["egressProxy"]>;

/** Without a port it is the first of the service. */
function proxyCluster(model: Model, viewer: Viewer, { host, port, subset = "" }: EgressProxy): string {
  const [first] = model.sight.visible(viewer, host)?.ports ?? [];
  return outboundCluster({ port: port?.number ?? first?.number ?? 0, subset, host });
}

function clusterOf(mode: OutboundPolicy["mode"]): string {
  return mode === "ALLOW_ANY" ? PASSTHROUGH : BLACK_HOLE;
}
