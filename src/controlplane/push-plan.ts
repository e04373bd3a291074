import type { XdsKind } from "../xds/types.ts";
import { KINDS, type Snapshot } from "./resource-table.ts";
import { forget, hasRefusal, markSent, planPush, type Sent, type Subscription } from "./subscription.ts";

/** The subscriptions of one stream. */
export type Subscriptions = ReadonlyMap<XdsKind, Subscription>;

/** One response to send next. */
export interface Push {
  readonly kind: XdsKind;
  readonly sent: Sent;
}

/**
 * The next response of a stream, make before break: clusters and their endpoints first; listeners and routes once the client
 * has confirmed those; clusters that nothing leads to any more last, when listeners and routes are confirmed and none of them
 * was refused. `impatient` goes on without the confirmations, for a client that never answers; `whole` is for state of the
 * world, where what goes cannot be told later than what comes.
 */
export function nextPush(
  subs: Subscriptions,
  snapshot: Snapshot,
  options: { readonly impatient: boolean; readonly whole: boolean },
): Push | undefined {
  const waits = (kind: XdsKind): boolean => !options.impatient && (subs.get(kind)?.inFlight.size ?? 0) > 0;
  for (const kind of KINDS) {
    const sub = subs.get(kind);
    if (sub === undefined) continue;
    if ((kind === "listener" || kind === "route") && (waits("cluster") || waits("endpoint"))) continue;
    const sent = planPush(sub, snapshot[kind], { removals: options.whole || kind !== "cluster" });
    if (sent !== undefined) return { kind, sent };
  }
  return lateRemovals(subs, snapshot, waits);
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
