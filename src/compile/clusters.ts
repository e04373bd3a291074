import { compact } from "../base/compact.ts";
import type { Cluster, ClusterTls } from "../ir/cluster.ts";
import type { EndpointGroup, MeshService } from "../ir/service.ts";
import { meshAddress } from "../model/explicit-bind.ts";
import type { Model } from "../model/model.ts";
import { selects } from "../model/selectors.ts";
import type { CompileContext } from "./context.ts";
import {
  BLACK_HOLE,
  INBOUND_PASSTHROUGH,
  meshServerName,
  outboundCluster,
  parseOutboundCluster,
  PASSTHROUGH,
} from "./names.ts";
import type { ScopeFacts } from "./scope.ts";
import {
  type ClusterPolicy,
  clusterPolicy,
  connectionPoolOf,
  loadBalancerOf,
  outlierDetectionOf,
} from "./traffic-policy.ts";

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
  /** Endpoints come from us even where others would go where the client wanted: nobody redirects to this proxy. */
  readonly always: "eds" | null;
}

export function createOutboundClusters(context: CompileContext): OutboundClusters {
  const { model, derivations } = context;
  const ofService = derivations.keyed(
    "clusters of service",
    (host: string, from: string, subsets: string): readonly string[] => {
      const ref = JSON.parse(from) as MeshService["from"];
      const service = serviceOf(model, { hostname: host, namespace: ref.namespace, from: ref });
      return (service?.ports ?? [])
        .filter(({ protocol }) => protocol !== "udp")
        .flatMap(({ number }) => subsets.split("|").map((subset) => outboundCluster({ port: number, subset, host })));
    },
  );
  const names = derivations.keyed("cluster names", (scope: string) => {
    const facts = context.scope(scope);
    return model.services.allVisible(facts.namespace).flatMap(({ hostname, namespace, from }) => {
      const rule = model.destinationRules.effective(facts, hostname, namespace);
      const subsets = ["", ...(rule?.subsets ?? []).map(({ subset }) => subset.name)].join("|");
      return ofService(hostname, JSON.stringify(from), subsets);
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
  const service = model.services.visible(facts.namespace, host);
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
    always: facts.type === "router" || facts.bind !== null ? "eds" : null,
  };
}

function serviceOf(
  { services }: Model,
  { hostname, namespace, from }: Ingredients["service"],
): MeshService | undefined {
  if (from.kind === "Service") return services.kubernetes(namespace, from.name);
  return services.ofEntry(namespace, from.name).find((service) => service.hostname === hostname);
}

const DISCOVERY: Readonly<Record<MeshService["resolution"], Cluster["discovery"]>> = {
  eds: "eds",
  passthrough: "original-dst",
  dns: "strict-dns",
  "dns-round-robin": "logical-dns",
};

function discoveryOf(service: MeshService, { policy, always }: Ingredients): Cluster["discovery"] {
  const wanted = loadBalancerOf(policy.policy) === "PASSTHROUGH" ? "original-dst" : DISCOVERY[service.resolution];
  return wanted === "original-dst" && always !== null ? always : wanted;
}

function clusterOf(model: Model, made: Ingredients): Cluster | undefined {
  const service = serviceOf(model, made.service);
  const port = service?.ports.find(({ number }) => number === made.port);
  if (service === undefined || port === undefined) return undefined;
  const { policy, provenance } = made.policy;
  const discovery = discoveryOf(service, made);
  const isDns = discovery === "strict-dns" || discovery === "logical-dns";
  const { hostname: host, name, namespace } = service;
  return {
    name: outboundCluster({ port: made.port, subset: made.subset, host }),
    direction: "outbound",
    discovery,
    protocol: port.protocol,
    endpoints: isDns ? (groupOf(model, made)?.endpoints ?? []) : [],
    sourceAddress: made.source ?? undefined,
    tls: tlsOf(model, service, made, discovery),
    connectionPool: connectionPoolOf(policy, model.meshConfig().connectTimeoutMs),
    outlierDetection: outlierDetectionOf(policy),
    loadBalancer: loadBalancerOf(policy),
    service: { host, name, namespace },
    subset: made.subset,
    meshExternal: service.meshExternal,
    provenance: provenance ?? { from: service.from, path: [], lost: [] },
  };
}

/** TLS as the rule asks, else mutual TLS wherever the other side can. */
function tlsOf(
  model: Model,
  service: MeshService,
  made: Ingredients,
  discovery: Cluster["discovery"],
): ClusterTls | undefined {
  const { tls } = made.policy.policy;
  const sni = meshServerName({ port: made.port, subset: made.subset, host: service.hostname });
  switch (tls?.mode) {
    case undefined:
      return automaticTls(model, service, { port: made.port, sni, discovery });
    case "DISABLE":
      return { mode: "disable", sni: "", subjectAltNames: [] };
    case "ISTIO_MUTUAL":
      return {
        mode: "istio-mutual",
        sni: nonEmpty(tls.sni) ?? sni,
        subjectAltNames: nonEmptyList(tls.subjectAltNames) ?? identities(model, service),
      };
    case "SIMPLE":
    case "MUTUAL":
      return compact({
        mode: tls.mode === "SIMPLE" ? ("simple" as const) : ("mutual" as const),
        sni: tls.sni ?? "",
        subjectAltNames: nonEmptyList(tls.subjectAltNames) ?? declaredNames(model, service),
        credentialName: nonEmpty(tls.credentialName),
        caCertificates: nonEmpty(tls.caCertificates),
        clientCertificate: nonEmpty(tls.clientCertificate),
        privateKey: nonEmpty(tls.privateKey),
      });
  }
}

/** Mutual TLS nobody asked for: with endpoints that say they can; where nothing tells them apart, when all can. */
function automaticTls(
  model: Model,
  service: MeshService,
  { port, sni, discovery }: { readonly port: number; readonly sni: string; readonly discovery: Cluster["discovery"] },
): ClusterTls | undefined {
  if (service.meshExternal || !model.meshConfig().enableAutoMtls) return undefined;
  if (discovery !== "original-dst") return { mode: "auto", sni, subjectAltNames: identities(model, service) };
  const endpoints = model.endpoints.of(service, port);
  const all = endpoints.length > 0 && endpoints.every(({ tlsMode }) => tlsMode === "istio");
  return all ? { mode: "istio-mutual", sni, subjectAltNames: identities(model, service) } : undefined;
}

/** Names that a ServiceEntry says its servers have. */
function declaredNames({ world }: Model, { from }: MeshService): readonly string[] {
  if (from.kind !== "ServiceEntry") return [];
  return world.get("ServiceEntry", from.namespace, from.name)?.spec?.subjectAltNames ?? [];
}

/** SPIFFE identities the servers of a mesh service may have, in every trust domain we accept. */
function identities(model: Model, service: MeshService): readonly string[] {
  const declared = declaredNames(model, service);
  if (declared.length > 0) return declared;
  const { trustDomain, trustDomainAliases } = model.meshConfig();
  const accounts = model.endpoints.accounts(service).map((account) => account.split("/"));
  return [...new Set([trustDomain, ...trustDomainAliases])].flatMap((domain) =>
    accounts.map(([namespace, account]) => `spiffe://${domain}/ns/${namespace}/sa/${account}`),
  );
}

function groupOf(model: Model, made: Ingredients): EndpointGroup | undefined {
  const service = serviceOf(model, made.service);
  if (service === undefined) return undefined;
  const all = model.endpoints.of(service, made.port);
  const { labels } = made.policy;
  return {
    clusterName: outboundCluster({ port: made.port, subset: made.subset, host: service.hostname }),
    endpoints: labels === undefined ? all : all.filter((endpoint) => selects(labels, endpoint.labels)),
  };
}

function nonEmpty(text: string | undefined): string | undefined {
  return text === "" ? undefined : text;
}

function nonEmptyList(list: readonly string[] | undefined): readonly string[] | undefined {
  return list === undefined || list.length === 0 ? undefined : list;
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
    loadBalancer: "LEAST_REQUEST",
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
