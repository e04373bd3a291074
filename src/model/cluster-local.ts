import type { ModelContext } from "./context.ts";
import { hostMatches } from "./host.ts";

/**
 * Whether a host means in each cluster that cluster's own endpoints: `serviceSettings` of the mesh's configuration says so, a
 * narrower entry before a wider one, and without any the API server and the system's namespace are such hosts (as in Istio).
 */
export function createClusterLocal({ domain, meshConfig }: ModelContext): (host: string) => boolean {
  const standard = [`*.kube-system.svc.${domain}`, `kubernetes.default.svc.${domain}`];
  return (host) => {
    const settings = objects(meshConfig().raw["serviceSettings"]).flatMap(({ settings: set, hosts }) =>
      texts(hosts).map((pattern) => ({
        pattern,
        local: (set as { clusterLocal?: unknown })?.clusterLocal === true,
      })),
    );
    const matching = settings.filter(({ pattern }) => hostMatches(pattern, host));
    const narrowest = matching.toSorted((a, b) => b.pattern.length - a.pattern.length)[0];
    return narrowest?.local ?? standard.some((pattern) => hostMatches(pattern, host));
  };
}

type Json = Readonly<Record<string, unknown>>;

function objects(value: unknown): readonly Json[] {
  return Array.isArray(value) ? value.filter((item): item is Json => typeof item === "object" && item !== null) : [];
}

function texts(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === "string") : [];
}
