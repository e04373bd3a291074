import type { Derivations } from "../base/derive.ts";
import { delay } from "../base/delay.ts";
import { errorText } from "../base/errors.ts";
import type { Logger } from "../base/logger.ts";
import { type McsSettings, sharingKinds } from "../model/cluster-set.ts";
import { REMOTE_SECRET_LABEL } from "../model/members.ts";
import type { Cluster, ClusterReader, WatchEvent } from "../resources/cluster.ts";
import type { KindName } from "../resources/kinds.ts";
import type { KubeObject } from "../resources/object.ts";
import { createWorldStore } from "../resources/world-store.ts";
import type { Joined } from "./joined-cluster.ts";
import type { RemoteWorlds } from "./remote-worlds.ts";
import type { Runner } from "./runner.ts";
import { createSecretWatches, type SecretWatches } from "./secret-watches.ts";
import { createWatches } from "./watch.ts";

export interface RemoteClustersDeps {
  readonly cluster: Pick<ClusterReader, "watch">;
  readonly namespace: string;
  /** Our own cluster's name: a Secret for it is passed over. */
  readonly clusterId: string;
  /** How far ServiceExports and ServiceImports are obeyed; undefined: not at all. */
  readonly mcs?: McsSettings | undefined;
  readonly derivations: Derivations;
  readonly worlds: RemoteWorlds;
  /** What we do in a cluster that has joined, until it leaves. Default: nothing. */
  readonly duties?: (joined: Joined) => Runner;
  /** A client for the cluster of a kubeconfig. Throws what is wrong with it. */
  readonly open: (kubeconfig: string) => Cluster;
  readonly log: Logger;
}

/** How a cluster of the mesh stands, as `remote-clusters` shows it. */
export interface ClusterStatus {
  readonly id: string;
  /** `namespace/name` of the Secret; "" for our own cluster. */
  readonly secretName: string;
  /** timeout: away for longer than the start waits; its last endpoints are kept. */
  readonly syncStatus: "synced" | "syncing" | "timeout";
  /** Whether its API server answered last time. */
  readonly reachable: boolean;
  /** What it answered, or why it did not; "" when there is nothing to say. */
  readonly error: string;
}

/** Consumes remote secrets; offers one World per cluster, which stays as it is while the cluster is away. */
export interface RemoteClusters extends Runner {
  status(): readonly ClusterStatus[];
  /** The API server of a cluster that is followed. */
  client(clusterId: string): Cluster | undefined;
  /** What gateways there want of its Secrets; undefined while it is not followed. Tracked. */
  secrets(clusterId: string): SecretWatches | undefined;
}

/** What of another cluster counts in ours: who runs there. Rules are read from our own cluster alone. */
const KINDS: readonly KindName[] = ["Namespace", "Node", "Service", "EndpointSlice", "Pod", "WorkloadEntry"];
/** Besides, where that cluster has them and its Secret's account may see them: accounts of older Secrets may not. */
const moreKinds = (mcs: McsSettings | undefined): readonly KindName[] => ["KubernetesGateway", ...sharingKinds(mcs)];
const SECRET = { apiVersion: "v1", kind: "Secret" } as const;
const RETRY_MS = 1_000;
/** How long the start waits for clusters that do not answer (Istio: PILOT_REMOTE_CLUSTER_TIMEOUT). */
const FIRST_MS = 30_000;
const HEARTBEAT_MS = 5_000;
/** The way to another cluster may lose connections without a word: soon taken up anew. */
const WATCH_SECONDS = 30;

interface Remote {
  readonly id: string;
  readonly secret: string;
  readonly kubeconfig: string;
  readonly startedAt: number;
  readonly synced: Promise<void>;
  /** Undefined where the kubeconfig cannot be used. */
  client: Cluster | undefined;
  isSynced: boolean;
  reachable: boolean;
  error: string;
  close(): Promise<void>;
}

export function createRemoteClusters(deps: RemoteClustersDeps): RemoteClusters {
  const remotes = new Map<string, Remote>();
  const inPlace = new Map<string, SecretWatches>();
  const abort = new AbortController();
  const closing = new Set<Promise<void>>();
  let running: Promise<void> = Promise.resolve();

  const later = (work: Promise<void>): void => {
    const ended = work.finally(() => closing.delete(ended));
    closing.add(ended);
  };
  const drop = (remote: Remote): void => later(remote.close());
  const leave = (remote: Remote): void => {
    remotes.delete(remote.id);
    inPlace.delete(remote.id);
    deps.worlds.set(remote.id, undefined);
    deps.log.info({ cluster: remote.id }, "a cluster left the mesh");
    drop(remote);
  };
  /** The World of before stays in place, and is followed, until the new one is complete. */
  const retire = (known: Remote, next: Remote): void =>
    known.isSynced ? later(next.synced.then(() => known.close())) : drop(known);
  const take = (secret: string, wanted: ReadonlyMap<string, string>): void => {
    for (const remote of remotes.values()) if (remote.secret === secret && !wanted.has(remote.id)) leave(remote);
    for (const [id, kubeconfig] of wanted) {
      const known = remotes.get(id);
      if (id === deps.clusterId || (known !== undefined && known.secret !== secret)) {
        deps.log.warn({ cluster: id, secret }, "passed over: this cluster is known already");
        continue;
      }
      if (known?.kubeconfig === kubeconfig) continue;
      const next = follow({ ...deps, inPlace }, { id, secret, kubeconfig });
      remotes.set(id, next);
      if (known !== undefined) retire(known, next);
    }
  };
  const onEvent = (event: WatchEvent): void => {
    if (event.type !== "SYNCED") take(event.object.metadata.name, kubeconfigs(event));
  };
  return {
    name: "remote-clusters",
    async start() {
      await new Promise<void>((resolve) => {
        running = followSecrets(deps, { signal: abort.signal, onEvent, onSynced: resolve });
      });
      await firstLists([...remotes.values()]);
    },
    async close() {
      abort.abort();
      for (const remote of remotes.values()) drop(remote);
      remotes.clear();
      await Promise.all([running, ...closing]);
    },
    client: (clusterId) => remotes.get(clusterId)?.client,
    secrets(clusterId) {
      // changes with the World that they stand in
      deps.worlds.list();
      return inPlace.get(clusterId);
    },
    status: () => [...remotes.values()].map((remote) => statusOf(remote, deps.namespace)),
  };
}

/** Follows the Secrets that say which clusters there are. A first list that fails is tried again, and holds nobody up. */
async function followSecrets(
  { cluster, namespace, log }: RemoteClustersDeps,
  on: { readonly signal: AbortSignal; readonly onEvent: (event: WatchEvent) => void; readonly onSynced: () => void },
): Promise<void> {
  const only = { namespace, labelSelector: `${REMOTE_SECRET_LABEL}=true` };
  while (!on.signal.aborted) {
    try {
      await cluster.watch(
        SECRET,
        only,
        (event) => (event.type === "SYNCED" ? on.onSynced() : on.onEvent(event)),
        on.signal,
      );
    } catch (error) {
      log.warn({ error: errorText(error) }, "cannot read the Secrets of other clusters; trying again");
      on.onSynced();
      await delay(RETRY_MS, on.signal);
    }
  }
  on.onSynced();
}

/** Waits for each cluster's first lists, but not for ever. */
async function firstLists(remotes: readonly Pick<Remote, "synced">[]): Promise<void> {
  const patience = new AbortController();
  await Promise.race([Promise.all(remotes.map(({ synced }) => synced)), delay(FIRST_MS, patience.signal)]);
  patience.abort();
}

/** What a Secret holds by now: kubeconfigs by cluster. */
function kubeconfigs(event: Exclude<WatchEvent, { readonly type: "SYNCED" }>): Map<string, string> {
  if (event.type === "DELETED") return new Map();
  const { data = {} } = event.object as KubeObject & { readonly data?: Readonly<Record<string, string>> };
  return new Map(Object.entries(data).map(([id, value]) => [id, Buffer.from(value, "base64").toString("utf8")]));
}

function statusOf(remote: Remote, namespace: string): ClusterStatus {
  const { id, secret, isSynced, reachable, error, startedAt } = remote;
  const waited = Date.now() - startedAt > FIRST_MS;
  const syncStatus = isSynced ? "synced" : waited ? "timeout" : "syncing";
  return { id, secretName: `${namespace}/${secret}`, syncStatus, reachable, error };
}

interface FollowDeps extends RemoteClustersDeps {
  /** Secrets of the Worlds that are offered. */
  readonly inPlace: Map<string, SecretWatches>;
}

/** Follows one cluster until it is closed. */
function follow(deps: FollowDeps, of: Pick<Remote, "id" | "secret" | "kubeconfig">): Remote {
  const { open, log } = deps;
  const { id, secret, kubeconfig } = of;
  const abort = new AbortController();
  let synced = (): void => {};
  const remote: Remote = {
    ...of,
    startedAt: Date.now(),
    synced: new Promise<void>((resolve) => {
      synced = resolve;
    }),
    client: undefined,
    isSynced: false,
    reachable: false,
    error: "",
    close: () => Promise.resolve(),
  };
  const refuse = (error: unknown): Remote => {
    remote.error = errorText(error);
    log.error({ cluster: id, secret, error: remote.error }, "the kubeconfig of a cluster cannot be used");
    synced();
    return remote;
  };
  let cluster: Cluster;
  try {
    cluster = open(kubeconfig);
  } catch (error) {
    return refuse(error);
  }
  remote.client = cluster;
  const parts = createParts(deps, { remote, cluster, synced });
  const started = parts.start();
  void heartbeat(remote, cluster, { signal: abort.signal, log });
  remote.close = async () => {
    abort.abort();
    synced();
    await Promise.all([started, parts.close()]);
  };
  return remote;
}

/** What follows a cluster. Its World is offered when its first lists are complete. */
function createParts(
  { mcs, derivations, worlds, inPlace, duties: dutiesOf, log }: FollowDeps,
  { remote, cluster, synced }: { readonly remote: Remote; readonly cluster: Cluster; readonly synced: () => void },
): Pick<Runner, "start" | "close"> {
  const { id } = remote;
  const world = createWorldStore(derivations);
  const watches = createWatches({
    cluster,
    watched: [
      ...KINDS.map((kind) => ({ kind, options: { watchSeconds: WATCH_SECONDS } })),
      ...moreKinds(mcs).map((kind) => ({ kind, optional: true, options: { watchSeconds: WATCH_SECONDS } })),
    ],
    apply: (changes) => world.apply(changes),
    onSynced() {
      remote.isSynced = true;
      inPlace.set(id, secrets);
      worlds.set(id, world);
      duties = dutiesOf?.({ clusterId: id, cluster, world });
      void duties?.start();
      log.info({ cluster: id, server: cluster.context.server }, "a cluster joined the mesh");
      synced();
    },
    log,
  });
  const secrets = createSecretWatches({ cluster, derivations, apply: (changes) => world.apply(changes), log });
  let duties: Runner | undefined;
  return {
    start: () => watches.start(),
    close: async () => void (await Promise.all([watches.close(), secrets.close(), duties?.close()])),
  };
}

/** Asks every few seconds whether the cluster is there, and says when that has changed. */
async function heartbeat(
  remote: Remote,
  cluster: Pick<Cluster, "version">,
  { signal, log }: { readonly signal: AbortSignal; readonly log: Logger },
): Promise<void> {
  while (!signal.aborted) {
    try {
      await cluster.version();
      if (!remote.reachable && remote.isSynced) log.info({ cluster: remote.id }, "a cluster is back");
      remote.reachable = true;
      remote.error = "";
    } catch (error) {
      if (remote.reachable)
        log.warn({ cluster: remote.id, error: errorText(error) }, "a cluster is away: its last endpoints are kept");
      remote.reachable = false;
      remote.error = errorText(error);
    }
    await delay(HEARTBEAT_MS, signal);
  }
}
