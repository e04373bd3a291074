import { createHash } from "node:crypto";
import { isIP } from "node:net";
import { compact } from "../base/compact.ts";
import type { ExplicitBind, Proxy, ProxyDns } from "../ir/proxy.ts";
import type { ProxySettings } from "../ir/proxy-settings.ts";
import type { Locality } from "../ir/service.ts";
import type { Model } from "../model/model.ts";
import { NETWORK_LABEL } from "../model/network-gateways.ts";
import type { ReplicaZones } from "../model/replica-zones.ts";
import type { TelemetryFacts } from "./telemetry/site.ts";
import { telemetryFacts } from "./telemetry/facts.ts";

/**
 * What decides a proxy's outbound side (a gateway's: all of it). Proxies with equal facts share everything derived from them;
 * in explicit mode the addresses are a workload's own, so there each is a scope of its own.
 */
export interface ScopeFacts extends TelemetryFacts {
  readonly type: Proxy["type"];
  readonly namespace: string;
  /** The Sidecar object that holds for it, `namespace/name`. */
  readonly sidecar?: string;
  /** Of a sidecar only the labels that some rule asks for. */
  readonly labels: Readonly<Record<string, string>>;
  readonly bind: ExplicitBind | null;
  /** Where it runs, when some rule prefers endpoints by that. */
  readonly locality?: Locality;
  /** The node that it runs on, when some service has its endpoints chosen by that. */
  readonly node?: string;
  /** The cluster that it runs in, when there are several. */
  readonly cluster?: string;
  /** The network that it stands on, when networks have gateways; "" for none. */
  readonly network?: string;
  /** Networks alone that it asks to see, when networks have gateways. */
  readonly networkView?: readonly string[];
  /** Where its replicas run, when some rule shares traffic between zones. */
  readonly replicas?: ReplicaZones;
  /** Of a sidecar whose agent answers DNS queries. */
  readonly dns?: ProxyDns & { readonly families: readonly ("ipv4" | "ipv6")[] };
  /** EnvoyFilters that hold for it (model/envoy-filters.ts). */
  readonly patches?: readonly string[];
  /** WasmPlugins and TrafficExtensions that hold for it (model/extensions.ts). */
  readonly extensions?: readonly string[];
  /** What the proxy's own configuration asks. */
  readonly settings?: ProxySettings;
}

/** Labels that change with each roll-out and that nobody selects by. */
const ROLLOUT_LABELS: readonly string[] = ["pod-template-hash", "controller-revision-hash"];

/** The key of a proxy's scope: its facts as text. Read in a derivation it follows the rules that select by labels. */
export function scopeKey(model: Model, proxy: Proxy): string {
  const { type, namespace, labels } = proxy;
  const facts: ScopeFacts = {
    type,
    namespace,
    ...sidecarFacts(model, proxy),
    labels: pick(labels, labelKeys(model, proxy)),
    bind: bindOf(proxy),
    ...placeFacts(model, proxy),
    ...memberFacts(model, proxy),
    ...dnsFacts(proxy),
    ...patchFacts(model, proxy),
    ...extensionFacts(model, proxy),
    ...ownFacts(proxy),
    ...telemetryFacts(model, proxy),
  };
  return JSON.stringify(facts);
}

/** Labels that count: all of a gateway's, of a sidecar's those that some rule asks for. */
function labelKeys(
  { virtualServices, destinationRules }: Model,
  { type, namespace, labels }: Proxy,
): readonly string[] {
  if (type === "router") return Object.keys(labels).filter((key) => !ROLLOUT_LABELS.includes(key));
  return [
    ...virtualServices.sourceLabelKeys(namespace),
    ...destinationRules.selectorKeys(namespace),
    ...destinationRules.priorityKeys(),
  ];
}

/** Where the proxy runs, as far as some rule or service asks for it. */
function placeFacts(
  model: Model,
  { namespace, name, clusterId, locality: own }: Proxy,
): Pick<ScopeFacts, "locality" | "node" | "replicas"> {
  const asked = model.services.asksPlace();
  const asksZones = model.destinationRules.asksZones();
  const asksLocality = asked.locality || asksZones || model.destinationRules.asksLocality();
  if (!asksLocality && !asked.node) return {};
  const pod = model.members.of(clusterId).pods.facts(namespace, name);
  return {
    ...(asksLocality ? compact({ locality: own ?? pod?.locality }) : {}),
    ...(asked.node ? { node: pod?.node ?? "" } : {}),
    ...(asksZones ? { replicas: model.replicaZones(namespace, name) } : {}),
  };
}

/** Which cluster and network the proxy is of, as far as that can decide anything. */
function memberFacts(
  { members, networks }: Model,
  proxy: Proxy,
): Pick<ScopeFacts, "cluster" | "network" | "networkView"> {
  const { clusterId, namespace, labels, metadata = {}, addresses } = proxy;
  const cluster = members.all().length > 1 ? { cluster: clusterId } : {};
  if (!networks.matter()) return cluster;
  const label = labels[NETWORK_LABEL] ?? metadata["NETWORK"] ?? "";
  const at = { namespace, label, address: addresses[0] ?? "" };
  const networkView = (metadata["REQUESTED_NETWORK_VIEW"] ?? "").split(",").filter((name) => name !== "");
  const view = networkView.length === 0 ? {} : { networkView };
  return { ...cluster, ...view, network: networks.of(members.of(clusterId), at) };
}

function bindOf({ interception, bind }: Proxy): ExplicitBind | null {
  return interception === "NONE" && bind !== undefined ? bind : null;
}

function ownFacts({ settings }: Proxy): Pick<ScopeFacts, "settings"> {
  return settings === undefined ? {} : { settings };
}

function sidecarFacts(model: Model, { type, namespace, labels }: Proxy): Pick<ScopeFacts, "sidecar"> {
  const found = type === "sidecar" ? model.sidecars.of({ namespace, labels })?.metadata : undefined;
  return found === undefined ? {} : { sidecar: `${found.namespace ?? ""}/${found.name}` };
}

function patchFacts(model: Model, proxy: Proxy): Pick<ScopeFacts, "patches"> {
  const patches = model.envoyFilters.of(proxy);
  return patches.length === 0 ? {} : { patches };
}

function extensionFacts(model: Model, proxy: Proxy): Pick<ScopeFacts, "extensions"> {
  const extensions = model.extensions.of(proxy).map(({ id }) => id);
  return extensions.length === 0 ? {} : { extensions };
}

function dnsFacts({ type, dns, addresses }: Proxy): Pick<ScopeFacts, "dns"> {
  if (type !== "sidecar" || dns === undefined) return {};
  const versions = addresses.map((address) => isIP(address));
  const families = (["ipv4", "ipv6"] as const).filter((_, index) => versions.includes(index === 0 ? 4 : 6));
  return { dns: { autoAddresses: dns.autoAddresses, families } };
}

/** What decides a sidecar's inbound side. */
export interface WorkloadFacts extends TelemetryFacts {
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly ports: readonly { readonly name: string; readonly number: number }[];
  readonly bind: ExplicitBind | null;
  /** Of a workload outside the cluster: its own port for a service's, by name. */
  readonly servicePorts?: Readonly<Record<string, number>>;
  /** Captured by TPROXY. */
  readonly transparent?: true;
}

/** The key of a proxy's inbound side: equal for replicas. */
export function workloadKey(model: Model, proxy: Proxy): string {
  const { namespace, name, labels, interception, bind, ports: own, clusterId } = proxy;
  const facts: WorkloadFacts = {
    namespace,
    labels: pick(labels, Object.keys(labels)),
    ports: model.members.of(clusterId).pods.ports(namespace, name),
    bind: interception === "NONE" && bind !== undefined ? bind : null,
    ...(own === undefined ? {} : { servicePorts: own }),
    ...(interception === "TPROXY" ? { transparent: true } : {}),
    ...telemetryFacts(model, proxy),
  };
  return JSON.stringify(facts);
}

/** A short name for a key, for caches and messages. */
export function keyHash(key: string): string {
  return createHash("sha256").update(key).digest("hex").slice(0, 16);
}

/** The pairs with these keys, sorted. */
function pick(labels: Readonly<Record<string, string>>, keys: readonly string[]): Readonly<Record<string, string>> {
  const pairs = [...new Set(keys)].toSorted().flatMap((key) => (labels[key] === undefined ? [] : [[key, labels[key]]]));
  return Object.fromEntries(pairs) as Readonly<Record<string, string>>;
}
