import { nearest } from "../base/nearest.ts";
import type { Service } from "../resources/core.ts";
import type { ModelContext } from "./context.ts";
import type { ReferenceGrants } from "./gateway-api-grants.ts";
import { type ApiRoute, GATEWAY_GROUP, type Problem, type RouteBackend } from "./gateway-api-types.ts";
import type { HostLookup } from "./host-lookup.ts";

/** Kinds that other controllers make backends of; what stands behind them is not judged. */
const FOREIGN: readonly string[] = ["multicluster.x-k8s.io/ServiceImport", "inference.networking.k8s.io/InferencePool"];

/** Why requests to a backend cannot get there; undefined when they can. */
export function createBackendProblem(
  { world }: ModelContext,
  grants: ReferenceGrants,
  hosts: HostLookup,
): (route: ApiRoute, backend: RouteBackend) => Problem | undefined {
  const ofHostname = (route: ApiRoute, { name, path }: RouteBackend): Problem | undefined =>
    hosts.exists(route.ref.namespace, name)
      ? undefined
      : {
          code: "MSH0724",
          path: [...path, "name"],
          args: { backend: name, nearest: "" },
          needs: { kind: "ServiceEntry", namespace: route.ref.namespace },
        };
  const ofService = (backend: RouteBackend): Problem | undefined => {
    const { namespace, name, port, path } = backend;
    const service = world.get("Service", namespace, name);
    const words = `Service ${namespace}/${name}`;
    if (service === undefined) {
      const others = world.list("Service", namespace).map(({ metadata }) => metadata.name);
      const close = nearest(name, others) ?? "";
      return {
        code: "MSH0724",
        path: [...path, "name"],
        args: { backend: words, nearest: close },
        needs: { kind: "Service", namespace },
      };
    }
    if (port !== undefined && hasPort(service, port)) return undefined;
    const at = port === undefined ? path : [...path, "port"];
    return {
      code: "MSH0725",
      path: at,
      args: { backend: words, port: port === undefined ? "" : String(port), has: portsOf(service) },
    };
  };
  return (route, backend) => {
    const group = `${backend.group}/${backend.kind}`;
    const from = { group: GATEWAY_GROUP, kind: route.kind, namespace: route.ref.namespace };
    if (group === "networking.istio.io/Hostname") return ofHostname(route, backend);
    if (group !== "/Service" && !FOREIGN.includes(group))
      return { code: "MSH0726", path: [...backend.path, "kind"], args: { kind: backend.kind } };
    if (!isOfMesh(route) && grants.allows(from, backend) === false) {
      const args = {
        what: `${backend.kind} ${backend.name}`,
        from: `${route.kind} of ${from.namespace}`,
        namespace: backend.namespace,
      };
      return { code: "MSH0719", path: [...backend.path, "namespace"], args };
    }
    return group === "/Service" ? ofService(backend) : undefined;
  };
}

/**
 * Whether a route is about calls inside the mesh alone: its callers reach the backend without it too, so no grant is asked for. Source:
 * Istio's enforceRefGrant.
 */
function isOfMesh({ parents }: ApiRoute): boolean {
  return parents.length > 0 && parents.every(({ group, kind }) => group !== GATEWAY_GROUP || kind !== "Gateway");
}

/** An ExternalName Service stands for every port of the name behind it. */
function hasPort({ spec }: Service, port: number): boolean {
  return spec?.type === "ExternalName" || (spec?.ports ?? []).some((each) => each.port === port);
}

/** For messages: `80 (http), 9090 (metrics)`. */
export function portsOf({ spec }: Service): string {
  const ports = (spec?.ports ?? []).map(({ port, name }) => (name === undefined ? String(port) : `${port} (${name})`));
  return ports.length === 0 ? "no ports" : ports.join(", ");
}
