import type { XdsKind } from "../xds/types.ts";
import { type EncodedResource, KINDS, NO_RESOURCES, type ResourceTable, type Snapshot } from "./resource-table.ts";
import { forget, hasRefusal, markSent, planPush, type Sent, type Subscription } from "./subscription.ts";

/** The subscriptions of one stream. */
export type Subscriptions = ReadonlyMap<XdsKind, Subscription>;

/** One response to send next. */
export interface Push {
  readonly kind: XdsKind;
  readonly sent: Sent;
}

/**
 * The next response of a stream. One response of a type at a time: what changes until it is confirmed is in the next one, so
 * nothing queues up for a client that is slower than the changes. Make before break: clusters and their endpoints first; listeners and routes once the client
 * has confirmed those; clusters that nothing leads to any more last, when listeners and routes are confirmed and none of them
 * was refused; until then they keep their endpoints (`leaving`). `impatient` goes on without the confirmations, for a client that never answers; `whole` is for state of the
 * world, where what goes cannot be told later than what comes.
 */
export function nextPush(
  subs: Subscriptions,
  snapshot: Snapshot,
  options: { readonly impatient: boolean; readonly whole: boolean; readonly leaving?: ResourceTable },
): Push | undefined {
  const { leaving = NO_RESOURCES } = options;
  const clusters = subs.get("cluster")?.held;
  const endpoints = {
    last: leaving,
    has: (name: string) => clusters?.has(name) === true && !snapshot.cluster.has(name),
  };
  const waits = (kind: XdsKind): boolean => !options.impatient && (subs.get(kind)?.inFlight.size ?? 0) > 0;
  for (const kind of KINDS) {
    const sub = subs.get(kind);
    if (sub === undefined) continue;
    if ([kind, ...(BEHIND[kind] ?? [])].some(waits)) continue;
    const removals = options.whole || !isKept(sub);
    const sent = planPush(sub, snapshot[kind], { removals, ...(kind === "endpoint" ? { leaving: endpoints } : {}) });
    if (sent !== undefined) return { kind, sent };
  }
  return lateRemovals(subs, snapshot, waits);
}

/** What leads to something follows it. */
const BEHIND: Partial<Readonly<Record<XdsKind, readonly XdsKind[]>>> = {
  listener: ["cluster", "endpoint"],
  route: ["cluster", "endpoint"],
};

/**
 * What is taken away late, or never: clusters go when nothing leads to them. A filter whose settings are taken away answers 500; a
 * proxy asks for them as long as it has the filter, so it is not told that they are gone: only an agent, which has no filters, is.
 */
function isKept({ kind, wildcard }: Subscription): boolean {
  return kind === "cluster" || (kind === "extension" && !wildcard);
}

function lateRemovals(subs: Subscriptions, snapshot: Snapshot, waits: (kind: XdsKind) => boolean): Push | undefined {
  const clusters = subs.get("cluster");
  if (clusters === undefined || waits("cluster") || waits("endpoint")) return undefined;
  for (const kind of ["listener", "route"] as const) {
    const sub = subs.get(kind);
    if (sub !== undefined && (waits(kind) || hasRefusal(sub, snapshot[kind]))) return undefined;
  }
  const sent = planPush(clusters, snapshot.cluster, { removals: true });
  return sent === undefined ? undefined : { kind: "cluster", sent };
}

/**
 * The endpoints of the clusters that the client has and `next` has not: its routes lead to them until they are moved, and a
 * cluster that was sent anew and is told that it has no endpoints would take the place of the one that has some.
 */
export function leavingEndpoints(
  subs: Subscriptions,
  before: { readonly snapshot: Snapshot; readonly leaving: ResourceTable },
  next: Snapshot,
): ResourceTable {
  if (before.snapshot.cluster === next.cluster) return before.leaving;
  const out = new Map<string, EncodedResource>();
  for (const name of subs.get("cluster")?.held.keys() ?? []) {
    const last = next.cluster.has(name) ? undefined : (before.snapshot.endpoint.get(name) ?? before.leaving.get(name));
    if (last !== undefined) out.set(name, last);
  }
  return out.size === 0 ? NO_RESOURCES : out;
}

/** Notes a push as sent. A cluster that was sent anew loses its endpoints in Envoy: they are sent anew behind it. */
export function notePush(subs: Subscriptions, push: Push, nonce: string): void {
  const sub = subs.get(push.kind);
  if (sub === undefined) return;
  markSent(sub, nonce, push.sent);
  const endpoints = subs.get("endpoint");
  if (push.kind === "cluster" && endpoints !== undefined)
    forget(
      endpoints,
      push.sent.set.map((resource) => resource.name),
    );
}
