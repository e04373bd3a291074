import { ClusterError } from "../base/errors.ts";
import type { Logger } from "../base/logger.ts";
import { HEALTHY, REGISTRATION } from "../model/workload-entries.ts";
import type { Cluster } from "../resources/cluster.ts";
import { apiVersionOf, type KindTypes } from "../resources/kinds.ts";
import type { World } from "../resources/world.ts";
import type { RegistrationEvent } from "./registration-metrics.ts";
import type { NodeClaim, OutsideClaim } from "./node.ts";

export type WorkloadEntry = KindTypes["WorkloadEntry"];
type WorkloadGroup = KindTypes["WorkloadGroup"];

/** What writing entries takes. */
export interface EntryDeps {
  readonly cluster: Pick<Cluster, "create" | "mergePatch" | "delete" | "get">;
  readonly world: World;
  /** Name of this control plane; written into the entries of who is connected to it. */
  readonly instance: string;
  readonly log: Logger;
  readonly now: () => number;
  readonly count: (event: RegistrationEvent) => void;
}

/** A workload whose entry is written. */
export interface Registrant {
  readonly claim: NodeClaim;
  readonly outside: OutsideClaim;
}

const API = apiVersionOf("WorkloadEntry");

function targetOf({ claim, outside }: Registrant) {
  return { apiVersion: API, kind: "WorkloadEntry", namespace: claim.namespace, name: outside.entry };
}

/** The API server's entry as it is now, where it is one that we write: made from the group, or the user's that asks for health. */
export async function ownEntry(deps: EntryDeps, who: Registrant): Promise<WorkloadEntry | "foreign" | undefined> {
  const existing = (await deps.cluster.get(targetOf(who))) as WorkloadEntry | undefined;
  if (existing === undefined) return undefined;
  const notes = existing.metadata.annotations ?? {};
  if (who.outside.group === undefined) return notes[REGISTRATION.checked] === undefined ? "foreign" : existing;
  return notes[REGISTRATION.group] === who.outside.group ? existing : "foreign";
}

/** Says that the workload is connected here since a moment (milliseconds of the clock); makes the entry when it is not there. */
export async function markConnected(deps: EntryDeps, who: Registrant, since: number): Promise<void> {
  const { cluster, log, instance, count } = deps;
  const time = new Date(since).toISOString();
  const existing = await ownEntry(deps, who);
  if (existing === "foreign") {
    if (who.outside.group !== undefined)
      log.warn(
        { entry: `${who.claim.namespace}/${who.outside.entry}` },
        "a WorkloadEntry of this name is not ours to write",
      );
    return;
  }
  if (existing === undefined) {
    await createEntry(deps, who, time);
    return;
  }
  const { [REGISTRATION.connectedAt]: last = "", [REGISTRATION.disconnectedAt]: gone } =
    existing.metadata.annotations ?? {};
  // Another replica was told of a newer stream.
  if (gone === undefined && last > time) return;
  await cluster.mergePatch(targetOf(who), {
    metadata: {
      annotations: {
        [REGISTRATION.controller]: instance,
        [REGISTRATION.connectedAt]: time,
        [REGISTRATION.disconnectedAt]: null,
      },
    },
  });
  count("update");
}

/** Says that the workload has left, unless another replica has taken it over. A newer version of the entry is a conflict. */
export async function markDisconnected(deps: EntryDeps, who: Registrant, since: number): Promise<void> {
  const existing = await ownEntry(deps, who);
  if (existing === undefined || existing === "foreign" || !isHeldBy(existing, deps.instance)) return;
  const { resourceVersion } = existing.metadata;
  await deps.cluster.mergePatch(targetOf(who), {
    metadata: {
      ...(resourceVersion === undefined ? {} : { resourceVersion }),
      annotations: { [REGISTRATION.connectedAt]: null, [REGISTRATION.disconnectedAt]: new Date(since).toISOString() },
    },
  });
  deps.count("unregister");
}

/** The grace is over: the entry goes, or a user's own loses what its workload said of its health. */
export async function retire(deps: EntryDeps, who: Registrant): Promise<void> {
  const existing = await ownEntry(deps, who);
  if (existing === undefined || existing === "foreign" || !isHeldBy(existing, deps.instance)) return;
  if (existing.metadata.annotations?.[REGISTRATION.disconnectedAt] === undefined) return;
  await cleanUp(deps, existing);
}

function isHeldBy({ metadata }: WorkloadEntry, instance: string): boolean {
  return metadata.annotations?.[REGISTRATION.controller] === instance;
}

/** Takes away what was written for a workload that is gone; an entry that was written meanwhile is a conflict. */
export async function cleanUp({ cluster, count }: EntryDeps, { metadata, status }: WorkloadEntry): Promise<void> {
  const { namespace = "", name, resourceVersion, annotations } = metadata;
  const target = { apiVersion: API, kind: "WorkloadEntry", namespace, name };
  if (annotations?.[REGISTRATION.group] !== undefined) {
    await cluster.delete(target, { propagation: "Background", resourceVersion });
    count("delete");
    return;
  }
  const conditions = (status?.conditions ?? []).filter(({ type }) => type !== HEALTHY);
  if (conditions.length === (status?.conditions ?? []).length) return;
  const versioned = resourceVersion === undefined ? {} : { metadata: { resourceVersion } };
  await cluster.mergePatch(target, { ...versioned, status: { conditions } }, { subresource: "status" });
}

async function createEntry(deps: EntryDeps, { claim, outside }: Registrant, time: string): Promise<void> {
  const { cluster, world, instance, log, count } = deps;
  const group = outside.group === undefined ? undefined : world.get("WorkloadGroup", claim.namespace, outside.group);
  if (group === undefined) return;
  const entry = entryOf(group, claim, outside);
  const annotations = {
    ...entry.metadata.annotations,
    [REGISTRATION.controller]: instance,
    [REGISTRATION.connectedAt]: time,
  };
  try {
    await cluster.create({ ...entry, metadata: { ...entry.metadata, annotations } });
    count("register");
    log.info({ entry: `${claim.namespace}/${outside.entry}`, group: outside.group }, "a workload registered");
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

/** The word of the workload as a condition; other conditions stay. Whether the entry says it now. */
export async function writeHealth(deps: EntryDeps, who: Registrant, error: string | undefined): Promise<boolean> {
  const existing = await ownEntry(deps, who);
  // It is created by the same queue; one that is gone comes back with its group.
  if (existing === undefined || existing === "foreign") return false;
  const conditions = existing.status?.conditions ?? [];
  const time = new Date(deps.now()).toISOString();
  const said = {
    type: HEALTHY,
    status: error === undefined ? ("True" as const) : ("False" as const),
    ...(error === undefined ? {} : { message: error.slice(0, 1000) }),
  };
  const before = conditions.find(({ type }) => type === HEALTHY);
  if (before?.status === said.status && (before.message ?? "") === (said.message ?? "")) return true;
  const others = conditions.filter(({ type }) => type !== HEALTHY);
  const condition = { ...said, lastProbeTime: time, lastTransitionTime: time };
  await deps.cluster.mergePatch(
    targetOf(who),
    { status: { conditions: [...others, condition] } },
    { subresource: "status" },
  );
  return true;
}
