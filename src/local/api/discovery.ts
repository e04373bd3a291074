import type { JsonObject } from "./json.ts";
import type { Registry, ResourceInfo, Subresource } from "./registry.ts";
import { apiVersionOf, comparePriority } from "./registry.ts";
import { noSuchPath } from "./status.ts";

/** Groups and their versions, the core group first. */
export function groupVersions(registry: Registry): { group: string; versions: string[] }[] {
  const groups = new Map<string, Set<string>>();
  for (const { group, version } of registry.all()) {
    const versions = groups.get(group) ?? new Set();
    groups.set(group, versions.add(version));
  }
  return [...groups].map(([group, versions]) => ({ group, versions: [...versions].sort(comparePriority) }));
}

function responseKind(info: ResourceInfo, speaks: { group: string; version: string; kind: string }): JsonObject {
  const same = speaks.group === info.group && speaks.version === info.version;
  return { group: same ? "" : speaks.group, version: same ? "" : speaks.version, kind: speaks.kind };
}

function aggregatedResource(info: ResourceInfo): JsonObject {
  const subresources = [...info.subresources.values()].map((sub) => ({
    subresource: sub.name,
    responseKind: responseKind(info, sub),
    verbs: sub.verbs,
  }));
  return {
    resource: info.resource,
    responseKind: responseKind(info, info),
    scope: info.namespaced ? "Namespaced" : "Cluster",
    singularResource: info.singular,
    verbs: info.verbs,
    ...(info.shortNames.length === 0 ? {} : { shortNames: info.shortNames }),
    ...(info.categories.length === 0 ? {} : { categories: info.categories }),
    ...(subresources.length === 0 ? {} : { subresources }),
  };
}

/** The aggregated form (apidiscovery.k8s.io/v2): all of /api or /apis in one answer. */
export function aggregatedDiscovery(registry: Registry, core: boolean): JsonObject {
  const items = groupVersions(registry)
    .filter(({ group }) => (group === "") === core)
    .map(({ group, versions }) => ({
      metadata: group === "" ? {} : { name: group },
      versions: versions.map((version) => ({
        version,
        resources: registry
          .all()
          .filter((info) => info.group === group && info.version === version)
          .map(aggregatedResource),
        freshness: "Current",
      })),
    }));
  return { kind: "APIGroupDiscoveryList", apiVersion: "apidiscovery.k8s.io/v2", metadata: {}, items };
}

function groupBody(group: string, versions: readonly string[]): JsonObject {
  const entries = versions.map((version) => ({ groupVersion: `${group}/${version}`, version }));
  return { name: group, versions: entries, preferredVersion: entries[0] };
}

/** /api: the versions of the core group. */
export function coreVersions(server: string): JsonObject {
  return {
    kind: "APIVersions",
    versions: ["v1"],
    serverAddressByClientCIDRs: [{ clientCIDR: "0.0.0.0/0", serverAddress: server }],
  };
}

/** /apis: all named groups. */
export function groupList(registry: Registry): JsonObject {
  const groups = groupVersions(registry).filter(({ group }) => group !== "");
  return {
    kind: "APIGroupList",
    apiVersion: "v1",
    groups: groups.map(({ group, versions }) => groupBody(group, versions)),
  };
}

/** /apis/GROUP. Throws 404. */
export function oneGroup(registry: Registry, group: string): JsonObject {
  const versions = registry.versions(group);
  if (versions.length === 0) throw noSuchPath();
  return { kind: "APIGroup", apiVersion: "v1", ...groupBody(group, versions) };
}

function plainResource(info: ResourceInfo): JsonObject[] {
  const own = {
    name: info.resource,
    singularName: info.singular,
    namespaced: info.namespaced,
    kind: info.kind,
    verbs: info.verbs,
    ...(info.shortNames.length === 0 ? {} : { shortNames: info.shortNames }),
    ...(info.categories.length === 0 ? {} : { categories: info.categories }),
  };
  const below = [...info.subresources.values()].map((sub: Subresource) => ({
    name: `${info.resource}/${sub.name}`,
    singularName: "",
    namespaced: info.namespaced,
    ...(apiVersionOf(sub) === apiVersionOf(info) ? {} : { group: sub.group, version: sub.version }),
    kind: sub.kind,
    verbs: sub.verbs,
  }));
  return [own, ...below];
}

/** /api/v1 and /apis/GROUP/VERSION: the resources of one version. Throws 404. */
export function resourceList(registry: Registry, group: string, version: string): JsonObject {
  const infos = registry.all().filter((info) => info.group === group && info.version === version);
  if (infos.length === 0) throw noSuchPath();
  const resources = infos.flatMap(plainResource);
  return { kind: "APIResourceList", apiVersion: "v1", groupVersion: apiVersionOf({ group, version }), resources };
}
