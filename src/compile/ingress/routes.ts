import type { Provenance } from "../../ir/provenance.ts";
import type { HttpRoute } from "../../ir/route.ts";
import { bySpecificity, hostMatches, narrowerHost } from "../../model/host.ts";
import { ingressMatch } from "../../model/ingress.ts";
import type { Model } from "../../model/model.ts";
import type { VirtualService } from "../../model/virtual-services.ts";
import type { Ingress, IngressPath } from "../../resources/core.ts";
import { refOf } from "../../resources/object.ts";
import { matchesAll } from "../http-match.ts";
import { httpRoutes } from "../http-routes.ts";
import type { RouteSite } from "../route-site.ts";

/** A path of an Ingress with what decides its place. */
interface Rule {
  readonly ingress: Ingress;
  readonly host: string;
  readonly path: IngressPath;
  readonly at: Provenance["path"];
}

/** Hosts that Ingresses have routes for, below one of a server's hosts. */
export function ingressHosts(model: Model, serverHosts: readonly string[]): readonly string[] {
  const hosts = rulesOf(model).flatMap(({ host }) => serverHosts.flatMap((server) => narrowerHost(server, host) ?? []));
  return [...new Set(hosts)];
}

/**
 * Routes of one host: of all Ingresses that name it most exactly, exact paths and longer ones first, as Kubernetes wants it; of
 * equal paths the older Ingress's. Default backends come last, also those of Ingresses that do not name the host.
 */
export function ingressRoutes(model: Model, site: RouteSite): readonly HttpRoute[] {
  const covering = rulesOf(model).filter(({ host }) => hostMatches(host, site.host));
  const [best] = covering.filter((rule) => !isDefault(rule)).toSorted((a, b) => bySpecificity(a.host, b.host));
  const all = covering
    .filter((rule) => isDefault(rule) || rule.host === best?.host)
    .toSorted((a, b) => Number(isDefault(a)) - Number(isDefault(b)) || byPrecision(a.path, b.path))
    .flatMap((rule) => routeOf(model, rule, site));
  const last = all.findIndex(({ match }) => matchesAll(match));
  return last < 0 ? all : all.slice(0, last + 1);
}

function isDefault({ at }: Rule): boolean {
  return at[1] === "defaultBackend";
}

function rulesOf(model: Model): readonly Rule[] {
  return model.ingresses.served().flatMap((ingress) => {
    const { rules = [], defaultBackend } = ingress.spec ?? {};
    const written = rules.flatMap(({ host = "", http }, rule) =>
      (http?.paths ?? []).map(
        (path, index): Rule => ({
          ingress,
          host: host === "" ? "*" : host,
          path,
          at: ["spec", "rules", rule, "http", "paths", index],
        }),
      ),
    );
    if (defaultBackend === undefined) return written;
    const path: IngressPath = { pathType: "Prefix", path: "/", backend: defaultBackend };
    return [...written, { ingress, host: "*", path, at: ["spec", "defaultBackend"] }];
  });
}

function byPrecision(a: IngressPath, b: IngressPath): number {
  const [first, second] = [ingressMatch(a), ingressMatch(b)];
  return weightOf(second) - weightOf(first);
}

/** Longer before shorter, exact before prefix of the same length. */
function weightOf(match: ReturnType<typeof ingressMatch>): number {
  if (match === undefined) return 0;
  return "exact" in match ? 2 * match.exact.length + 1 : 2 * match.prefix.replace(/\/$/, "").length;
}

/** The route of a path, made as a VirtualService's would be: with the mesh's retries and the policies of the destination. */
function routeOf(model: Model, { ingress, path, at }: Rule, site: RouteSite): readonly HttpRoute[] {
  const namespace = ingress.metadata.namespace ?? "";
  const port = model.ingresses.backendPort(namespace, path.backend);
  const { service } = path.backend;
  if (service === undefined || port === undefined) return [];
  const uri = ingressMatch(path);
  const object: VirtualService = {
    apiVersion: "networking.istio.io/v1",
    kind: "VirtualService",
    metadata: { name: ingress.metadata.name, namespace },
    spec: {
      hosts: [site.host],
      http: [
        {
          ...(uri === undefined ? {} : { match: [{ uri }] }),
          route: [{ destination: { host: service.name, port: { number: port } } }],
        },
      ],
    },
  };
  const provenance: Provenance = { from: refOf(ingress), path: at, lost: [] };
  return httpRoutes(model, { object, provenance }, site).map(({ match, action, ...route }) => ({
    ...route,
    match: { ...match, pathSeparatedPrefix: true },
    action:
      action.kind === "forward"
        ? { ...action, clusters: action.clusters.map((cluster) => ({ ...cluster, provenance })) }
        : action,
    provenance,
  }));
}
