import { errorText } from "../base/errors.ts";
import { meshKinds } from "../gen/mesh-kinds.ts";
import type { Peer } from "../grpc/server.ts";
import type { InjectorMeshConfig } from "../inject/config.ts";
import type { WorldChange } from "../resources/world.ts";
import type { Analysis } from "./analysis/analysis.ts";
import { createAnalysisRunner } from "./analysis/runner.ts";
import { createArrivals } from "./arrivals.ts";
import { type Audit, createAudit } from "./audit.ts";
import { createRecentChanges, type RecentChanges } from "./changes.ts";
import { type AuthorityRunner, createAuthority } from "./authority-runner.ts";
import { createAutoRegistration, registrationSettings } from "./auto-registration.ts";
import { authenticate, type Caller } from "./caller.ts";
import { countedWatch, countedWrites, toldWatch } from "./counted-cluster.ts";
import { createGatewayDeployments } from "./gateway-api-deployments.ts";
import { createGatewayApiStatus } from "./gateway-api-status.ts";
import { createGrpcRunner } from "./grpc-runner.ts";
import { createIngressStatus } from "./ingress-status.ts";
import { injectContexts } from "./injector.ts";
import { loggedKeys } from "./jwks.ts";
import { createKnownClusters, type KnownClusters } from "./known-clusters.ts";
import { createLastGoodConfig } from "./last-good-config.ts";
import { createLeader } from "./leader.ts";
import { createMetrics, type Metrics } from "./metrics.ts";
import { createMountedAuthority } from "./mounted-authority.ts";
import { createMonitoringRunner, createReadinessRunner, monitoringDeps } from "./monitoring-runner.ts";
import { ownChanges } from "./own-revision.ts";
import { createRegistries, type Registries } from "./registries.ts";
import { createRemoteClusters, type RemoteClusters } from "./remote-clusters.ts";
import { createRemoteDuties } from "./remote-duties.ts";
import type { Joined } from "./joined-cluster.ts";
import type { Runner } from "./runner.ts";
import { createSecretWatches, type SecretWatches } from "./secret-watches.ts";
import { type ControlPlaneOptions, ofScope, type Shared, sharedOf } from "./shared.ts";
import { limitReviews } from "./signing-limits.ts";
import { createState, type State, watchedKinds } from "./state.ts";
import { createWatches } from "./watch.ts";
import { createWebhookConfigs, type WebhookConfigsDeps } from "./webhook-configs.ts";
import { createWebhookRunner } from "./webhook-runner.ts";
import { createTrustBundles } from "./trust-bundles.ts";
import { serviceExports } from "./service-exports.ts";
import { createTrustMaps, trustMaps, trustRemovals } from "./trust-maps.ts";
import type { XdsStream } from "./xds-stream.ts";

export interface ControlPlane {
  /** Ports that are really listened on, once `start` has resolved. */
  readonly ports: () => { http: number; secureGrpc: number; monitoring: number; https: number };
  /** Proxies connected now. */
  readonly streams: ReadonlySet<XdsStream>;
  readonly isReady: () => boolean;
  /** Resolves when the control plane serves: caches in sync, certificates there, all ports listening. */
  start(): Promise<void>;
  /** Says goodbye to proxies, gives up leadership, ends everything. */
  close(): Promise<void>;
}

/**
 * The control plane: runners that start in this order and close in the reverse one. What listens to proxies and webhooks comes
 * after what it answers from, so nobody is ever served from an empty cache.
 */
export function createControlPlane(options: ControlPlaneOptions): ControlPlane {
  const { log } = options;
  const shared = createShared(options);
  const isReady = (): boolean => shared.live.synced && shared.live.serving;
  const runners = createRunners(shared, isReady);
  const started: Runner[] = [];
  return {
    ports: () => shared.ports,
    streams: shared.streams,
    isReady,
    async start() {
      for (const runner of runners) {
        started.push(runner);
        await runner.start();
      }
    },
    async close() {
      shared.abort.abort();
      shared.live.serving = false;
      for (const runner of started.splice(0).toReversed()) {
        await runner.close().catch((error: unknown) => {
          log.warn({ runner: runner.name, error: errorText(error) }, "did not close cleanly");
        });
      }
      shared.trust.close();
      shared.state.close();
    },
  };
}

/** What the parts share. */
function createShared(options: ControlPlaneOptions): Shared {
  const { log } = options;
  const { namespace: rootNamespace, revision, domain, clusterId } = options;
  const { compliance, keyLimits } = options;
  const heard: { metrics?: Metrics } = {};
  const onKeys = (isFetched: boolean): void => heard.metrics?.keysFetched(isFetched);
  const keys = loggedKeys(keyLimits, ofScope(options, "jwks").log, onKeys);
  const gatewayNames = options.resolvesGateways === false ? undefined : { log: ofScope(options, "kube").log };
  const { mcs } = options;
  const state = createState({ rootNamespace, revision, domain, clusterId, compliance, keys, gatewayNames, mcs });
  const streams = new Set<XdsStream>();
  const metrics = createMetrics({
    world: state.world,
    model: state.mesh.model,
    streams,
    remotes: () => remotes?.status() ?? [],
  });
  heard.metrics = metrics;
  const trust = createTrustBundles({
    derivations: state.derivations,
    // tracked, unlike the State's own
    meshConfig: () => state.mesh.model.meshConfig(),
    limits: keys.limits,
    log: ofScope(options, "ca").log,
  });
  const authority = createAuthorityOf(ofScope(options, "ca"), { state, metrics, trust });
  const remotes = createRemotesOf(ofScope(options, "kube"), { state, metrics, authority, trust });
  const clusters = createKnownClusters(state.mesh.model.members, options, (id) => remotes?.client(id));
  const live = { synced: false, serving: false };
  const changes = createRecentChanges(Date.now, () => live.synced);
  return {
    options,
    state,
    metrics,
    authority,
    trust,
    audit: withUsers(createAudit(options.auditLog ?? log), changes),
    changes,
    authenticate: callerOf(clusters, options, { state, authority }),
    clusters,
    streams,
    abort: new AbortController(),
    onFault(error) {
      metrics.fault();
      log.error({ error: errorText(error), stack: error instanceof Error ? error.stack : undefined }, "internal error");
    },
    live,
    syncedRegistries: new Set(),
    arrivals: createArrivals(Date.now),
    remotes,
    ports: { http: 0, secureGrpc: 0, monitoring: 0, https: 0 },
  };
}

function createWebhookConfigsOf(
  { options, metrics }: Shared,
  writer: Pick<WebhookConfigsDeps, "world" | "derivations" | "bundle" | "isLeader" | "log">,
): Runner {
  const { cluster, namespace, revision } = options;
  return createWebhookConfigs({
    ...writer,
    cluster: countedWrites(cluster, (...written) => metrics.webhookWritten(...written)),
    namespace,
    revision,
  });
}

function createAuthorityOf(
  options: ControlPlaneOptions,
  { state, metrics, trust }: Pick<Shared, "state" | "metrics" | "trust">,
): AuthorityRunner {
  const { cluster, namespace, serving: files, log } = options;
  const moreRoots = (): string => trust.everywhere();
  if (files !== undefined) return createMountedAuthority({ files, derivations: state.derivations, moreRoots, log });
  const onExpiry = (at: Date): void => metrics.rootExpires(at);
  return createAuthority({ cluster, namespace, state, moreRoots, now: Date.now, log, onExpiry });
}

function createRunners(shared: Shared, isReady: () => boolean): readonly Runner[] {
  const { options, state, live } = shared;
  const { cluster, log } = options;
  const { log: gatewayLog } = ofScope(options, "gateway");
  const { bundle } = shared.authority;
  const writer = { cluster, world: state.world, derivations: state.derivations, bundle, log };
  const secrets = createSecretWatches({
    cluster,
    derivations: state.derivations,
    apply: (changes) => state.world.apply(changes),
    log,
  });
  const isLeader = (): boolean => state.leading.get();
  const registration = createRegistrationOf(shared);
  const analysis = createAnalysisOf(sharedOf(shared, "analysis"));
  const questions = monitoringDeps(shared, analysis);
  const { registries, fromCluster } = createSources(sharedOf(shared, "registry"), analysis);
  let synced = (): void => {};
  const inSync = new Promise<void>((resolve) => {
    synced = resolve;
  });
  return [
    // Consumes nothing; offers /ready, false until everything below has started.
    createReadinessRunner(shared, isReady),
    // Consumes the API server's watches; offers the World.
    createWatchesOf(sharedOf(shared, "kube"), { fromCluster, onSynced: synced }),
    // Consumes the World's first lists; lets the next ones start.
    gate("sync", async () => {
      await Promise.race([inSync, aborted(shared.abort.signal)]);
      live.synced = true;
    }),
    // Consumes remote secrets; offers the Worlds of other clusters. The start waits for them, but not for ever.
    ...(shared.remotes === undefined ? [] : [shared.remotes]),
    // Consumes names of gateways between networks; offers their addresses.
    gate("gateway names", () => Promise.race([state.namesAsked(), aborted(shared.abort.signal)])),
    // Consumes files and foreign catalogs; offers their objects to the World. After the first lists: the cluster's come first.
    registries,
    // Consumes the Secrets cacerts and istio-ca-secret; offers the CA.
    shared.authority,
    // Consumes what is trusted; offers since when connections are from before something of it went.
    ...trustRemovals(shared, isLeader),
    // Consumes what connected gateways use; offers those Secrets in the World.
    secrets,
    // Consumes streams of workloads outside the cluster; offers their WorkloadEntries. Closes after the streams.
    registration,
    // Consumes the CA, the World and the compiled mesh; offers ADS and signing on 15012.
    createGrpcRunner(sharedOf(shared, "ads"), { secrets, registration, questions }),
    // Consumes the CA and the World; offers /inject and /validate on 15017.
    createWebhookRunner(sharedOf(shared, "injection")),
    // Consumes the World and its changes; offers findings.
    analysis,
    // Consumes metrics, streams and findings; offers 15014.
    createMonitoringRunner(shared, questions),
    // Consumes the Lease; offers whether we write shared objects.
    createLeaderOf(sharedOf(shared, "leader")),
    // Consumes namespaces; offers the root certificates in each, and revocation lists when there are some.
    ...createTrustMaps(trustMaps(shared), { ...writer, isLeader }),
    // Consumes webhook configurations; offers our CA in them.
    createWebhookConfigsOf(shared, { ...writer, isLeader }),
    // Consumes Ingresses and the gateway's Service; offers where they are reached in their status.
    createIngressStatus({ cluster, model: state.mesh.model, isLeader, log: gatewayLog }),
    // Consumes Gateway API's objects; offers their status.
    createGatewayApiStatus({
      cluster,
      model: state.mesh.model,
      secrets,
      isLeader,
      log: gatewayLog,
      now: () => new Date(),
    }),
    // Consumes Services; offers a ServiceExport for each, where that is asked for.
    ...serviceExports(shared, isLeader),
    // Consumes Gateways of class istio; offers pods and a Service for each.
    createDeploymentsOf(sharedOf(shared, "gateway"), secrets),
    gate("ready", () => {
      live.serving = true;
      log.info({ ...shared.ports }, "ready");
      return Promise.resolve();
    }),
  ];
}

function createRemotesOf(
  options: ControlPlaneOptions,
  parts: Pick<Shared, "state" | "metrics" | "authority" | "trust">,
): RemoteClusters | undefined {
  const { cluster: own, namespace, clusterId, revision, instance, openRemote: open, log } = options;
  const { state, metrics, authority } = parts;
  const { derivations, remotes: worlds } = state;
  if (open === undefined) return undefined;
  const cluster = { watch: toldWatch(own, metrics.remoteSecret) };
  const maps = trustMaps({ ...parts, options });
  const { bundle } = authority;
  const controller = { clusterId, namespace, revision, instance, bundle, maps, derivations, log };
  const duties = (joined: Joined): Runner => createRemoteDuties(controller, joined);
  const { mcs } = options;
  return createRemoteClusters({ cluster, namespace, clusterId, mcs, derivations, worlds, duties, open, log });
}

function createDeploymentsOf({ options, state }: Shared, secrets: SecretWatches): Runner {
  const { cluster, namespace: rootNamespace, revision, nativeSidecars, makesGateways = true, log } = options;
  const { world, derivations, mesh } = state;
  // tracked, unlike the State's own, which is for calls outside derivations
  const meshConfig = (): InjectorMeshConfig => mesh.model.meshConfig().raw;
  return createGatewayDeployments({
    cluster,
    model: mesh.model,
    rootNamespace,
    revision,
    secrets,
    injection: injectContexts({ world, derivations, rootNamespace, revision, nativeSidecars, meshConfig }),
    isLeader: () => makesGateways && state.leading.get(),
    log,
  });
}

function createRegistrationOf({ options, state, metrics }: Shared): ReturnType<typeof createAutoRegistration> {
  const { cluster, instance, log, registration = registrationSettings({}) } = options;
  return createAutoRegistration({
    cluster,
    world: state.world,
    derivations: state.derivations,
    instance,
    isLeader: () => state.leading.get(),
    log,
    now: Date.now,
    count: (event) => metrics.registration(event),
    ...registration,
  });
}

function createLeaderOf({ options, state }: Shared): Runner {
  const { cluster, namespace, revision, instance: identity, log } = options;
  const onChange = (isLeading: boolean): void => state.leading.set(isLeading);
  return createLeader({ cluster, namespace, revision, identity, onChange, log, now: () => new Date() });
}

function createAnalysisOf({ options, state, metrics }: Shared): Analysis {
  const { cluster, namespace, domain, analysis: settings, log } = options;
  return createAnalysisRunner({
    cluster,
    state,
    held: new Set(watchedKinds(namespace).map(({ kind }) => kind)),
    rootNamespace: namespace,
    domain,
    settings,
    onSummary: (summary) => metrics.analysed(summary),
    log,
  });
}

/** The ways by which objects come into the World. */
function createSources(
  { options, state, arrivals, changes: recent, syncedRegistries }: Shared,
  analysis: Analysis,
): { readonly registries: Registries; readonly fromCluster: (changes: readonly WorldChange[]) => void } {
  const apply = (changes: readonly WorldChange[]): void => {
    state.world.apply(changes);
    arrivals.note(changes);
    recent.note(changes);
    analysis.changed(changes);
  };
  const { registries: wanted = [], log } = options;
  const onSynced = (registry: string): void => void syncedRegistries.add(registry);
  const registries = createRegistries({ registries: wanted, world: state.world, apply, onSynced, log });
  return { registries, fromCluster: (changes) => apply(registries.ofCluster(changes)) };
}

function createWatchesOf(
  shared: Shared,
  on: { readonly fromCluster: (changes: readonly WorldChange[]) => void; readonly onSynced: () => void },
): Runner {
  const { cluster, clusterId, namespace, revision, log } = shared.options;
  const onUnreadable = (): void => shared.metrics.unreadableConfig();
  const readable = createLastGoodConfig({ namespace, revision, onUnreadable, log });
  return createWatches({
    cluster: { watch: countedWatch(cluster, () => shared.metrics.watchFailed(clusterId)) },
    watched: watchedKinds(namespace, shared.options.mcs),
    apply(incoming) {
      auditDeletions(shared, incoming);
      on.fromCluster(ownChanges(readable(incoming), revision));
    },
    onSynced: on.onSynced,
    onApplied: (facts) => shared.metrics.applied(facts),
    log,
  });
}

/** What was allowed to be written is remembered with its writer, until it arrives. */
function withUsers(audit: Audit, changes: RecentChanges): Audit {
  return {
    ...audit,
    reviewed(request, answer, address) {
      audit.reviewed(request, answer, address);
      const { object, userInfo, dryRun } = request;
      if (answer.allowed && dryRun !== true && object !== null && object !== undefined)
        changes.reviewed(object, userInfo?.username ?? "");
    },
  };
}

/** One of several instances writes them down. */
function auditDeletions({ state, audit }: Shared, changes: readonly WorldChange[]): void {
  if (!state.leading.get()) return;
  for (const { type, object } of changes) if (type === "delete" && object.kind in meshKinds) audit.deleted(object);
}

/** A step of the start that leaves nothing to close. */
function gate(name: string, step: () => Promise<void>): Runner {
  return { name, start: step, close: () => Promise.resolve() };
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
}

function callerOf(
  clusters: KnownClusters,
  { clusterId: own }: ControlPlaneOptions,
  parts: { readonly state: State; readonly authority: AuthorityRunner },
): (peer: Peer) => Promise<Caller | undefined> {
  const deps = {
    reviewToken: async (token: string, audiences: readonly string[], clusterId = own) =>
      clusters.reviewer(clusterId)?.reviewToken(token, audiences),
    clusters,
    trustDomains: parts.state.trustDomains,
    isRevoked: parts.authority.isRevoked,
  };
  return limitReviews((peer) => authenticate(deps, peer));
}
