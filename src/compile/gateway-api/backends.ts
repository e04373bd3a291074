import type { Provenance } from "../../ir/provenance.ts";
import type { Mirror } from "../../ir/route-features.ts";
import type { WeightedCluster } from "../../ir/route.ts";
import type { ApiRoute, RouteBackend } from "../../model/gateway-api-types.ts";
import { serviceHost } from "../../model/host.ts";
import type { Model } from "../../model/model.ts";
import { outboundCluster } from "../names.ts";
import { type Filter, filterHeaders } from "./rule-features.ts";

/** The name of no cluster: its share of requests or connections fails. */
export const NOWHERE = "InvalidBackend";

/** Backends of a rule with their shares; one that cannot be used keeps its share of requests, which fail. */
export function backendClusters(
  model: Model,
  route: ApiRoute,
  { index, filters }: { readonly index: number; readonly filters: readonly (readonly Filter[] | undefined)[] },
): readonly WeightedCluster[] {
  const backends = (route.rules[index]?.backends ?? []).filter(({ mirror }) => !mirror);
  const from = provenanceOf(route, index);
  return backends.flatMap((backend, at): readonly WeightedCluster[] => {
    if (backend.weight === 0) return [];
    const headers = filterHeaders(filters[at] ?? []);
    return [
      {
        cluster: clusterOf(model, route, backend) ?? NOWHERE,
        weight: backends.length === 1 ? 1 : backend.weight,
        ...(headers === undefined ? {} : { features: { headers } }),
        provenance: { ...from, path: backend.path },
      },
    ];
  });
}

/** Copies of a rule's requests, share in millionths. One whose backend cannot be used is left out. */
export function mirrorsOf(
  model: Model,
  route: ApiRoute,
  { index, filters }: { readonly index: number; readonly filters: readonly Filter[] },
): readonly Mirror[] | undefined {
  const targets = (route.rules[index]?.backends ?? []).filter(({ mirror }) => mirror);
  const shares = filters.flatMap(({ requestMirror }) => (requestMirror === undefined ? [] : [shareOf(requestMirror)]));
  const made = targets.flatMap((backend, at): readonly Mirror[] => {
    const cluster = clusterOf(model, route, backend);
    const share = shares[at] ?? 0;
    return cluster === undefined || share === 0 ? [] : [{ cluster, share }];
  });
  return made.length === 0 ? undefined : made;
}

const WHOLE = 1_000_000;

function shareOf({ percent, fraction }: NonNullable<Filter["requestMirror"]>): number {
  if (fraction !== undefined) return Math.round((fraction.numerator / (fraction.denominator ?? 100)) * WHOLE);
  return percent === undefined ? WHOLE : (percent * WHOLE) / 100;
}

/** Where a rule stands. */
export function provenanceOf({ ref }: ApiRoute, index: number): Provenance {
  return { from: ref, path: ["spec", "rules", index], lost: [] };
}

/** The cluster of a backend; undefined when there is something wrong with it. */
function clusterOf(model: Model, route: ApiRoute, backend: RouteBackend): string | undefined {
  const { kind, name, namespace, port } = backend;
  if (model.gatewayApi.backendProblem(route, backend) !== undefined || port === undefined) return undefined;
  switch (kind) {
    case "Service":
      return outboundCluster({ port, subset: "", host: serviceHost(name, namespace, model.domain) });
    case "Hostname":
      return outboundCluster({ port, subset: "", host: name });
    case "ServiceImport":
      return outboundCluster({ port, subset: "", host: `${name}.${namespace}.svc.clusterset.local` });
    default:
      return undefined;
  }
}
