import type { Derivations } from "../base/derive.ts";
import { durationMs } from "../base/duration.ts";
import { errorText, UsageError } from "../base/errors.ts";
import { REGISTRATION, HEALTHY } from "../model/workload-entries.ts";
import type { Caller } from "./caller.ts";
import type { NodeClaim, OutsideClaim } from "./node.ts";
import {
  cleanUp,
  type EntryDeps,
  markConnected,
  markDisconnected,
  retire,
  type WorkloadEntry,
  writeHealth,
} from "./registration-entries.ts";
import type { Runner } from "./runner.ts";
import { createWriterQueue } from "./writer-queue.ts";

/** How workloads outside the cluster are registered. */
export interface RegistrationSettings {
  /** Whether they get entries of a WorkloadGroup at all. */
  readonly registers: boolean;
  /** Whether what they say of their health is written. */
  readonly writesHealth: boolean;
  /** Milliseconds that an entry outlives its workload's last stream, so that a reconnect loses no traffic. */
  readonly grace: number;
}

export interface RegistrationDeps extends EntryDeps, RegistrationSettings {
  readonly derivations: Derivations;
  readonly isLeader: () => boolean;
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

/** A workload that is, or was a moment ago, connected here. */
interface Held {
  readonly claim: NodeClaim;
  readonly outside: OutsideClaim;
  streams: number;
  /** When the first stream opened or, with none left, the last one ended. */
  since: number;
  /** Something that the entry's annotations do not say yet. */
  isNews: boolean;
  health: { readonly error: string | undefined } | undefined;
  /** What the entry's status says, as far as we wrote it. */
  written: string | undefined;
  timer: NodeJS.Timeout | undefined;
  /** Ends following the entry and its group. */
  unfollow: () => void;
}

/** Streams end at half an hour; an entry that nobody renewed for longer lost its control plane together with its workload. */
const MAX_SILENCE_MS = 35 * 60_000;
/** A stream that opens so soon after another says nothing new of the workload. */
const SAME_MS = 60_000;
const GRACE = "10s";

/** From PILOT_ENABLE_WORKLOAD_ENTRY_AUTOREGISTRATION, …_HEALTHCHECKS and PILOT_WORKLOAD_ENTRY_GRACE_PERIOD. Throws UsageError. */
export function registrationSettings(env: Readonly<Record<string, string | undefined>>): RegistrationSettings {
  const name = "PILOT_WORKLOAD_ENTRY_GRACE_PERIOD";
  const given = env[name] || GRACE;
  const grace = durationMs(given);
  if (grace === undefined || grace <= 0)
    throw new UsageError(`expected ${name} to be a duration such as ${GRACE}, got "${given}"`);
  return {
    registers: env["PILOT_ENABLE_WORKLOAD_ENTRY_AUTOREGISTRATION"] !== "false",
    writesHealth: env["PILOT_ENABLE_WORKLOAD_ENTRY_HEALTHCHECKS"] !== "false",
    grace,
  };
}

/**
 * Each entry is made what streams say, whenever a stream opens or ends and whenever the entry or its group changes: one that was
 * deleted, or that another replica called disconnected while the workload has a stream here, is put right.
 */
export function createAutoRegistration(deps: RegistrationDeps): AutoRegistration {
  const held = new Map<string, Held>();
  const again = (key: string): void => queue.add(key);
  const queue = createWriterQueue("auto-registration", (key) => work({ ...deps, held, again }, key), deps.log);
  const startedAt = deps.now();
  let sweeping: NodeJS.Timeout | undefined;
  return {
    name: "auto-registration",
    start() {
      sweeping = setInterval(() => sweep(deps, held, startedAt), deps.grace);
      return Promise.resolve();
    },
    async close() {
      clearInterval(sweeping);
      for (const { timer, unfollow } of held.values()) {
        clearTimeout(timer);
        unfollow();
      }
      await queue.close();
      // The next control plane, or another replica, counts the grace from here.
      await Promise.allSettled([...held.values()].map((item) => markDisconnected(deps, item, deps.now())));
    },
    refuse: (claim, caller) => refusal(deps, claim, caller),
    connected(claim) {
      const { outside } = claim;
      return outside === undefined ? () => undefined : openStream({ ...deps, held, again }, claim, outside);
    },
    health({ outside, namespace }, error) {
      const key = `${namespace}/${outside?.entry ?? ""}`;
      const item = held.get(key);
      if (item === undefined || !deps.writesHealth) return;
      item.health = { error };
      again(key);
    },
  };
}

/** Counts a stream of a workload; the returned function takes it away. */
function openStream(deps: Work, claim: NodeClaim, outside: OutsideClaim): () => void {
  const { held, again, now } = deps;
  const key = `${claim.namespace}/${outside.entry}`;
  const item = held.get(key) ?? takeIn(deps, key, { claim, outside });
  clearTimeout(item.timer);
  const time = now();
  if (item.streams === 0 || time - item.since > SAME_MS) {
    item.since = time;
    item.isNews = true;
  }
  item.streams += 1;
  again(key);
  return () => {
    item.streams -= 1;
    if (item.streams > 0) return;
    item.since = now();
    item.isNews = true;
    item.health = undefined;
    item.written = undefined;
    again(key);
  };
}

/** A workload that was not known here; from now on its entry and its group are followed. */
function takeIn(deps: Work, key: string, { claim, outside }: Pick<Held, "claim" | "outside">): Held {
  const item = newcomer(claim, outside);
  deps.held.set(key, item);
  item.unfollow = deps.derivations.effect(() => {
    deps.world.get("WorkloadEntry", claim.namespace, outside.entry);
    if (outside.group !== undefined) deps.world.get("WorkloadGroup", claim.namespace, outside.group);
    // Later: what is read while working is no reason to work again.
    queueMicrotask(() => deps.again(key));
  });
  return item;
}

function newcomer(claim: NodeClaim, outside: OutsideClaim): Held {
  const facts = { streams: 0, since: 0, isNews: true, health: undefined, written: undefined, timer: undefined };
  return { claim, outside, ...facts, unfollow: () => undefined };
}

/**
 * The group (or the user's own entry) says whose workload it is: the namespace is the caller's, which is checked for every node, and the
 * service account must be the caller's too.
 */
function refusal(
  { world, registers }: Pick<RegistrationDeps, "world" | "registers">,
  { outside, namespace }: NodeClaim,
  { identity }: Caller,
): string | undefined {
  if (outside === undefined) return undefined;
  const { group, entry } = outside;
  if (group !== undefined && !registers) return "this control plane registers no workloads";
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
  /** Has a key worked on once more. */
  readonly again: (key: string) => void;
}

/** Makes the API server's entry what the streams and the workload's word say. */
async function work(deps: Work, key: string): Promise<void> {
  const item = deps.held.get(key);
  if (item === undefined) return;
  try {
    if (item.streams > 0) await present(deps, item);
    else await absent(deps, item, key);
  } catch (error) {
    deps.count("error");
    throw error;
  }
}

async function present(deps: Work, item: Held): Promise<void> {
  const { claim, outside } = item;
  const known = deps.world.get("WorkloadEntry", claim.namespace, outside.entry);
  const isLost = known === undefined || known.metadata.annotations?.[REGISTRATION.disconnectedAt] !== undefined;
  // What was said is gone with it.
  if (known === undefined) item.written = undefined;
  if (item.isNews || isLost) {
    item.isNews = false;
    try {
      await markConnected(deps, item, item.since);
    } catch (error) {
      item.isNews = true;
      throw error;
    }
  }
  const { health } = item;
  if (health === undefined || item.written === (health.error ?? "")) return;
  if (await writeHealth(deps, item, health.error)) item.written = health.error ?? "";
}

async function absent(deps: Work, item: Held, key: string): Promise<void> {
  const { held, now, grace } = deps;
  if (now() - item.since >= grace) {
    await retire(deps, item);
    // It may have come back meanwhile.
    if (item.streams > 0) return;
    item.unfollow();
    held.delete(key);
    return;
  }
  if (item.isNews) {
    await markDisconnected(deps, item, item.since);
    item.isNews = false;
  }
  wait(deps, item, key);
}

/** Comes back when the grace is over, unless a stream does before. */
function wait({ again, grace, now }: Work, item: Held, key: string): void {
  clearTimeout(item.timer);
  item.timer = setTimeout(() => again(key), Math.max(0, item.since + grace - now()) + 10);
  item.timer.unref();
}

function sweep(deps: RegistrationDeps, held: ReadonlyMap<string, Held>, startedAt: number): void {
  for (const entry of abandoned(deps, held, startedAt)) {
    const name = `${entry.metadata.namespace}/${entry.metadata.name}`;
    deps.log.info({ entry: name }, "an abandoned workload is removed");
    cleanUp(deps, entry).catch((error: unknown) => {
      deps.log.warn({ entry: name, error: errorText(error) }, "an abandoned workload could not be removed");
    });
  }
}

/**
 * Entries whose workload nobody holds any more; of other instances' only the leader judges. Not soon after a start: everybody is
 * to have had the time to come back.
 */
function abandoned(
  { world, now, grace, instance, isLeader }: RegistrationDeps,
  held: ReadonlyMap<string, Held>,
  startedAt: number,
): readonly WorkloadEntry[] {
  const age = (time: string | undefined): number => now() - Date.parse(time ?? "");
  if (now() - startedAt <= 2 * grace) return [];
  return world.list("WorkloadEntry").filter((entry) => {
    const { metadata } = entry;
    const notes = metadata.annotations ?? {};
    if (!isWritten(entry) || held.has(`${metadata.namespace}/${metadata.name}`)) return false;
    const gone = notes[REGISTRATION.disconnectedAt];
    // Ours of an earlier life.
    if (notes[REGISTRATION.controller] === instance && age(notes[REGISTRATION.connectedAt]) > grace) return true;
    if (!isLeader()) return false;
    return gone === undefined ? age(notes[REGISTRATION.connectedAt]) > MAX_SILENCE_MS : age(gone) > 2 * grace;
  });
}

/** Whether there is something of ours to take away: the entry itself, or in a user's own what its workload said. */
function isWritten({ metadata, status }: WorkloadEntry): boolean {
  const { [REGISTRATION.group]: group, [REGISTRATION.controller]: controller } = metadata.annotations ?? {};
  if (group !== undefined) return true;
  return controller !== undefined && (status?.conditions ?? []).some(({ type }) => type === HEALTHY);
}
