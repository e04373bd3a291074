import { TOLD_TRUST } from "../base/agent-sds.ts";
import { errorText } from "../base/errors.ts";
import type { Logger } from "../base/logger.ts";
import type { XdsAcceptor, XdsConnection } from "../grpc/ads-server.ts";
import type { Peer } from "../grpc/server.ts";
import type { Proxy } from "../ir/proxy.ts";
import { typed } from "../wire/codec.ts";
import { createSecretPermissions } from "./secret-permissions.ts";
import { isGrantedSecret, secretObjects } from "../ir/secret.ts";
import type { AutoRegistration } from "./auto-registration.ts";
import { type Caller, unprovenWords } from "./caller.ts";
import type { KnownClusters } from "./known-clusters.ts";
import type { Metrics } from "./metrics.ts";
import { type NodeClaim, outsideProxyOf, proxyOf, refuseNode } from "./node.ts";
import { createPushBudget } from "./push-budget.ts";
import { createResourceStore, encode, type ResourceStore } from "./resource-store.ts";
import { type EncodedResource, NO_RESOURCES, type ResourceTable, type Snapshot } from "./resource-table.ts";
import type { SecretUser, SecretWatches } from "./secret-watches.ts";
import type { State } from "./state.ts";
import type { StreamDeps, StreamEvent } from "./xds-deps.ts";
import { deltaProtocol, sotwProtocol } from "./xds-protocol.ts";
import { serveStream, type XdsStream } from "./xds-stream.ts";

export interface XdsServerDeps {
  readonly state: State;
  readonly clusters: KnownClusters;
  /** Of our own cluster. */
  readonly secrets: SecretWatches;
  /** Of another one; undefined while nobody has the way to it. Tracked. Default: there are none. */
  readonly remoteSecrets?: (clusterId: string) => SecretWatches | undefined;
  /** What workloads outside of clusters are told to trust, as text; tracked, empty: nothing yet. Default: they are told nothing. */
  readonly toldTrust?: () => string;
  readonly registration: Pick<AutoRegistration, "refuse" | "connected" | "health">;
  /** Streams are listed here while they are served. */
  readonly streams: Set<XdsStream>;
  readonly authenticate: (peer: Peer) => Promise<Caller | undefined>;
  readonly notReady: () => string | undefined;
  readonly metrics: Metrics;
  readonly log: Logger;
  readonly instance: string;
  readonly onFault: (error: unknown) => void;
}

/** Joins streams to the compiled mesh: each follows the resources of its own proxy. */
export function createXdsAcceptor(deps: XdsServerDeps): XdsAcceptor {
  const { state, log } = deps;
  const store = storeOf(deps);
  const permissions = createSecretPermissions({
    derivations: state.derivations,
    ask: (account, clusterId) => mayRead(deps, clusterId, account),
    log,
  });
  const toldTrust = state.derivations.keyed("trust that is told", () => trustSecret(deps.toldTrust?.() ?? ""));
  const follow = (claim: NodeClaim, caller: Caller, onSnapshot: (snapshot: Snapshot) => void): (() => void) => {
    const reader = store.open();
    const secrets = createSecretsOfProxy(deps);
    const disconnected = deps.registration.connected(claim);
    const stop = state.derivations.effect(() => {
      const proxy = known(deps, claim, caller);
      // A pod that is gone keeps what it had until its proxy goes too.
      if (proxy === undefined) return;
      const config = state.mesh.proxyConfig(proxy);
      const named = config.secretNames();
      const mayRead =
        caller.readsSecrets ?? (named.length > 0 && permissions.of({ ...caller.identity, clusterId: proxy.clusterId }));
      if (mayRead === undefined) return;
      // what a listener of Gateway API names is granted by its namespace, whoever serves it; as in Istio
      const names = mayRead ? named : named.filter(isGrantedSecret);
      const objects = names.flatMap((name) => secretObjects(name).objects);
      // A module's Secret is its author's word: every proxy that is to run the module gets it.
      if (!secrets.want(proxy, [...objects, ...(config.pullSecrets?.() ?? [])])) return;
      const snapshot = reader.snapshot(proxy);
      const granted = mayRead ? snapshot : { ...snapshot, secret: only(snapshot.secret, names) };
      onSnapshot(withSecret(granted, claim.outside && toldTrust()));
    });
    return () => {
      disconnected();
      stop();
      secrets.close();
      reader.close();
    };
  };
  const streamDeps: StreamDeps = {
    notReady: deps.notReady,
    admit: (connection, claim) => admit(deps, connection, claim),
    follow,
    onHealth: (claim, error) => deps.registration.health(claim, error),
    onEvent(event) {
      deps.metrics.stream(event);
      logEvent(log, event);
    },
    onFault: deps.onFault,
    budget: createPushBudget(),
    controlPlane: deps.instance,
    now: Date.now,
  };
  return {
    delta: (connection) => serveStream(streamDeps, deltaProtocol, connection, deps.streams),
    sotw: (connection) => serveStream(streamDeps, sotwProtocol, connection, deps.streams),
  };
}

/** What one proxy wants of its own cluster's Secrets, wherever the way to that leads by now. */
function createSecretsOfProxy({ clusters, secrets, remoteSecrets }: XdsServerDeps): {
  /** Tracked: true once it is known of each whether it exists. */
  readonly want: (proxy: Proxy, names: readonly string[]) => boolean;
  readonly close: () => void;
} {
  let from: SecretWatches | undefined;
  let user: SecretUser | undefined;
  return {
    want({ clusterId, namespace }, names) {
      const next = clusters.isOwn(clusterId) ? secrets : remoteSecrets?.(clusterId);
      if (next !== from) {
        user?.close();
        user = next?.open();
        from = next;
      }
      return user === undefined || user.want(namespace, names);
    },
    close: () => user?.close(),
  };
}

function withSecret(snapshot: Snapshot, added: EncodedResource | undefined): Snapshot {
  return added === undefined ? snapshot : { ...snapshot, secret: new Map([...snapshot.secret, [added.name, added]]) };
}

function trustSecret(text: string): EncodedResource | undefined {
  if (text === "") return undefined;
  const secret = { name: TOLD_TRUST, generic_secret: { secret: { inline_string: text } } };
  return encode(TOLD_TRUST, typed("envoy.extensions.transport_sockets.tls.v3.Secret", secret));
}

function only(table: ResourceTable, names: readonly string[]): ResourceTable {
  const kept = new Map([...table].filter(([name]) => names.includes(name)));
  if (kept.size === table.size) return table;
  return kept.size === 0 ? NO_RESOURCES : kept;
}

function storeOf(deps: XdsServerDeps): ResourceStore {
  const { state, log } = deps;
  return createResourceStore({
    derivations: state.derivations,
    configOf: (proxy) => state.mesh.proxyConfig(proxy),
    options: state.xdsOptions,
    onProblem(kind, name, error) {
      deps.metrics.fault();
      log.error({ kind, resource: name, error: errorText(error) }, "a resource could not be built");
    },
    onPatch({ from, path }, problem) {
      deps.metrics.patchLeftOut();
      log.warn({ object: `${from.namespace}/${from.name}`, path, problem }, "a patch of an EnvoyFilter is left out");
    },
  });
}

/**
 * The proxy by its pod or, for a workload outside the cluster, by its WorkloadEntry, in its own cluster; undefined while that is
 * not known. A workload that registers itself has its entry here, with its group.
 */
function known({ clusters, state }: XdsServerDeps, claim: NodeClaim, caller: Caller): Proxy | undefined {
  const { namespace, name, outside } = claim;
  const clusterId = clusters.named(claim.clusterId);
  const member = clusterId === undefined ? undefined : clusters.member(clusterId);
  if (member === undefined || clusterId === undefined) return undefined;
  if (outside === undefined)
    return proxyOf(claim, caller, { pod: member.world.get("Pod", namespace, name), clusterId });
  const { world } = outside.group === undefined ? member : state;
  return outsideProxyOf(claim, caller, { entry: world.get("WorkloadEntry", namespace, outside.entry), clusterId });
}

/** What an account must be allowed in its namespace for its gateways to be given Secrets of it; as Istio has it. */
const LIST_SECRETS = { verb: "list", group: "", resource: "secrets" };

async function admit(
  deps: XdsServerDeps,
  connection: XdsConnection,
  claim: NodeClaim,
): ReturnType<StreamDeps["admit"]> {
  const caller = await deps.authenticate(connection.peer);
  if (caller === undefined) return { status: "UNAUTHENTICATED", details: unprovenWords(connection.peer) };
  const refusal =
    refuseCluster(deps.clusters, claim, caller) ?? refuseNode(claim, caller) ?? deps.registration.refuse(claim, caller);
  if (refusal !== undefined) return { status: "PERMISSION_DENIED", details: refusal };
  if (claim.type !== "router") return { caller };
  const { namespace, serviceAccount: name } = caller.identity;
  // When the API server cannot say, the stream ends and the proxy keeps what it has.
  const readsSecrets = await mayRead(deps, claim.clusterId, { namespace, name });
  return { caller: { ...caller, readsSecrets } };
}

/** Why this caller may not be a node of the cluster that it says. */
function refuseCluster(clusters: KnownClusters, claim: NodeClaim, caller: Caller): string | undefined {
  const clusterId = clusters.named(claim.clusterId);
  const said = JSON.stringify(claim.clusterId.slice(0, 80));
  if (clusterId === undefined) return `cluster ${said} is not known to the control plane`;
  if (caller.clusterId === undefined || caller.clusterId === clusterId) return undefined;
  return `a workload of cluster ${caller.clusterId} may not be a node of cluster ${said}`;
}

/** Whether an account may list the Secrets of its namespace, by its own cluster's API server. */
async function mayRead(
  { clusters }: Pick<XdsServerDeps, "clusters">,
  claimed: string | undefined,
  account: { readonly namespace: string; readonly name: string },
): Promise<boolean> {
  const reviewer = clusters.reviewer(clusters.named(claimed) ?? "");
  return reviewer === undefined ? false : reviewer.mayAccount(account, LIST_SECRETS);
}

function logEvent(log: Logger, event: StreamEvent): void {
  const { type, ...fields } = event;
  if (type === "refused") log.warn(fields, "a proxy refused configuration");
  else if (type === "turned-away") log.warn(fields, "a stream was turned away");
  else if (type === "opened" || type === "closed") log.info(fields, `proxy stream ${type}`);
  else log.debug(fields, type);
}
