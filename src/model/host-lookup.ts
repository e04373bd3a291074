import type { ModelContext } from "./context.ts";
import { hostMatches, parseServiceHost } from "./host.ts";
import type { Services } from "./services.ts";
import { visibleTo } from "./visibility.ts";

/** Whether hosts that objects name are there. */
export interface HostLookup {
  /**
   * Whether a host (full, perhaps a wildcard) names something that proxies of `namespace` see: a Service (also an ExternalName
   * one), a ServiceEntry's host, one that a wildcard of a ServiceEntry covers, or for a wildcard any that it covers.
   */
  exists(namespace: string, host: string): boolean;
}

export function createHostLookup(
  { world, derivations, domain, meshConfig }: ModelContext,
  services: Services,
): HostLookup {
  /** Hosts by each of their parent domains, so that a wildcard is one look-up. */
  const byParent = derivations.keyed("hosts by parent domain", () => {
    const index = new Map<string, { readonly owner: string; readonly exportTo: readonly string[] }[]>();
    for (const { hostname, namespace, exportTo } of services.all())
      for (let dot = hostname.indexOf("."); dot >= 0; dot = hostname.indexOf(".", dot + 1)) {
        const parent = hostname.slice(dot);
        const listed = index.get(parent);
        if (listed === undefined) index.set(parent, [{ owner: namespace, exportTo }]);
        else listed.push({ owner: namespace, exportTo });
      }
    return index;
  });
  const wildcards = derivations.keyed("wildcard hosts", (namespace: string): readonly string[] => {
    const entries = world.by("serviceEntriesOfHost", "*");
    const seen = entries.flatMap(({ metadata }) => services.ofEntry(metadata.namespace ?? "", metadata.name));
    const hosts = seen.filter((service) => isSeen(service, namespace)).map(({ hostname }) => hostname);
    return [...new Set(hosts)].filter((host) => host.startsWith("*") && host !== "*");
  });
  const isSeen = (
    { namespace: owner, exportTo }: { readonly namespace: string; readonly exportTo: readonly string[] },
    namespace: string,
  ): boolean => visibleTo(exportTo, owner, namespace, meshConfig().defaultServiceExportTo);
  const isAlias = (host: string): boolean => {
    const parsed = parseServiceHost(host, domain);
    return parsed !== undefined && world.get("Service", parsed.namespace, parsed.name)?.spec?.type === "ExternalName";
  };
  const anyCovered = (namespace: string, pattern: string): boolean =>
    pattern === "*" ||
    (byParent().get(pattern.slice(1)) ?? []).some(({ owner, exportTo }) =>
      isSeen({ namespace: owner, exportTo }, namespace),
    );
  return {
    exists: (namespace, host) =>
      host.startsWith("*")
        ? anyCovered(namespace, host) || services.visible(namespace, host) !== undefined
        : services.visible(namespace, host) !== undefined ||
          isAlias(host) ||
          wildcards(namespace).some((pattern) => hostMatches(pattern, host)),
  };
}
