import { createDerivations, type Derivations, type Source } from "../base/derive.ts";
import { createMesh, type Mesh } from "../compile/mesh.ts";
import { type GatewayApiKindName, gatewayApiKinds, type MeshKindName, meshKinds } from "../gen/mesh-kinds.ts";
import { type Compliance, generatedOptions } from "../model/generated-options.ts";
import { type McsSettings, sharingKinds } from "../model/cluster-set.ts";
import type { MeshConfig } from "../model/mesh-config.ts";
import { createWorldStore, type WorldStore } from "../resources/world-store.ts";
import type { XdsOptions } from "../xds/types.ts";
import { createGatewayNames, type GatewayNamesDeps } from "./gateway-names.ts";
import { createKeyKeeper, type KeyKeeperOptions } from "./jwks.ts";
import { createRemoteWorlds, type RemoteWorlds } from "./remote-worlds.ts";
import type { Watched } from "./watch.ts";

/** What the control plane knows, and what follows from it. */
export interface State {
  readonly world: WorldStore;
  /** What the mesh's other clusters hold. */
  readonly remotes: RemoteWorlds;
  readonly derivations: Derivations;
  readonly mesh: Mesh;
  /** The mesh's configuration as it is now; tracked inside derivations and effects. */
  readonly meshConfig: () => MeshConfig;
  /** Tracked; the same object as long as the content is. */
  readonly xdsOptions: () => XdsOptions;
  /** Since when connections that stand are from before less was trusted; empty: nothing was ever taken back. Tracked. */
  readonly trustSince: Source<string>;
  readonly trustDomains: () => readonly [string, ...string[]];
  /** Resolves when the names of gateways between networks were asked for once: before that such networks are not entered. */
  readonly namesAsked: () => Promise<void>;
  /** Whether this instance writes shared objects; tracked. */
  readonly leading: Source<boolean>;
  close(): void;
}

/** An empty World with the mesh compiled from it. */
export function createState(options: {
  readonly rootNamespace: string;
  /** Default: the default revision. */
  readonly revision?: string;
  readonly domain: string;
  readonly clusterId: string;
  /** Default: none. */
  readonly compliance?: Compliance | undefined;
  /** Fetching of token issuers' keys; default: none are fetched. */
  readonly keys?: Pick<KeyKeeperOptions, "limits" | "onFailure" | "onFetched" | "refreshMs">;
  /** How far ServiceExports and ServiceImports are obeyed; default: not at all. */
  readonly mcs?: McsSettings | undefined;
  /** Resolving of names that gateways between networks have; default: none is resolved. */
  readonly gatewayNames?: Omit<GatewayNamesDeps, "derivations"> | undefined;
}): State {
  const derivations = createDerivations();
  const world = createWorldStore(derivations);
  const remotes = createRemoteWorlds(derivations);
  const keeper = options.keys === undefined ? undefined : createKeyKeeper({ ...options.keys, derivations });
  const keySets = keeper === undefined ? {} : { keySets: keeper.keySets };
  const { gatewayNames, mcs, ...more } = options;
  const names = gatewayNames === undefined ? undefined : createGatewayNames({ ...gatewayNames, derivations });
  const hosts = names === undefined ? {} : { hostAddresses: names.addressesOf };
  const shares = mcs === undefined ? {} : { mcs };
  const sources = { ...keySets, ...hosts, ...shares, derivations, remotes: () => remotes.list() };
  const mesh = createMesh(world, { ...more, ...sources });
  const unfollowKeys = keeper?.follow(world);
  const unfollowNames = names?.follow(() => mesh.model.networks.gatewayNames());
  const meshConfig = (): MeshConfig => mesh.model.meshConfig();
  const trustSince = derivations.source("");
  // Asked for outside effects too (each call, each review): held, so that it is read once per change.
  let current = meshConfig();
  const unfollow = derivations.effect(() => {
    current = meshConfig();
  });
  return {
    world,
    remotes,
    derivations,
    mesh,
    meshConfig,
    xdsOptions: derivations.keyed("options of resources", () => ({
      ...generatedOptions(meshConfig(), options.compliance),
      ...(trustSince.get() === "" ? {} : { trustSince: trustSince.get() }),
    })),
    trustSince,
    trustDomains: () => [current.trustDomain, ...current.trustDomainAliases],
    namesAsked: () => names?.settled() ?? Promise.resolve(),
    leading: derivations.source(false),
    close() {
      unfollowKeys?.();
      unfollowNames?.();
      unfollow();
    },
  };
}

/** What is watched: the cluster's services and pods, the mesh's own kinds, our configuration, the webhooks. */
export function watchedKinds(rootNamespace: string, mcs?: McsSettings): readonly Watched[] {
  return [
    { kind: "Namespace" },
    { kind: "Node" },
    { kind: "Service" },
    { kind: "EndpointSlice" },
    { kind: "Ingress" },
    { kind: "IngressClass" },
    { kind: "Pod" },
    ...(Object.keys(meshKinds) as MeshKindName[]).map((kind) => ({ kind })),
    ...(Object.keys(gatewayApiKinds) as GatewayApiKindName[]).map((kind) => ({ kind })),
    ...sharingKinds(mcs).map((kind) => ({ kind, optional: true })),
    { kind: "ConfigMap", options: { namespace: rootNamespace } },
    { kind: "MutatingWebhookConfiguration" },
    { kind: "ValidatingWebhookConfiguration" },
  ];
}
