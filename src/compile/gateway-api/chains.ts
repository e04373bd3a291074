import type { GatewayChain } from "../../ir/listener.ts";
import type { ApiRoute, Attachment } from "../../model/gateway-api-types.ts";
import { hostMatches } from "../../model/host.ts";
import type { Model } from "../../model/model.ts";
import { tcpFeatures } from "../tcp-features.ts";
import { backendClusters, provenanceOf } from "./backends.ts";
import type { ApiPlace } from "./servers.ts";

/** Who carries it on: policies may select callers by labels. */
interface Caller {
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** A route at a listener, and the hosts that it has there. */
export interface AttachedRoute {
  readonly route: ApiRoute;
  readonly hostnames: readonly string[];
}

/**
 * Routes of a listener, older first. A host that another listener of the port serves more precisely is that one's alone,
 * whether it has routes or not.
 */
export function routesOfListener(model: Model, { listener }: ApiPlace): readonly AttachedRoute[] {
  const { gateway, name, port, hostname } = listener;
  const rivals = model.gatewayApi.listeners
    .of(gateway.namespace, gateway.name)
    .filter((other) => other.port === port && other.name !== name && other.hostname !== hostname)
    .filter((other) => hostMatches(hostname, other.hostname));
  const isOwn = (host: string): boolean => !rivals.some((other) => hostMatches(other.hostname, host));
  return model.gatewayApi
    .attached(gateway.namespace, gateway.name)
    .filter(({ attachment }) => attachment.listener === name)
    .map(({ route, attachment }) => ({ route, hostnames: attachment.hostnames.filter(isOwn) }))
    .filter(({ hostnames }) => hostnames.length > 0);
}

/** Chains of a listener whose bytes are not HTTP, or whose HTTP is inside TLS that ends here. */
export function apiChains(
  model: Model,
  caller: Caller,
  {
    api,
    table,
    provenance,
  }: { readonly api: ApiPlace; readonly table: string | undefined; readonly provenance: GatewayChain["provenance"] },
): readonly GatewayChain[] {
  const { listener, tls } = api;
  const serverNames = namesOf([listener.hostname]);
  if (table !== undefined) return [{ serverNames, tls, routeTable: table, clusters: [], provenance }];
  const routes = routesOfListener(model, api);
  if (listener.protocol !== "TLS") return routes.slice(0, 1).flatMap((own) => bytesChain(model, caller, own));
  const socket: GatewayChain["tls"] = tls ?? { mode: "PASSTHROUGH" };
  return routes.flatMap((own) =>
    bytesChain(model, caller, own).map((chain) => ({
      ...chain,
      serverNames: own.route.kind === "TLSRoute" ? namesOf(own.hostnames) : serverNames,
      tls: socket,
    })),
  );
}

function bytesChain(model: Model, caller: Caller, { route }: AttachedRoute): readonly GatewayChain[] {
  const clusters = backendClusters(model, route, { index: 0, filters: [] });
  if (clusters.length === 0) return [];
  const provenance = provenanceOf(route, 0);
  const tcp = tcpFeatures(model, caller, clusters);
  const chain = { serverNames: [], tls: undefined, routeTable: undefined, clusters, provenance };
  return [tcp === undefined ? chain : { ...chain, tcp }];
}

/** Server names of a chain; none for any. */
function namesOf(hostnames: Attachment["hostnames"]): readonly string[] {
  return hostnames.includes("*") ? [] : hostnames;
}
