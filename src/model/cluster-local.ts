import type { ModelContext } from "./context.ts";
import { hostMatches } from "./host.ts";

/**
 * Whether a host means in each cluster that cluster's own endpoints: `serviceSettings` of the mesh's configuration says so, a
 * narrower entry before a wider one, and without any the API server and the system's namespace are such hosts (as in Istio).
 */
export function createClusterLocal({ domain, meshConfig }: ModelContext): (host: string) => boolean {
  const standard = [`*.kube-system.svc.${domain}`, `kubernetes.default.svc.${domain}`];
  return (host) => {
    const settings = list(meshConfig().raw["serviceSettings"]).flatMap(({ settings: set, hosts }) =>
      list(hosts, "text").map((pattern) => ({
        pattern,
        local: (set as { clusterLocal?: unknown })?.clusterLocal === true,
      })),
    );
    const matching = settings.filter(({ pattern }) => hostMatches(pattern, host));
    const narrowest = matching.toSorted((a, b) => b.pattern.length - a.pattern.length)[0];
    return narrowest?.local ?? standard.some((pattern) => hostMatches(pattern, host));
  };
}

function list(value: unknown): readonly Readonly<Record<string, unknown>>[];
function list(value: unknown, of: "text"): readonly string[];
function list(value: unknown, of?: "text"): readonly unknown[] {
  const wanted = of === "text" ? "string" : "object";
  return Array.isArray(value) ? value.filter((item) => item !== null && typeof item === wanted) : [];
}
