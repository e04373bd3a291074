import { ClusterError, errorText } from "../base/errors.ts";
import type { Logger } from "../base/logger.ts";
import { HEALTHY, REGISTRATION } from "../model/workload-entries.ts";
import type { Cluster } from "../resources/cluster.ts";
import { apiVersionOf, type KindTypes } from "../resources/kinds.ts";
import type { World } from "../resources/world.ts";
import type { Caller } from "./caller.ts";
import type { NodeClaim, OutsideClaim } from "./node.ts";
import type { Runner } from "./runner.ts";
import { createWriterQueue } from "./writer-queue.ts";

type WorkloadEntry = KindTypes["WorkloadEntry"];
type WorkloadGroup = KindTypes["WorkloadGroup"];

export interface RegistrationDeps {
  readonly cluster: Pick<Cluster, "create" | "mergePatch" | "delete" | "get">;
  readonly world: World;
  /** Name of this control plane; written into the entries of who is connected to it. */
  readonly instance: string;
  readonly isLeader: () => boolean;
  readonly log: Logger;
  readonly now: () => number;
  /** Milliseconds that an entry outlives its workload's last stream, so that a reconnect loses no traffic. */
  readonly grace: number;
}

/** Consumes streams of workloads outside the cluster; offers a WorkloadEntry for each, with its health. */
export interface AutoRegistration extends Runner {
  /** Why this caller may not be this workload; undefined when it may, or is a pod. */
  refuse(claim: NodeClaim, caller: Caller): string | undefined;
  /** A stream opened; the returned function is told of its end. */
  connected(claim: NodeClaim): () => void;
  /** What the workload says of itself: `undefined` is well, a text is what it lacks. */
  health(claim: NodeClaim, error: string | undefined): void;
}

/** An entry of a workload that is, or was a moment ago, connected here. */
interface Held {
  readonly namespace: string;
  readonly claim: NodeClaim;
  readonly outside: OutsideClaim;
  streams: number;
  /** Something that the entry's annotations do not say yet. */
  isNews: boolean;
  health: { readonly error: string | undefined } | undefined;
  /** What the entry's status says, as far as we wrote it. */
  written: string | undefined;
  since: number;
  timer: NodeJS.Timeout | undefined;
}

const API = apiVersionOf("WorkloadEntry");
/** Streams end at half an hour; an entry that nobody renewed for longer lost its control plane together with its workload. */
const MAX_SILENCE_MS = 35 * 60_000;

export function createAutoRegistration(deps: RegistrationDeps): AutoRegistration {
  const held = new Map<string, Held>();
  const queue = createWriterQueue(
    "auto-registration",
    (key) => reconcile({ ...deps, held, again: () => queue.add(key) }, key),
    deps.log,
  );
  const startedAt = deps.now();
  let sweeping: NodeJS.Timeout | undefined;

  const sweep = (): void => {
    for (const entry of abandoned(deps, held, startedAt)) {
      deps.log.info(
        { entry: `${entry.metadata.namespace}/${entry.metadata.name}` },
        "an abandoned workload is removed",
      );
      remove(deps, entry.metadata.namespace ?? "", entry.metadata.name).catch((error: unknown) => {
        deps.log.warn({ error: errorText(error) }, "an abandoned workload could not be removed");
      });
    }
  };
  return {
    name: "auto-registration",
    start() {
      sweeping = setInterval(sweep, deps.grace);
      return Promise.resolve();
    },
    async close() {
      clearInterval(sweeping);
      for (const { timer } of held.values()) clearTimeout(timer);
      await queue.close();
      // The next control plane, or another replica, counts the grace from here.
      const leaving = [...held.values()].filter(({ outside }) => outside.group !== undefined);
      await Promise.allSettled(leaving.map((item) => annotate(deps, item, false)));
    },
    refuse: (claim, caller) => refusal(deps.world, claim, caller),
    connected(claim) {
      const { outside, namespace } = claim;
      if (outside === undefined) return () => undefined;
      const key = `${namespace}/${outside.entry}`;
      const item = held.get(key) ?? newcomer(claim, outside);
      held.set(key, item);
      clearTimeout(item.timer);
      item.streams += 1;
      item.isNews = true;
      queue.add(key);
      return () => {
        item.streams -= 1;
        item.since = deps.now();
        item.isNews = true;
        queue.add(key);
      };
    },
    health({ outside, namespace }, error) {
      const key = `${namespace}/${outside?.entry ?? ""}`;
      const item = held.get(key);
      if (item === undefined) return;
      item.health = { error };
      queue.add(key);
    },
  };
}

function newcomer(claim: NodeClaim, outside: OutsideClaim): Held {
  const facts = { streams: 0, isNews: true, health: undefined, written: undefined, since: 0, timer: undefined };
  return { namespace: claim.namespace, claim, outside, ...facts };
}

/**
 * The group (or the user's own entry) says whose workload it is: the namespace is the caller's, which is checked for every node, and the
 * service account must be the caller's too.
 */
function refusal(world: World, { outside, namespace }: NodeClaim, { identity }: Caller): string | undefined {
  if (outside === undefined) return undefined;
  const { group, entry } = outside;
  const [kind, name] = group === undefined ? (["WorkloadEntry", entry] as const) : (["WorkloadGroup", group] as const);
  const account =
    kind === "WorkloadGroup"
      ? accountOf(world.get(kind, namespace, name)?.spec?.template)
      : accountOf(world.get(kind, namespace, name)?.spec);
  if (account === undefined) return `there is no ${kind} ${namespace}/${name}`;
  if (account === identity.serviceAccount) return undefined;
  return `${kind} ${namespace}/${name} is for service account ${account}, not ${identity.serviceAccount}`;
}

function accountOf(spec: { readonly serviceAccount?: string } | undefined): string | undefined {
  return spec && (spec.serviceAccount || "default");
}

interface Work extends RegistrationDeps {
  readonly held: Map<string, Held>;
  /** Has the same key worked on once more. */
  readonly again: () => void;
}

/** Makes the API server's entry what the streams and the workload's word say. */
async function reconcile(deps: Work, key: string): Promise<void> {
  const { held } = deps;
  const item = held.get(key);
  if (item === undefined) return;
  if (item.streams === 0 && deps.now() - item.since >= deps.grace) {
    held.delete(key);
    if (item.outside.group !== undefined && (await isOurs(deps, item)))
      await remove(deps, item.namespace, item.outside.entry);
    return;
  }
  if (item.isNews) {
    item.isNews = false;
    try {
      if (item.outside.group !== undefined) await annotate(deps, item, item.streams > 0);
    } catch (error) {
      item.isNews = true;
      throw error;
    }
    if (item.streams === 0) wait(deps, item);
  }
  await writeHealth(deps, item);
}

/** Comes back when the grace is over, unless a stream does before. */
function wait({ again, grace, now }: Work, item: Held): void {
  clearTimeout(item.timer);
  item.timer = setTimeout(again, Math.max(0, item.since + grace - now()) + 10);
  item.timer.unref();
}

/** Another replica may have taken the workload over. */
async function isOurs({ cluster, instance }: RegistrationDeps, { namespace, outside }: Held): Promise<boolean> {
  const existing = await cluster.get({ apiVersion: API, kind: "WorkloadEntry", namespace, name: outside.entry });
  return existing?.metadata.annotations?.[REGISTRATION.controller] === instance;
}

async function annotate(deps: RegistrationDeps, item: Held, isHere: boolean): Promise<void> {
  const { cluster, instance, now } = deps;
  const { namespace, outside } = item;
  const target = { apiVersion: API, kind: "WorkloadEntry", namespace, name: outside.entry };
  const time = new Date(now()).toISOString();
  const annotations = isHere
    ? { [REGISTRATION.controller]: instance, [REGISTRATION.connectedAt]: time, [REGISTRATION.disconnectedAt]: null }
    : { [REGISTRATION.disconnectedAt]: time };
  const existing = await cluster.get(target);
  if (existing === undefined) {
    if (isHere) await create(deps, item, time);
    return;
  }
  const current = existing.metadata.annotations ?? {};
  if (current[REGISTRATION.group] !== outside.group) {
    deps.log.warn({ entry: `${namespace}/${outside.entry}` }, "a WorkloadEntry of this name is not ours to write");
    return;
  }
  if (!isHere && current[REGISTRATION.controller] !== instance) return;
  await cluster.mergePatch(target, { metadata: { annotations } });
}

async function create({ cluster, world, instance, log }: RegistrationDeps, item: Held, time: string): Promise<void> {
  const { namespace, claim, outside } = item;
  const group = world.get("WorkloadGroup", namespace, outside.group ?? "");
  if (group === undefined) return;
  const entry = entryOf(group, claim, outside);
  const annotations = {
    ...entry.metadata.annotations,
    [REGISTRATION.controller]: instance,
    [REGISTRATION.connectedAt]: time,
  };
  try {
    await cluster.create({ ...entry, metadata: { ...entry.metadata, annotations } });
    log.info({ entry: `${namespace}/${outside.entry}`, group: outside.group }, "a workload registered");
  } catch (error) {
    // Another replica was quicker, for an older stream of the same workload.
    if (!(error instanceof ClusterError) || error.code !== "already-exists") throw error;
  }
}

/** The entry that a group's template makes of a workload. Labels are the group's, never the workload's own claim. */
export function entryOf({ metadata, spec }: WorkloadGroup, claim: NodeClaim, outside: OutsideClaim): WorkloadEntry {
  const { template = {}, metadata: wanted = {} } = spec ?? {};
  const labels = { ...template.labels, ...wanted.labels };
  const owner = { apiVersion: API, kind: "WorkloadGroup", name: metadata.name, uid: metadata.uid ?? "" };
  return {
    apiVersion: API,
    kind: "WorkloadEntry",
    metadata: {
      name: outside.entry,
      namespace: claim.namespace,
      labels,
      annotations: {
        ...wanted.annotations,
        [REGISTRATION.group]: metadata.name,
        ...(outside.checked ? { [REGISTRATION.checked]: "true" } : {}),
      },
      ...(metadata.uid === undefined ? {} : { ownerReferences: [{ ...owner, controller: true }] }),
    },
    spec: {
      ...template,
      address: claim.addresses[0] ?? "",
      labels,
      serviceAccount: template.serviceAccount || "default",
      ...(outside.network === undefined ? {} : { network: outside.network }),
    },
  };
}

/** The word of the workload as a condition; other conditions stay. */
async function writeHealth(deps: RegistrationDeps, item: Held): Promise<void> {
  const { health, written, namespace, outside, streams } = item;
  if (health === undefined || streams === 0) return;
  const word = health.error ?? "";
  if (written === word) return;
  const target = { apiVersion: API, kind: "WorkloadEntry", namespace, name: outside.entry };
  const existing = (await deps.cluster.get(target)) as WorkloadEntry | undefined;
  // It is created by the same queue; one that is gone comes back with the next stream.
  if (existing === undefined) return;
  const time = new Date(deps.now()).toISOString();
  const condition = {
    type: HEALTHY,
    status: health.error === undefined ? "True" : "False",
    lastProbeTime: time,
    lastTransitionTime: time,
    ...(health.error === undefined ? {} : { message: health.error.slice(0, 1000) }),
  };
  const others = (existing.status?.conditions ?? []).filter(({ type }) => type !== HEALTHY);
  await deps.cluster.mergePatch(target, { status: { conditions: [...others, condition] } }, { subresource: "status" });
  item.written = word;
}

/** Entries whose workload nobody holds any more; of other instances' only the leader judges. */
function abandoned(
  { world, now, grace, instance, isLeader }: RegistrationDeps,
  held: ReadonlyMap<string, Held>,
  startedAt: number,
): readonly WorkloadEntry[] {
  const age = (time: string | undefined): number => now() - Date.parse(time ?? "");
  return world.list("WorkloadEntry").filter(({ metadata }) => {
    const notes = metadata.annotations ?? {};
    if (notes[REGISTRATION.group] === undefined || held.has(`${metadata.namespace}/${metadata.name}`)) return false;
    const gone = notes[REGISTRATION.disconnectedAt];
    // Ours of an earlier life: everybody has had the time to come back.
    const isOwn = notes[REGISTRATION.controller] === instance && now() - startedAt > 2 * grace;
    if (isOwn && age(notes[REGISTRATION.connectedAt]) > grace) return true;
    if (!isLeader()) return false;
    return gone === undefined ? age(notes[REGISTRATION.connectedAt]) > MAX_SILENCE_MS : age(gone) > 2 * grace;
  });
}

async function remove({ cluster }: RegistrationDeps, namespace: string, name: string): Promise<void> {
  await cluster.delete({ apiVersion: API, kind: "WorkloadEntry", namespace, name }, { propagation: "Background" });
}
