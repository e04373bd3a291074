import { MeshError } from "../base/errors.ts";
import type { ExplicitBind, Interception, Proxy } from "../ir/proxy.ts";
import type { Pod } from "../resources/core.ts";
import { peerLabels, peerOf } from "./workload.ts";

/** What an Envoy says of itself in its first request. */
export interface NodeFacts {
  /** `sidecar~10.1.0.5~web-abc.shop~shop.svc.cluster.local` */
  readonly id: string;
  /** Istio's metadata keys (control-plane.md 2.1). */
  readonly metadata: Readonly<Record<string, unknown>>;
}

/** The parts of a node id. */
export interface NodeId {
  readonly type: Proxy["type"];
  readonly ip: string;
  readonly name: string;
  readonly namespace: string;
  readonly dnsDomain: string;
}

/** Reads a node id; throws MeshError "node-id" when it is none of ours. */
export function parseNodeId(id: string): NodeId {
  const [type, ip, workload, dnsDomain, ...rest] = id.split("~");
  const dot = workload?.lastIndexOf(".") ?? -1;
  const known = type === "sidecar" || type === "router";
  if (!known || ip === undefined || workload === undefined || dnsDomain === undefined || dot < 1 || rest.length > 0) {
    throw new MeshError("node-id", `expected a node id like sidecar~IP~POD.NAMESPACE~DOMAIN, got "${id}"`);
  }
  return { type, ip, name: workload.slice(0, dot), namespace: workload.slice(dot + 1), dnsDomain };
}

/**
 * A connected Envoy: address and interception by its own word, labels and account only by its pod. Without a pod it has no
 * labels, so that nothing that selects by labels takes it for somebody else.
 */
export function proxyOf(node: NodeFacts, pod: Pod | undefined, clusterId: string): Proxy {
  const { type, ip, name, namespace, dnsDomain } = parseNodeId(node.id);
  const { INSTANCE_IPS: ips, INTERCEPTION_MODE: mode, MESH_BIND: bind } = node.metadata;
  const addresses = typeof ips === "string" && ips !== "" ? ips.split(",") : [ip];
  return {
    id: node.id,
    type,
    addresses,
    namespace,
    name,
    labels: pod?.metadata.labels ?? {},
    serviceAccount: pod?.spec?.serviceAccountName ?? "default",
    clusterId,
    dnsDomain,
    interception: interceptionOf(mode),
    bind: typeof bind === "string" ? parseBind(bind) : undefined,
    peer:
      pod === undefined ? peerOf({ workload: name, ns: namespace, cluster: clusterId }) : peerLabels(pod, clusterId),
  };
}

function interceptionOf(mode: unknown): Interception {
  return mode === "NONE" || mode === "TPROXY" ? mode : "REDIRECT";
}

/** Reads MESH_BIND; throws MeshError "mesh-bind" when it is not what the local node writes. */
export function parseBind(text: string): ExplicitBind | undefined {
  if (text === "") return undefined;
  const bad = (cause?: unknown): MeshError =>
    new MeshError("mesh-bind", `expected {"prefix","appAddress","httpProxyPort"} as MESH_BIND, got ${text}`, { cause });
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw bad(error);
  }
  const { prefix, appAddress, httpProxyPort } = (value ?? {}) as Partial<Record<keyof ExplicitBind, unknown>>;
  if (typeof prefix !== "string" || typeof appAddress !== "string" || typeof httpProxyPort !== "number") throw bad();
  return { prefix, appAddress, httpProxyPort };
}
