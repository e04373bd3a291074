import type { Cluster } from "../../ir/cluster.ts";
import type { ProxyConfig } from "../../ir/config.ts";
import type { InboundPort, MtlsMode } from "../../ir/listener.ts";
import type { Provenance } from "../../ir/provenance.ts";
import type { Proxy } from "../../ir/proxy.ts";
import { workloadOwner } from "../../model/workload.ts";
import { refOf, refText } from "../../resources/object.ts";
import { outboundCluster } from "../../compile/names.ts";
import { pathText } from "../../base/field-path.ts";
import type { OfflineMesh } from "../offline/mesh.ts";
import { proxiesOf, shortName } from "../offline/proxies.ts";

/** What one port of a workload takes, and what its clients send. */
export interface PortCoverage {
  /** 0: all ports that no Service names. */
  readonly port: number;
  readonly mode: MtlsMode;
  /** The PeerAuthentication that says so; absent: the default. */
  readonly policy?: string;
  readonly field?: string;
  readonly file?: string;
  readonly line?: number;
  /** Workloads that see the port's Service, by what they would send. */
  readonly clients: { readonly mtls: number; readonly plain: number };
}

export interface WorkloadCoverage {
  readonly workload: string;
  /** Of a mesh of several clusters: its own. */
  readonly cluster?: string;
  readonly pods: number;
  /** `none`: nothing between the network and the application. */
  readonly proxy: "sidecar" | "gateway" | "none";
  /** Empty for gateways, whose TLS their Gateways say, and where there is no proxy. */
  readonly ports: readonly PortCoverage[];
}

/** What the mesh's objects say: each workload with its ports, cluster by cluster. */
export function coverageOf(offline: OfflineMesh): readonly WorkloadCoverage[] {
  return [offline, ...(offline.others ?? [])].flatMap(({ clusterId, ...one }) =>
    coverageIn(one).map((workload) => (clusterId === undefined ? workload : { ...workload, cluster: clusterId })),
  );
}

function coverageIn({ mesh, positionOf }: OfflineMesh): readonly WorkloadCoverage[] {
  const { model } = mesh;
  const proxies = new Map(proxiesOf(model).map((proxy) => [`${proxy.namespace}/${proxy.name}`, proxy]));
  const senders = sendersOf([...proxies.values()], (proxy) => mesh.proxyConfig(proxy));
  const found = new Map<string, WorkloadCoverage>();
  for (const pod of model.world.list("Pod")) {
    const { namespace, name } = refOf(pod);
    const workload = `${workloadOwner(pod.metadata)?.name ?? shortName({ name })}.${namespace}`;
    const proxy = proxies.get(`${namespace}/${name}`);
    const kind = proxy === undefined ? "none" : proxy.type === "router" ? "gateway" : "sidecar";
    const key = `${workload} ${kind}`;
    const known = found.get(key);
    const ports =
      known?.ports ?? (kind === "sidecar" && proxy ? portsOf(mesh.proxyConfig(proxy), senders, positionOf) : []);
    found.set(key, { workload, pods: (known?.pods ?? 0) + 1, proxy: kind, ports });
  }
  return [...found.values()].toSorted((a, b) => (a.workload < b.workload ? -1 : 1));
}

/** How many workloads would send what to a cluster. */
type Senders = (cluster: string) => PortCoverage["clients"];

/** Proxies of one scope have the same clusters: one stands for all. */
function sendersOf(proxies: readonly Proxy[], configOf: (proxy: Proxy) => ProxyConfig): Senders {
  const scopes = new Map<string, { readonly config: ProxyConfig; readonly workloads: Set<string> }>();
  for (const proxy of proxies) {
    const config = configOf(proxy);
    const entry = scopes.get(config.scope) ?? { config, workloads: new Set<string>() };
    entry.workloads.add(`${proxy.serviceAccount}.${proxy.namespace} ${labelsKeyOf(proxy)}`);
    scopes.set(config.scope, entry);
  }
  return (cluster) => {
    let [mtls, plain] = [0, 0];
    for (const { config, workloads } of scopes.values()) {
      const found = config.cluster(cluster);
      if (found === undefined) continue;
      if (sendsMtls(config, found)) mtls += workloads.size;
      else plain += workloads.size;
    }
    return { mtls, plain };
  };
}

function labelsKeyOf({ peer }: Proxy): string {
  return peer["workload"] ?? "";
}

function sendsMtls(config: ProxyConfig, { name, tls }: Cluster): boolean {
  if (tls?.mode === "istio-mutual") return true;
  if (tls?.mode !== "auto") return false;
  const endpoints = (config.endpoints(name)?.endpoints ?? []).map(({ tlsMode }) => tlsMode);
  return endpoints.every((mode) => mode === "istio");
}

function portsOf(
  config: ProxyConfig,
  senders: Senders,
  positionOf: OfflineMesh["positionOf"],
): readonly PortCoverage[] {
  const inbound = config.inbound();
  if (inbound === undefined) return [];
  const one = (port: number, mode: MtlsMode, from: Provenance | undefined, clients: PortCoverage["clients"]) => ({
    port,
    mode,
    ...policyOf(from, positionOf),
    clients,
  });
  const ports = inbound.ports.map((port) => one(port.targetPort, port.mtls, port.mtlsFrom, clientsOf(port, senders)));
  return [...ports, one(0, inbound.defaultMtls, inbound.defaultMtlsFrom, { mtls: 0, plain: 0 })];
}

function clientsOf({ service }: InboundPort, senders: Senders): PortCoverage["clients"] {
  if (service === undefined) return { mtls: 0, plain: 0 };
  return senders(outboundCluster({ port: service.port, subset: "", host: service.host }));
}

function policyOf(from: Provenance | undefined, positionOf: OfflineMesh["positionOf"]) {
  if (from === undefined) return {};
  const position = positionOf(from.from, from.path);
  const place = position === undefined ? {} : { file: position.file, line: position.line };
  return { policy: refText(from.from), field: pathText(from.path), ...place };
}
