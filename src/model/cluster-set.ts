import { isIP } from "node:net";
import type { MeshService } from "../ir/service.ts";
import type { ServiceImportSpec } from "../resources/core.ts";
import type { KindName } from "../resources/kinds.ts";
import type { KubeObject } from "../resources/object.ts";
import type { ModelContext } from "./context.ts";
import { serviceHost } from "./host.ts";
import type { Member, Members } from "./members.ts";
import { byText } from "./order.ts";

/** DNS suffix of services that clusters share, as the Multi-Cluster Services API has it. */
export const CLUSTER_SET_DOMAIN = "clusterset.local";

/** How far the Multi-Cluster Services API is obeyed; by Istio's names ENABLE_MCS_SERVICE_DISCOVERY, _HOST and _CLUSTER_LOCAL. */
export interface McsSettings {
  /** Endpoints are seen in other clusters only where a ServiceExport of their own cluster says so. */
  readonly discovery: boolean;
  /** A ServiceImport gives the service a host in all clusters, `NAME.NAMESPACE.svc.clusterset.local`. */
  readonly host: boolean;
  /** The host of a cluster means its own endpoints alone. */
  readonly clusterLocal: boolean;
}

/** Settings by the environment; a later one needs the earlier. */
export function mcsSettings(env: Readonly<Record<string, string | undefined>>): McsSettings {
  const discovery = env["ENABLE_MCS_SERVICE_DISCOVERY"] === "true";
  const host = discovery && env["ENABLE_MCS_HOST"] === "true";
  return { discovery, host, clusterLocal: host && env["ENABLE_MCS_CLUSTER_LOCAL"] === "true" };
}

/** Kinds that are read for it. */
export function sharingKinds({ discovery = false, host = false }: Partial<McsSettings> = {}): readonly KindName[] {
  return [...(discovery ? ["ServiceExport" as const] : []), ...(host ? ["ServiceImport" as const] : [])];
}

/** Questions about services that clusters share by ServiceExport and ServiceImport. */
export interface ClusterSet {
  /** The service under its host in all clusters; undefined unless some cluster imports it with an address. */
  imported(service: MeshService): MeshService | undefined;
  /** Namespace and name behind such a host. */
  named(host: string): { readonly namespace: string; readonly name: string } | undefined;
  /** Clusters whose endpoints a caller sees behind a service, sorted; undefined: those of all. */
  seenFrom(service: MeshService, cluster: string): readonly string[] | undefined;
}

export function createClusterSet(
  { derivations }: ModelContext,
  members: Members,
  settings: McsSettings | undefined,
): ClusterSet {
  const { discovery = false, host = false, clusterLocal = false } = settings ?? {};
  const exporting = derivations.keyed("exporting clusters", (namespace: string, name: string): readonly string[] =>
    members.all().flatMap((member) => (has(member, namespace, name) ? member.clusterId : [])),
  );
  const addresses = derivations.keyed("imported addresses", (namespace: string, name: string) =>
    members.all().flatMap(({ clusterId, world }): readonly [string, readonly string[]][] => {
      const ips = addressesOf(world.get("ServiceImport", namespace, name));
      return ips.length === 0 ? [] : [[clusterId, ips]];
    }),
  );
  return {
    imported(service) {
      const { namespace, from } = service;
      const known = host && from.kind === "Service" ? addresses(namespace, from.name) : [];
      const [first] = known;
      if (first === undefined) return undefined;
      const hostname = serviceHost(from.name, namespace, CLUSTER_SET_DOMAIN);
      return {
        ...service,
        hostname,
        addresses: first[1],
        addressesIn: Object.fromEntries(known),
        clusterSet: true,
      };
    },
    named(asked) {
      const suffix = `.svc.${CLUSTER_SET_DOMAIN}`;
      if (!host || !asked.endsWith(suffix)) return undefined;
      const [name = "", namespace = "", ...rest] = asked.slice(0, -suffix.length).split(".");
      return name === "" || name === "*" || namespace === "" || rest.length > 0 ? undefined : { namespace, name };
    },
    seenFrom(service, cluster) {
      if (!discovery || service.from.kind !== "Service") return undefined;
      if (clusterLocal && service.clusterSet !== true) return [cluster];
      return [...new Set([cluster, ...exporting(service.namespace, service.from.name)])].toSorted(byText);
    },
  };
}

function has({ world }: Member, namespace: string, name: string): boolean {
  return world.get("ServiceExport", namespace, name) !== undefined;
}

function addressesOf(object: KubeObject<ServiceImportSpec> | undefined): readonly string[] {
  const ips: unknown = object?.spec?.ips;
  return Array.isArray(ips)
    ? ips.flatMap((ip: unknown) => (typeof ip === "string" && isIP(ip) !== 0 ? [ip] : [])).toSorted(byText)
    : [];
}
