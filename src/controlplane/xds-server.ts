import { errorText } from "../base/errors.ts";
import type { Logger } from "../base/logger.ts";
import type { XdsAcceptor, XdsConnection } from "../grpc/ads-server.ts";
import type { Peer } from "../grpc/server.ts";
import type { Proxy } from "../ir/proxy.ts";
import { createSecretPermissions } from "./secret-permissions.ts";
import { isGrantedSecret, secretObjects } from "../ir/secret.ts";
import type { ClusterReader } from "../resources/cluster.ts";
import type { AutoRegistration } from "./auto-registration.ts";
import type { Caller } from "./caller.ts";
import type { Metrics } from "./metrics.ts";
import { type NodeClaim, outsideProxyOf, proxyOf, refuseNode } from "./node.ts";
import { createPushBudget } from "./push-budget.ts";
import { createResourceStore, type ResourceStore } from "./resource-store.ts";
import { NO_RESOURCES, type ResourceTable, type Snapshot } from "./resource-table.ts";
import type { SecretWatches } from "./secret-watches.ts";
import type { State } from "./state.ts";
import type { StreamDeps, StreamEvent } from "./xds-deps.ts";
import { deltaProtocol, sotwProtocol } from "./xds-protocol.ts";
import { serveStream, type XdsStream } from "./xds-stream.ts";

export interface XdsServerDeps {
  readonly state: State;
  readonly cluster: Pick<ClusterReader, "mayAccount">;
  readonly secrets: SecretWatches;
  readonly registration: Pick<AutoRegistration, "refuse" | "connected" | "health">;
  /** Streams are listed here while they are served. */
  readonly streams: Set<XdsStream>;
  readonly authenticate: (peer: Peer) => Promise<Caller | undefined>;
  readonly notReady: () => string | undefined;
  readonly metrics: Metrics;
  readonly log: Logger;
  readonly instance: string;
  readonly clusterId: string;
  readonly onFault: (error: unknown) => void;
}

/** Joins streams to the compiled mesh: each follows the resources of its own proxy. */
export function createXdsAcceptor(deps: XdsServerDeps): XdsAcceptor {
  const { state, log } = deps;
  const store = storeOf(deps);
  const permissions = createSecretPermissions({
    derivations: state.derivations,
    ask: (account) => deps.cluster.mayAccount(account, LIST_SECRETS),
    log,
  });
  const follow = (claim: NodeClaim, caller: Caller, onSnapshot: (snapshot: Snapshot) => void): (() => void) => {
    const reader = store.open();
    const secrets = deps.secrets.open();
    const disconnected = deps.registration.connected(claim);
    const stop = state.derivations.effect(() => {
      const proxy = known(deps, claim, caller);
      // A pod that is gone keeps what it had until its proxy goes too.
      if (proxy === undefined) return;
      const config = state.mesh.proxyConfig(proxy);
      const named = config.secretNames();
      const mayRead = caller.readsSecrets ?? (named.length > 0 && permissions.of(caller.identity));
      if (mayRead === undefined) return;
      // what a listener of Gateway API names is granted by its namespace, whoever serves it; as in Istio
      const names = mayRead ? named : named.filter(isGrantedSecret);
      const objects = names.flatMap((name) => secretObjects(name).objects);
      // A module's Secret is its author's word: every proxy that is to run the module gets it.
      if (!secrets.want(proxy.namespace, [...objects, ...(config.pullSecrets?.() ?? [])])) return;
      const snapshot = reader.snapshot(proxy);
      onSnapshot(mayRead ? snapshot : { ...snapshot, secret: only(snapshot.secret, names) });
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

/** The proxy by its pod or, for a workload outside the cluster, by its WorkloadEntry; undefined while that is not known. */
function known({ state, clusterId }: XdsServerDeps, claim: NodeClaim, caller: Caller): Proxy | undefined {
  const { namespace, name, outside } = claim;
  if (outside === undefined) return proxyOf(claim, caller, { pod: state.world.get("Pod", namespace, name), clusterId });
  return outsideProxyOf(claim, caller, {
    entry: state.world.get("WorkloadEntry", namespace, outside.entry),
    clusterId,
  });
}

/** What an account must be allowed in its namespace for its gateways to be given Secrets of it; as Istio has it. */
const LIST_SECRETS = { verb: "list", group: "", resource: "secrets" };

async function admit(
  deps: XdsServerDeps,
  connection: XdsConnection,
  claim: NodeClaim,
): ReturnType<StreamDeps["admit"]> {
  const caller = await deps.authenticate(connection.peer);
  if (caller === undefined)
    return {
      status: "UNAUTHENTICATED",
      details: "neither the client certificate nor the token proves a service account",
    };
  const refusal = refuseNode(claim, caller) ?? deps.registration.refuse(claim, caller);
  if (refusal !== undefined) return { status: "PERMISSION_DENIED", details: refusal };
  if (claim.type !== "router") return { caller };
  const { namespace, serviceAccount: name } = caller.identity;
  // When the API server cannot say, the stream ends and the proxy keeps what it has.
  const readsSecrets = await deps.cluster.mayAccount({ namespace, name }, LIST_SECRETS);
  return { caller: { ...caller, readsSecrets } };
}

function logEvent(log: Logger, event: StreamEvent): void {
  const { type, ...fields } = event;
  if (type === "refused") log.warn(fields, "a proxy refused configuration");
  else if (type === "turned-away") log.warn(fields, "a stream was turned away");
  else if (type === "opened" || type === "closed") log.info(fields, `proxy stream ${type}`);
  else log.debug(fields, type);
}
