import { readFileSync } from "node:fs";
import { compact } from "../../src/base/compact.ts";
import { createMesh, type Mesh } from "../../src/compile/mesh.ts";
import type { ProxyConfig } from "../../src/ir/config.ts";
import type { NameEntry } from "../../src/ir/names.ts";
import type { Provenance } from "../../src/ir/provenance.ts";
import type { Proxy, ProxyDns } from "../../src/ir/proxy.ts";
import { peerLabels, peerOf } from "../../src/model/workload.ts";
import type { Pod } from "../../src/resources/core.ts";
import { type KubeObject, refText } from "../../src/resources/object.ts";
import { type WorldStore, worldOf } from "../../src/resources/world-store.ts";
import { toYaml } from "../../src/resources/yaml-plain.ts";
import { readValues } from "../../src/resources/yaml-values.ts";

/** What the first document of a case says: whose configuration, and which parts of it (regular expressions on names). */
export interface CaseHeader {
  /** Node id of the proxy; its pod stands among the objects. */
  readonly proxy: string;
  /** Explicit mode. */
  readonly bind?: Proxy["bind"];
  /** How traffic reaches it; by redirection when absent. */
  readonly interception?: Proxy["interception"];
  /** Its agent answers DNS queries. */
  readonly dns?: ProxyDns;
  readonly show: {
    readonly clusterNames?: string;
    readonly clusters?: string;
    readonly endpoints?: string;
    readonly listeners?: string;
    readonly routes?: string;
    /** Which virtual hosts of the tables shown; all when absent. */
    readonly hosts?: string;
    readonly inbound?: boolean;
    readonly gateways?: string;
    readonly names?: boolean;
    readonly extensions?: boolean;
  };
}

export interface IrCase {
  readonly header: CaseHeader;
  readonly objects: readonly KubeObject[];
}

/** Reads `<case>.in.yaml`: the header, then objects. */
export function readIrCase(file: string): IrCase {
  const [header, ...objects] = readValues(readFileSync(file, "utf8"));
  return { header: header as CaseHeader, objects: objects.filter((object) => object !== null) as KubeObject[] };
}

/** A connected Envoy with this node id; its labels are its pod's. */
export function proxyAt(id: string, pod?: Pod, bind?: Proxy["bind"]): Proxy {
  const [type, ip, workload, dnsDomain] = id.split("~") as [string, string, string, string];
  const [name, namespace] = workload.split(".") as [string, string];
  return {
    id,
    type: type === "router" ? "router" : "sidecar",
    addresses: [ip],
    namespace,
    name,
    labels: pod?.metadata.labels ?? {},
    serviceAccount: pod?.spec?.serviceAccountName ?? "default",
    clusterId: "Kubernetes",
    dnsDomain,
    interception: bind === undefined ? "REDIRECT" : "NONE",
    bind,
    peer: pod === undefined ? peerOf({}) : peerLabels(pod, "Kubernetes"),
  };
}

/** The configuration that a World gives the case's proxy. */
export function configOf(header: CaseHeader, mesh: Mesh): ProxyConfig {
  const [, , workload = ""] = header.proxy.split("~");
  const dot = workload.lastIndexOf(".");
  const pod = mesh.model.world.get("Pod", workload.slice(dot + 1), workload.slice(0, dot));
  const proxy = proxyAt(header.proxy, pod, header.bind);
  const { dns, interception } = header;
  return mesh.proxyConfig({ ...proxy, ...compact({ dns, interception }) });
}

/** The case's IR as its golden has it. */
export function irText({ header, objects }: IrCase, world: WorldStore = worldOf(objects)): string {
  return toYaml(readable(shown(header, configOf(header, createMesh(world)))));
}

/** Everything a proxy gets, as plain data, for comparing two compilations. */
export function wholeIr(config: ProxyConfig): unknown {
  const names = config.clusterNames();
  return {
    scope: config.scope,
    workload: config.workload,
    names,
    clusters: names.map(({ name }) => config.cluster(name)),
    endpoints: names.map(({ name }) => config.endpoints(name)),
    outbound: config.outboundListeners(),
    inbound: config.inbound(),
    gateways: config.gatewayListeners(),
    routes: config.routeTableNames().map((name) => config.routeTable(name)),
    secrets: config.secretNames().map((name) => config.secret(name)),
    nameTable: config.nameTable(),
    extensions: config.extensions?.(),
  };
}

function shown({ show }: CaseHeader, config: ProxyConfig): unknown {
  const names = config.clusterNames().map(({ name, owner }) => ({ name, owner }));
  const pick = (pattern: string | undefined): readonly string[] =>
    pattern === undefined ? [] : names.map(({ name }) => name).filter((name) => new RegExp(pattern).test(name));
  const matching = <T extends { readonly name: string }>(
    pattern: string | undefined,
    list: readonly T[],
  ): readonly T[] => (pattern === undefined ? [] : list.filter(({ name }) => new RegExp(pattern).test(name)));
  const tables = matching(
    show.routes,
    config.routeTableNames().map((name) => config.routeTable(name)!),
  );
  return {
    clusterNames: pick(show.clusterNames).map(
      (name) => `${name} (${names.find((entry) => entry.name === name)!.owner})`,
    ),
    clusters: pick(show.clusters).map((name) => config.cluster(name)),
    endpoints: pick(show.endpoints).map((name) => config.endpoints(name)),
    listeners: matching(show.listeners, config.outboundListeners()),
    routes: tables.map((table) => ({ ...table, virtualHosts: matching(show.hosts ?? "", table.virtualHosts) })),
    inbound: show.inbound === true ? config.inbound() : undefined,
    gateways: matching(show.gateways, config.gatewayListeners()),
    extensions: show.extensions === true ? config.extensions?.() : undefined,
    names: show.names === true ? config.nameTable()?.map(nameText) : undefined,
  };
}

function nameText({ host, addresses, shortName, namespace }: NameEntry): string {
  return `${host} = ${addresses.join(" ")}${shortName === undefined ? "" : ` (${shortName} in ${namespace})`}`;
}

/** Without what is absent, empty or false, and with provenance on one line: goldens that a person reads. */
function readable(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(readable);
  if (typeof value !== "object" || value === null) return value;
  const provenance = value as Partial<Provenance>;
  if (provenance.from !== undefined && provenance.path !== undefined && provenance.lost !== undefined) {
    return provenanceText(provenance as Provenance);
  }
  const line = lineOf(value);
  if (line !== undefined) return line;
  const entries = Object.entries(compact(value)).map(([key, inner]) => [key, readable(inner)] as const);
  return Object.fromEntries(entries.filter(([, inner]) => !isEmpty(inner)));
}

/** Small records that read better on one line. */
function lineOf(value: object): string | undefined {
  if ("weight" in value && "cluster" in value && "provenance" in value) {
    const asked = "features" in value ? ` ${JSON.stringify(value.features)}` : "";
    return `${String(value.weight)} ${String(value.cluster)}${asked} <- ${provenanceText(value.provenance as Provenance)}`;
  }
  if ("workload" in value && "canonical" in value) return peerText(Object.values(value).map(String));
  if ("region" in value) return Object.values(value).filter(Boolean).join("/");
  return "attempts" in value || ("match" in value && "name" in value && Object.keys(value).length <= 3)
    ? JSON.stringify(value)
    : matchText(value);
}

function peerText(labels: readonly string[]): string {
  return labels.every((label) => label === "unknown" || label === "latest") ? "" : labels.join(",");
}

function matchText(value: object): string | undefined {
  const isMatch = "kind" in value && Object.keys(value).every((key) => key === "kind" || key === "value");
  return isMatch ? Object.values(value).join(" ") : undefined;
}

function isEmpty(value: unknown): boolean {
  if (value === "" || value === false) return true;
  return typeof value === "object" && value !== null && Object.keys(value).length === 0;
}

function provenanceText({ from, path, lost }: Provenance): string {
  const over = lost.map((loser) => `; not ${refText(loser.from)} (${loser.reason})`);
  return `${refText(from)} ${path.join(".")}`.trim() + over.join("");
}
