import { isIP } from "node:net";
import { COUNTS_METADATA } from "../base/agent-counts.ts";
import { compact } from "../base/compact.ts";
import type { ExplicitBind, Interception, Proxy, ProxyDns } from "../ir/proxy.ts";
import type { ProxySettings } from "../ir/proxy-settings.ts";
import type { OwnTracing } from "../ir/telemetry.ts";
import { ownTracing } from "../model/own-tracing.ts";
import { proxySettings } from "../model/proxy-settings.ts";
import { registeredName } from "../model/workload-entries.ts";
import { parseLocality } from "../model/pods.ts";
import { peerLabels, peerOf } from "../model/workload.ts";
import type { Pod } from "../resources/core.ts";
import type { KindTypes } from "../resources/kinds.ts";
import type { Messages } from "../wire/codec.ts";
import type { Caller } from "./caller.ts";

/** What an Envoy says of itself in its first request, as far as we read it. */
export interface NodeClaim {
  readonly id: string;
  readonly type: Proxy["type"];
  readonly address: string;
  readonly name: string;
  readonly namespace: string;
  readonly dnsDomain: string;
  readonly serviceAccount: string | undefined;
  readonly clusterId: string;
  readonly version: string;
  /** Texts of its metadata. */
  readonly metadata: Readonly<Record<string, string>>;
  readonly addresses: readonly string[];
  readonly interception: Interception;
  readonly bind: ExplicitBind | undefined;
  /** Its agent answers DNS queries. */
  readonly dns: ProxyDns | undefined;
  /** What its own configuration asks of its listeners. */
  readonly settings: ProxySettings | undefined;
  readonly tracing: OwnTracing | undefined;
  /** No pod: a workload that stands for a WorkloadEntry. */
  readonly outside: OutsideClaim | undefined;
}

/** A workload outside the cluster. */
export interface OutsideClaim {
  /** Its WorkloadEntry, in the node's namespace. */
  readonly entry: string;
  /** The WorkloadGroup that the entry is to be made from; undefined when the entry is the user's. */
  readonly group: string | undefined;
  readonly network: string | undefined;
  /** Whether its agent checks the application's health. */
  readonly checked: boolean;
}

type Node = Messages["envoy.config.core.v3.Node"];
type Metadata = Readonly<Record<string, unknown>>;

/** Reads a Node; a text is why it cannot be served. */
export function readNode(node: Node | undefined): NodeClaim | string {
  if (node?.id === undefined) return "the first request must carry a node with an id";
  const id = readId(node.id);
  if (typeof id === "string") return id;
  const metadata = (node.metadata ?? {}) as Metadata;
  const addresses = readAddresses(metadata, id.address);
  if (addresses.length === 0) return "expected an IP address in the node id or in INSTANCE_IPS";
  const bind = readBind(text(metadata, "MESH_BIND"));
  if (typeof bind === "string") return bind;
  return {
    ...id,
    namespace: text(metadata, "NAMESPACE") ?? id.namespace,
    serviceAccount: text(metadata, "SERVICE_ACCOUNT"),
    clusterId: text(metadata, "CLUSTER_ID") ?? "Kubernetes",
    version: text(metadata, "ISTIO_VERSION") ?? "",
    metadata: textsOf(metadata),
    addresses,
    interception: readInterception(text(metadata, "INTERCEPTION_MODE")),
    bind,
    dns: readDns(metadata),
    settings: settingsOf(metadata, id.type),
    tracing: ownTracing(metadata["PROXY_CONFIG"]),
    outside: readOutside(metadata, addresses[0] ?? ""),
  };
}

/** What the proxy's configuration asks, and what its agent can do: Istio's tells its version, and nothing of counts. */
function settingsOf(metadata: Metadata, type: NodeClaim["type"]): ProxySettings | undefined {
  const own = proxySettings(metadata["PROXY_CONFIG"], type);
  const isForeign = metadata["ISTIO_VERSION"] !== undefined && metadata[COUNTS_METADATA] === undefined;
  return isForeign ? { ...own, agent: "foreign" } : own;
}

function textsOf(metadata: Metadata): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(metadata).filter((pair): pair is [string, string] => typeof pair[1] === "string"),
  );
}

function readOutside(metadata: Metadata, address: string): OutsideClaim | undefined {
  const network = text(metadata, "NETWORK");
  const group = text(metadata, "AUTO_REGISTER_GROUP");
  const entry = group === undefined ? text(metadata, "WORKLOAD_ENTRY") : registeredName(group, address, network);
  if (entry === undefined) return undefined;
  const { readinessProbe } = (metadata["PROXY_CONFIG"] ?? {}) as { readonly readinessProbe?: unknown };
  return { entry, group, network, checked: readinessProbe !== undefined };
}

type IdParts = Pick<NodeClaim, "id" | "type" | "address" | "name" | "namespace" | "dnsDomain">;

/** `sidecar~10.1.0.5~web-abc.shop~shop.svc.cluster.local` */
function readId(id: string): IdParts | string {
  const parts = id.split("~");
  const [type, address = "", workload = "", dnsDomain = ""] = parts;
  if (parts.length !== 4) return `expected a node id of the form type~ip~name.namespace~domain, got ${brief(id)}`;
  if (type !== "sidecar" && type !== "router")
    return `expected a node of type sidecar or router, got ${brief(type ?? "")}`;
  const dot = workload.lastIndexOf(".");
  if (dot <= 0) return `expected name.namespace in the node id, got ${brief(workload)}`;
  return { id, type, address, name: workload.slice(0, dot), namespace: workload.slice(dot + 1), dnsDomain };
}

function readAddresses(metadata: Metadata, address: string): string[] {
  const listed = (text(metadata, "INSTANCE_IPS") ?? "").split(",").filter((ip) => isIP(ip) !== 0);
  return listed.length > 0 ? listed : [address].filter((ip) => isIP(ip) !== 0);
}

function text(metadata: Metadata, key: string): string | undefined {
  const value = metadata[key];
  return typeof value === "string" && value !== "" ? value : undefined;
}

function brief(value: string): string {
  return JSON.stringify(value.length > 80 ? `${value.slice(0, 80)}…` : value);
}

function readInterception(mode: string | undefined): Interception {
  return mode === "NONE" || mode === "TPROXY" ? mode : "REDIRECT";
}

/** Addresses are given unless the proxy says no: so does Istio's control plane since it allocates by itself. */
function readDns(metadata: Metadata): ProxyDns | undefined {
  if (text(metadata, "DNS_CAPTURE") !== "true") return undefined;
  return { autoAddresses: text(metadata, "DNS_AUTO_ALLOCATE") !== "false" };
}

function readBind(json: string | undefined): ExplicitBind | undefined | string {
  if (json === undefined) return undefined;
  try {
    const value = JSON.parse(json) as Partial<Record<keyof ExplicitBind, unknown>> | null;
    const { prefix, appAddress, httpProxyPort } = value ?? {};
    if (typeof prefix === "string" && typeof appAddress === "string" && typeof httpProxyPort === "number")
      return { prefix, appAddress, httpProxyPort };
  } catch {
    // Falls through: not JSON.
  }
  return `expected MESH_BIND to hold prefix, appAddress and httpProxyPort, got ${brief(json)}`;
}

/** Why this caller may not have this node's configuration; undefined when it may. */
export function refuseNode(claim: NodeClaim, caller: Caller): string | undefined {
  const { namespace, serviceAccount } = caller.identity;
  if (claim.namespace !== namespace) return `a workload of namespace ${namespace} may not be node ${brief(claim.id)}`;
  if (claim.serviceAccount !== undefined && claim.serviceAccount !== serviceAccount)
    return `service account ${serviceAccount} may not be a node of service account ${brief(claim.serviceAccount)}`;
  if (caller.podName !== undefined && caller.podName !== claim.name)
    return `the token of pod ${caller.podName} may not be node ${brief(claim.id)}`;
  return undefined;
}

/**
 * The proxy as the control plane knows it: what others rely on (labels, addresses, identity) comes from its pod and its
 * credentials, never from its own claim. Undefined while the pod is not known, or is another one than the caller's.
 */
export function proxyOf(
  claim: NodeClaim,
  caller: Caller,
  known: { readonly pod: Pod | undefined; readonly clusterId: string },
): Proxy | undefined {
  const { pod, clusterId } = known;
  if (pod === undefined) return undefined;
  if (caller.podUid !== undefined && pod.metadata.uid !== caller.podUid) return undefined;
  const { serviceAccount } = caller.identity;
  if ((pod.spec?.serviceAccountName ?? "default") !== serviceAccount) return undefined;
  return {
    id: claim.id,
    type: claim.type,
    addresses: podAddresses(pod) ?? claim.addresses,
    namespace: claim.namespace,
    name: claim.name,
    labels: pod.metadata.labels ?? {},
    serviceAccount,
    clusterId,
    dnsDomain: claim.dnsDomain,
    interception: claim.interception,
    bind: claim.bind,
    peer: peerLabels(pod, clusterId),
    ...compact({
      dns: claim.dns,
      settings: claim.settings,
      tracing: claim.tracing,
      version: claim.version,
      metadata: claim.metadata,
    }),
  };
}

/** The same for a workload outside the cluster: its entry says what its pod would. */
export function outsideProxyOf(
  claim: NodeClaim,
  caller: Caller,
  known: { readonly entry: KindTypes["WorkloadEntry"] | undefined; readonly clusterId: string },
): Proxy | undefined {
  const { spec } = known.entry ?? {};
  const { serviceAccount } = caller.identity;
  if (spec === undefined || (spec.serviceAccount ?? "default") !== serviceAccount) return undefined;
  const { clusterId } = known;
  const labels = spec.labels ?? {};
  const metadata = { name: claim.outside?.group ?? claim.name, namespace: claim.namespace, labels };
  return {
    id: claim.id,
    type: claim.type,
    addresses: claim.addresses,
    namespace: claim.namespace,
    name: claim.name,
    labels,
    serviceAccount,
    clusterId,
    dnsDomain: claim.dnsDomain,
    interception: claim.interception,
    bind: claim.bind,
    ports: spec.ports ?? {},
    peer: peerLabels({ metadata }, clusterId),
    // by its entry too: a network that it claims would choose how it reaches others
    metadata: { ...claim.metadata, NETWORK: spec.network ?? "" },
    ...compact({
      locality: parseLocality(spec.locality),
      dns: claim.dns,
      settings: claim.settings,
      tracing: claim.tracing,
      version: claim.version,
    }),
  };
}

function podAddresses(pod: Pod): readonly string[] | undefined {
  const ips = (pod.status?.podIPs ?? []).map(({ ip }) => ip);
  if (ips.length > 0) return ips;
  return pod.status?.podIP === undefined ? undefined : [pod.status.podIP];
}

/** What the CA writes into the subject of a caller that is no pod we know. */
export function peerOfCaller(caller: Caller, clusterId: string): Proxy["peer"] {
  return peerOf({ ns: caller.identity.namespace, cluster: clusterId });
}
