import { EXPORT_TO_ANNOTATION, exportList } from "./export-to.ts";
import type { ModelContext } from "./context.ts";
import { parseServiceHost, serviceHost } from "./host.ts";
import { visibleTo } from "./visibility.ts";

/** A Service of type ExternalName: another name for a host. */
export interface Alias {
  readonly name: string;
  readonly namespace: string;
  readonly hostname: string;
}

/** Questions about ExternalName Services, which have no clusters of their own: their traffic is that of the host they name. */
export interface Aliases {
  /** The host that stands at the end of a chain of aliases; the host itself when it is none. */
  target(host: string): string;
  /** Aliases of a host that proxies of `namespace` see, sorted by host. */
  of(namespace: string, host: string): readonly Alias[];
}

/** A chain longer than this is taken for a circle. */
const MOST_STEPS = 10;

export function createAliases({ world, derivations, domain, meshConfig }: ModelContext): Aliases {
  const next = (host: string): string | undefined => {
    const parsed = parseServiceHost(host, domain);
    const spec = parsed === undefined ? undefined : world.get("Service", parsed.namespace, parsed.name)?.spec;
    return spec?.type === "ExternalName" ? spec.externalName : undefined;
  };
  const target = derivations.keyed("target of alias", (host: string): string => {
    let current = host;
    for (let step = 0; step < MOST_STEPS; step += 1) {
      const named = next(current);
      if (named === undefined) return current;
      current = named;
    }
    return host;
  });
  const byTarget = derivations.keyed("aliases", (namespace: string): Readonly<Record<string, readonly Alias[]>> => {
    const found: Record<string, Alias[]> = {};
    for (const { metadata, spec } of world.list("Service")) {
      if (spec?.type !== "ExternalName") continue;
      const { name, namespace: owner = "" } = metadata;
      const exportTo = exportList(metadata.annotations?.[EXPORT_TO_ANNOTATION]);
      if (!visibleTo(exportTo, owner, namespace, meshConfig().defaultServiceExportTo)) continue;
      const hostname = serviceHost(name, owner, domain);
      (found[target(hostname)] ??= []).push({ name, namespace: owner, hostname });
    }
    return found;
  });
  return { target, of: (namespace, host) => byTarget(namespace)[host] ?? [] };
}
