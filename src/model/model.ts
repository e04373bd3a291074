import { createDerivations, type Derivations } from "../base/derive.ts";
import type { World } from "../resources/world.ts";
import { type AuthorizationPolicies, createAuthorizationPolicies } from "./authorization.ts";
import { type Aliases, createAliases } from "./aliases.ts";
import { type AutoAddresses, createAutoAddresses } from "./auto-addresses.ts";
import { type ClusterSet, createClusterSet, type McsSettings } from "./cluster-set.ts";
import { createClusterLocal } from "./cluster-local.ts";
import { createDestinationRules, type DestinationRules } from "./destination-rules.ts";
import { createEndpoints, type Endpoints } from "./endpoints.ts";
import { createEnvoyFilters, type EnvoyFilters } from "./envoy-filters.ts";
import { createExtensions, type Extensions } from "./extensions.ts";
import { createGatewayApi, type GatewayApi } from "./gateway-api.ts";
import { createGateways, type Gateways } from "./gateways.ts";
import { createHeadless, type HeadlessPod } from "./headless.ts";
import { DEFAULT_DOMAIN } from "./host.ts";
import { createHostLookup, type HostLookup } from "./host-lookup.ts";
import type { MeshService } from "../ir/service.ts";
import { createIngresses, type Ingresses } from "./ingress.ts";
import { type MeshConfig, readMeshConfig } from "./mesh-config.ts";
import { createMembers, type Members, type RemoteWorld } from "./members.ts";
import { createNamespaces, type Namespaces } from "./namespaces.ts";
import { createNetworks, type Networks } from "./networks.ts";
import { createPeerAuthentications, type PeerAuthentications } from "./peer-authentication.ts";
import { createPods, type Pods } from "./pods.ts";
import { createRateLimitPolicies, type RateLimitPolicies } from "./rate-limits.ts";
import { createReplicaZones, type ReplicaZones } from "./replica-zones.ts";
import { createRequestAuthentications, type KeySets, type RequestAuthentications } from "./request-authentication.ts";
import { createServiceSelection, type ServiceSelection } from "./service-selection.ts";
import { createServices, type Services } from "./services.ts";
import { createSidecars, type Sidecars } from "./sidecars.ts";
import { createSight, type Sight } from "./sight.ts";
import { createTelemetries, type Telemetries } from "./telemetry.ts";
import { createVirtualServices, type VirtualServices } from "./virtual-services.ts";
import { createWorkloads, type Workloads } from "./workloads.ts";

/** What the World alone does not say. */
export interface ModelOptions {
  /** Namespace of the control plane and of mesh-wide objects; default `istio-system`. */
  readonly rootNamespace?: string;
  /** Whose mesh configuration counts; default: the default revision. */
  readonly revision?: string;
  /** DNS suffix of the cluster; default `cluster.local`. */
  readonly domain?: string;
  /** Name of the cluster in metrics; default `Kubernetes`. */
  readonly clusterId?: string;
  /** The other clusters of the mesh, by name; tracked. Default: there are none. */
  readonly remotes?: () => readonly RemoteWorld[];
  /** Addresses of names that network gateways have, as far as they are known; tracked. Default: a name has none. */
  readonly hostAddresses?: (name: string) => readonly string[];
  /** How far ServiceExports and ServiceImports are obeyed; default: not at all. */
  readonly mcs?: McsSettings;
  /** Where the keys of token issuers come from; default: nowhere, and no token that needs them passes. */
  readonly keySets?: KeySets;
  /** Default: the World's own, or new ones. */
  readonly derivations?: Derivations;
}

/**
 * Questions about a World, each answered in one place for compile, analyzers and inject. Answers are derivations: they stay
 * in memory while an effect or a `derivations.keep()` holds them.
 */
export interface Model {
  readonly world: World;
  readonly derivations: Derivations;
  readonly rootNamespace: string;
  readonly domain: string;
  readonly clusterId: string;
  readonly services: Services;
  readonly hosts: HostLookup;
  /** ExternalName Services. */
  readonly aliases: Aliases;
  readonly serviceSelection: ServiceSelection;
  readonly endpoints: Endpoints;
  readonly autoAddresses: AutoAddresses;
  /** Pods behind a Service without cluster IP, of all clusters. */
  readonly headless: (service: MeshService) => readonly HeadlessPod[];
  /** Of our own cluster; those of another one stand in `members`. */
  readonly pods: Pods;
  readonly members: Members;
  readonly networks: Networks;
  readonly clusterSet: ClusterSet;
  /** Whether a host means in each cluster that cluster's own endpoints. */
  readonly isClusterLocal: (host: string) => boolean;
  /** Zones of the replicas of a pod's workload. */
  readonly replicaZones: (namespace: string, pod: string) => ReplicaZones;
  readonly virtualServices: VirtualServices;
  readonly destinationRules: DestinationRules;
  readonly gateways: Gateways;
  readonly gatewayApi: GatewayApi;
  readonly ingresses: Ingresses;
  readonly peerAuthentications: PeerAuthentications;
  readonly requestAuthentications: RequestAuthentications;
  readonly keySets: KeySets;
  readonly authorizationPolicies: AuthorizationPolicies;
  readonly rateLimits: RateLimitPolicies;
  readonly namespaces: Namespaces;
  readonly sidecars: Sidecars;
  readonly sight: Sight;
  readonly envoyFilters: EnvoyFilters;
  /** WasmPlugins and TrafficExtensions. */
  readonly extensions: Extensions;
  readonly telemetries: Telemetries;
  readonly workloads: Workloads;
  readonly meshConfig: () => MeshConfig;
}

/** The model of a World. */
export function createModel(world: World & { readonly derivations?: Derivations }, options: ModelOptions = {}): Model {
  const derivations = options.derivations ?? world.derivations ?? createDerivations();
  const rootNamespace = options.rootNamespace ?? "istio-system";
  const meshConfig = derivations.keyed("mesh config", () => readMeshConfig(world, rootNamespace, options.revision));
  const context = {
    world,
    derivations,
    rootNamespace,
    domain: options.domain ?? DEFAULT_DOMAIN,
    clusterId: options.clusterId ?? "Kubernetes",
    meshConfig,
  };
  const pods = createPods(context);
  const members = createMembers(context, pods, options.remotes);
  const networks = createNetworks(context, members, {
    revision: options.revision,
    addressesOf: options.hostAddresses,
  });
  const clusterSet = createClusterSet(context, members, options.mcs);
  const services = createServices(context, members, clusterSet);
  const hosts = createHostLookup(context, services);
  const peerAuthentications = createPeerAuthentications(context);
  const sidecars = createSidecars(context);
  const virtualServices = createVirtualServices(context, sidecars);
  const rateLimits = createRateLimitPolicies(context);
  const telemetries = createTelemetries(context);
  return {
    ...context,
    services,
    hosts,
    aliases: createAliases(context),
    serviceSelection: createServiceSelection(context),
    pods,
    replicaZones: createReplicaZones(context, pods),
    autoAddresses: createAutoAddresses(context),
    headless: createHeadless(context, members, networks),
    peerAuthentications,
    requestAuthentications: createRequestAuthentications(context),
    keySets: options.keySets ?? (() => undefined),
    authorizationPolicies: createAuthorizationPolicies(context),
    rateLimits,
    members,
    networks,
    clusterSet,
    isClusterLocal: createClusterLocal(context),
    endpoints: createEndpoints(context, services, { members, networks, peerAuthentications }),
    virtualServices,
    destinationRules: createDestinationRules(context),
    gateways: createGateways(context, pods),
    gatewayApi: createGatewayApi(context, hosts),
    ingresses: createIngresses(context),
    namespaces: createNamespaces(context),
    sidecars,
    envoyFilters: createEnvoyFilters(context),
    extensions: createExtensions(context),
    telemetries,
    sight: createSight(context, { services, virtualServices, rateLimits, telemetries }),
    workloads: createWorkloads(context, pods, services),
  };
}
