import { compact } from "../base/compact.ts";
import type { Cluster } from "../ir/cluster.ts";
import type { EndpointGroup, MeshService } from "../ir/service.ts";
import { meshAddress } from "../model/explicit-bind.ts";
import type { Model } from "../model/model.ts";
import { clusterFeatures } from "./cluster-features/order.ts";
import type { CompileContext } from "./context.ts";
import { type Client, hasLabels, localityChoice, NOWHERE, placed } from "./locality.ts";
import { BLACK_HOLE, INBOUND_PASSTHROUGH, outboundCluster, parseOutboundCluster, PASSTHROUGH } from "./names.ts";
import { type Position, positionOf, reachedFrom } from "./networks.ts";
import type { ScopeFacts } from "./scope.ts";
import { type ClusterPolicy, clusterPolicy } from "./traffic-policy.ts";

/** Outbound clusters and their endpoints. */
export interface OutboundClusters {
  /** All clusters of a scope's visible services, subsets included, in the order of services and ports. */
  names(scope: string): readonly string[];
  cluster(scope: string, name: string): Cluster | undefined;
  endpoints(scope: string, name: string): EndpointGroup | undefined;
}

/** What a cluster is made from; as text it is the key under which scopes share it. */
interface Ingredients {
  readonly service: Pick<MeshService, "hostname" | "namespace" | "from">;
  readonly port: number;
  readonly subset: string;
  readonly policy: ClusterPolicy;
  /** Address to connect from in explicit mode. */
  readonly source: string | null;
  /** Where the caller runs, when that decides which endpoints come first. */
  readonly client: Client | null;
  /** Where the caller stands, when that decides which endpoints it reaches. */
  readonly position?: Position;
  /** Endpoints come from us even where others would go where the client wanted: nobody redirects to this proxy. */
  readonly always: "eds" | null;
}

export function createOutboundClusters(context: CompileContext): OutboundClusters {
  const { model, derivations } = context;
  const ofService = derivations.keyed(
    "clusters of service",
    (host: string, ports: string, subsets: string): readonly string[] =>
      ports
        .split("|")
        .filter((port) => port !== "")
        .flatMap((port) => subsets.split("|").map((subset) => outboundCluster({ port: Number(port), subset, host }))),
  );
  const names = derivations.keyed("cluster names", (scope: string) => {
    const facts = context.scope(scope);
    return model.sight.reachable(facts).flatMap(({ hostname, namespace, ports }) => {
      const rule = model.destinationRules.effective(facts, hostname, namespace);
      const subsets = ["", ...(rule?.subsets ?? []).map(({ subset }) => subset.name)].join("|");
      // a Sidecar may show some of a service's ports only
      const shown = ports.filter(({ protocol }) => protocol !== "udp").map(({ number }) => number);
      return ofService(hostname, shown.join("|"), subsets);
    });
  });
  const shared = derivations.keyed("cluster", (key: string) => clusterOf(model, JSON.parse(key) as Ingredients));
  const group = derivations.keyed("endpoint group", (key: string) => groupOf(model, JSON.parse(key) as Ingredients));
  const keyOf = (scope: string, name: string): string | undefined => {
    const found = ingredientsOf(model, context.scope(scope), name);
    return found === undefined ? undefined : JSON.stringify(found);
  };
  return {
    names,
    cluster: (scope, name) => {
      const key = keyOf(scope, name);
      return key === undefined ? undefined : shared(key);
    },
    endpoints: (scope, name) => {
      const key = keyOf(scope, name);
      return key === undefined ? undefined : group(key);
    },
  };
}

function ingredientsOf(model: Model, facts: ScopeFacts, name: string): Ingredients | undefined {
  const parsed = parseOutboundCluster(name);
  if (parsed === undefined) return undefined;
  const { port, subset, host } = parsed;
  const service = model.sight.visible(facts, host);
  if (service === undefined || !service.ports.some(({ number }) => number === port)) return undefined;
  const rule = model.destinationRules.effective(facts, host, service.namespace);
  const policy = clusterPolicy(rule, port, subset);
  if (policy === undefined) return undefined;
  return {
    service: { hostname: host, namespace: service.namespace, from: service.from },
    port,
    subset,
    policy,
    source: facts.type === "sidecar" && facts.bind !== null ? meshAddress(facts.bind) : null,
    client: clientOf(model, facts, { policy, service }),
    ...placeIn(positionOf(model, facts, service)),
    always: facts.type === "router" || facts.bind !== null ? "eds" : null,
  };
}

/** An empty position is none, so that keys stay what they are in a mesh of one cluster. */
function placeIn(position: Position): Pick<Ingredients, "position"> {
  return Object.keys(position).length === 0 ? {} : { position };
}

/** Who calls, where that decides. */
function clientOf(
  model: Model,
  { locality = NOWHERE, labels, node = "", replicas = {}, cluster, network }: ScopeFacts,
  { policy, service }: { readonly policy: ClusterPolicy; readonly service: MeshService },
): Client | null {
  const choice = localityChoice(policy.policy, model.meshConfig(), model.services.distribution(service));
  if (service.nodeLocal !== true && choice === undefined) return null;
  const client = { locality, labels, node, ...compact({ cluster, network }) };
  return choice?.zones === undefined ? client : { ...client, replicas };
}

function serviceOf(
  { services }: Model,
  { hostname, namespace, from }: Ingredients["service"],
): MeshService | undefined {
  if (from.kind === "Service") return services.ofHost({ namespace, name: from.name }, hostname);
  return services.ofEntry(namespace, from.name).find((service) => service.hostname === hostname);
}

const DISCOVERY: Readonly<Record<MeshService["resolution"], Cluster["discovery"]>> = {
  eds: "eds",
  passthrough: "original-dst",
  dns: "strict-dns",
  "dns-round-robin": "logical-dns",
  "dynamic-dns": "dynamic-dns",
};

function discoveryOf(service: MeshService, { policy, always }: Ingredients): Cluster["discovery"] {
  const passes = policy.policy.loadBalancer?.simple === "PASSTHROUGH";
  const wanted = passes ? "original-dst" : DISCOVERY[service.resolution];
  return wanted === "original-dst" && always !== null ? always : wanted;
}

function clusterOf(model: Model, made: Ingredients): Cluster | undefined {
  const service = serviceOf(model, made.service);
  const port = service?.ports.find(({ number }) => number === made.port);
  if (service === undefined || port === undefined) return undefined;
  const { policy, provenance, selective = false } = made.policy;
  const discovery = discoveryOf(service, made);
  const isDns = discovery === "strict-dns" || discovery === "logical-dns";
  const { hostname: host, name, namespace } = service;
  const features = clusterFeatures(model, { service, port, subset: made.subset, discovery, policy, selective });
  return {
    ...plainCluster(outboundCluster({ port: made.port, subset: made.subset, host }), "outbound"),
    ...features,
    discovery,
    endpoints: isDns ? (groupOf(model, made)?.endpoints ?? []) : [],
    sourceAddress: made.source ?? undefined,
    service: { host, name, namespace },
    subset: made.subset,
    meshExternal: service.meshExternal,
    provenance: provenance ?? { from: service.from, path: [], lost: [] },
  };
}

function groupOf(model: Model, made: Ingredients): EndpointGroup | undefined {
  const service = serviceOf(model, made.service);
  if (service === undefined) return undefined;
  const all = model.endpoints.of(service, made.port);
  const { labels, policy } = made.policy;
  const reachable = service.nodeLocal === true ? all.filter(({ node }) => node === made.client?.node) : all;
  const chosen = labels === undefined ? reachable : reachable.filter((endpoint) => hasLabels(endpoint, labels));
  const reached = made.position === undefined ? chosen : reachedFrom(model, made.position, chosen);
  return {
    clusterName: outboundCluster({ port: made.port, subset: made.subset, host: service.hostname }),
    ...placed(reached, localityChoice(policy, model.meshConfig(), model.services.distribution(service)), made.client),
  };
}

/** A cluster without any policy. */
export function plainCluster(name: string, direction: Cluster["direction"]): Cluster {
  return {
    name,
    direction,
    discovery: "original-dst",
    protocol: "auto",
    endpoints: [],
    sourceAddress: undefined,
    tls: undefined,
    connectionPool: {},
    outlierDetection: undefined,
    loadBalancer: { kind: "LEAST_REQUEST" },
    service: undefined,
    subset: "",
    meshExternal: false,
    provenance: undefined,
  };
}

/** Where a captured connection's copy starts, so that the redirecting rules let it pass. */
export const INBOUND_SOURCE = "127.0.0.6";

/** Clusters that stand whatever the World holds. */
export const SPECIAL_CLUSTERS: Readonly<Record<string, Cluster>> = {
  /** Where the client wanted to go. */
  [PASSTHROUGH]: plainCluster(PASSTHROUGH, "outbound"),
  /** Nowhere. */
  [BLACK_HOLE]: { ...plainCluster(BLACK_HOLE, "outbound"), discovery: "static" },
  /** To the application on a port that no service names. */
  [INBOUND_PASSTHROUGH]: { ...plainCluster(INBOUND_PASSTHROUGH, "inbound"), sourceAddress: INBOUND_SOURCE },
};
