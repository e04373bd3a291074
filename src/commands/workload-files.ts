import { canonicalNames } from "../model/workload.ts";
import type { KindTypes } from "../resources/kinds.ts";
import { parseYaml } from "../resources/yaml-plain.ts";

type Json = Readonly<Record<string, unknown>>;

/** What the user says of the machine. */
export interface HostOptions {
  readonly istioNamespace: string;
  readonly revision: string | undefined;
  readonly autoregister: boolean;
  readonly captureDns: boolean;
  readonly internalIp: string | undefined;
  readonly externalIp: string | undefined;
}

/** What the cluster says. */
export interface HostFacts {
  readonly group: KindTypes["WorkloadGroup"];
  /** MeshConfig as it was written. */
  readonly mesh: Json;
  readonly clusterId: string;
  readonly rootCert: string;
  readonly token: string;
  /** By which istiod is reached from the machine; undefined when nobody knows. */
  readonly address: string | undefined;
}

/** Contents of the files that a machine gets, as istioctl names and fills them. */
export interface HostFiles {
  readonly clusterEnv: string;
  /** mesh.yaml, as data. */
  readonly mesh: Json;
  readonly rootCert: string;
  readonly token: string;
  readonly hosts: string;
  readonly istiodHost: string;
}

const PROXY_CONFIG = "proxy.istio.io/config";

/** All files of one machine. Throws what parseYaml throws for a proxy configuration in an annotation that is no YAML. */
export function hostFiles(options: HostOptions, facts: HostFacts): HostFiles {
  const proxyConfig = proxyConfigOf(options, facts);
  const istiodHost = istiodHostOf(options);
  return {
    clusterEnv: clusterEnv(options, facts, proxyConfig),
    mesh: { defaultConfig: proxyConfig },
    rootCert: facts.rootCert,
    token: facts.token,
    hosts: facts.address === undefined ? "" : `${facts.address} ${istiodHost}\n`,
    istiodHost,
  };
}

function istiodHostOf({ istioNamespace, revision }: HostOptions): string {
  return `istiod${isRevisioned(revision) ? `-${revision}` : ""}.${istioNamespace}.svc`;
}

function isRevisioned(revision: string | undefined): revision is string {
  return revision !== undefined && revision !== "default";
}

interface ProxyConfig extends Json {
  readonly proxyMetadata: Readonly<Record<string, string>>;
}

/** The mesh's default, what the group's annotations add, and what the machine cannot know by itself. */
function proxyConfigOf(options: HostOptions, facts: HostFacts): ProxyConfig {
  const { group, mesh, clusterId } = facts;
  const defaults = record(mesh["defaultConfig"]);
  const layers = [group.metadata.annotations, group.spec?.metadata?.annotations].map((annotations) => {
    const text = annotations?.[PROXY_CONFIG];
    return text === undefined ? {} : record(parseYaml(text));
  });
  const all = [defaults, ...layers];
  const merged: Json = Object.fromEntries(all.flatMap((layer) => Object.entries(layer)));
  const metadata = all.flatMap((layer) => Object.entries(record(layer["proxyMetadata"])));
  const address = `${istiodHostOf(options)}:15012`;
  const { probe } = group.spec ?? {};
  return {
    ...merged,
    discoveryAddress: merged["discoveryAddress"] ?? address,
    ...(probe === undefined ? {} : { readinessProbe: probe }),
    proxyMetadata: {
      ...Object.fromEntries(metadata.map(([name, value]) => [name, String(value)])),
      ...ownMetadata(options, { group, clusterId, mesh, meshId: merged["meshId"] }),
    },
  };
}

function ownMetadata(
  { autoregister, captureDns }: HostOptions,
  { group, clusterId, mesh, meshId }: Pick<HostFacts, "group" | "clusterId" | "mesh"> & { readonly meshId: unknown },
): Readonly<Record<string, string>> {
  const { name, namespace = "" } = group.metadata;
  const { template = {}, metadata = {} } = group.spec ?? {};
  const own = { ...metadata.labels, ...template.labels };
  const { canonical, revision } = canonicalNames({ name, labels: own });
  const labels = {
    ...own,
    "service.istio.io/canonical-name": canonical,
    "service.istio.io/canonical-revision": revision,
  };
  const ports = Object.entries(template.ports ?? {}).map(([port, containerPort]) => ({ name: port, containerPort }));
  const all: Readonly<Record<string, string | undefined>> = {
    CANONICAL_REVISION: revision,
    CANONICAL_SERVICE: canonical,
    ISTIO_METAJSON_LABELS: JSON.stringify(labels),
    ISTIO_META_AUTO_REGISTER_GROUP: autoregister ? name : undefined,
    ISTIO_META_CLUSTER_ID: clusterId,
    ISTIO_META_DNS_CAPTURE: captureDns ? "true" : undefined,
    ISTIO_META_MESH_ID: words(meshId),
    ISTIO_META_NETWORK: template.network,
    ISTIO_META_POD_PORTS: ports.length === 0 ? undefined : JSON.stringify(ports),
    ISTIO_META_WORKLOAD_NAME: name,
    POD_NAMESPACE: namespace,
    SERVICE_ACCOUNT: template.serviceAccount || "default",
    TRUST_DOMAIN: words(mesh["trustDomain"]) ?? "cluster.local",
  };
  const set = Object.entries(all).filter((pair): pair is [string, string] => pair[1] !== undefined && pair[1] !== "");
  return Object.fromEntries(set);
}

function words(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

/** Lines that a shell and systemd both read. */
function clusterEnv(options: HostOptions, { group }: HostFacts, proxyConfig: ProxyConfig): string {
  const { name, namespace = "" } = group.metadata;
  const { ports = {}, serviceAccount } = group.spec?.template ?? {};
  const numbers = Object.values(ports);
  const status = Number(proxyConfig["statusPort"] ?? 15020);
  // 22: nobody loses a machine to its mesh. The others are the proxy's own.
  const excluded = [...new Set([22, 15090, 15021, status])].join(",");
  const all: Readonly<Record<string, string>> = {
    ...proxyConfig.proxyMetadata,
    ISTIO_INBOUND_PORTS: numbers.length === 0 ? "*" : numbers.join(","),
    ISTIO_LOCAL_EXCLUDE_PORTS: excluded,
    ISTIO_NAMESPACE: namespace,
    ISTIO_SERVICE: `${name}.${namespace}`,
    ISTIO_SERVICE_CIDR: "*",
    SERVICE_ACCOUNT: serviceAccount || "default",
    ...(isRevisioned(options.revision) ? { CA_ADDR: `${istiodHostOf(options)}:15012` } : {}),
    ...addressEnv(options),
  };
  const lines = Object.entries(all).map(([key, value]) => `${key}=${quoted(value)}`);
  return `${lines.toSorted().join("\n")}\n`;
}

function addressEnv({ internalIp, externalIp }: HostOptions): Readonly<Record<string, string>> {
  if (internalIp !== undefined) return { ISTIO_SVC_IP: internalIp };
  if (externalIp === undefined) return {};
  return { ISTIO_SVC_IP: externalIp, REWRITE_PROBE_LEGACY_LOCALHOST_DESTINATION: "true" };
}

function quoted(value: string): string {
  return /^[\w@%+=:,./-]+$/.test(value) ? value : `'${value.replaceAll("'", `'"'"'`)}'`;
}

/** A mapping as it is; anything else as an empty one. */
export function record(value: unknown): Json {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Json) : {};
}
