import type { XdsKind } from "../xds/types.ts";
import { type EncodedResource, NO_RESOURCES, type ResourceTable } from "./resource-table.ts";

/**
 * What one client wants of one type, and what it has. A deterministic state machine without clock or socket: requests and
 * sent responses go in, what is to be sent comes out.
 *
 * Invariant: `held` is what the client has, or will have once it has read what was sent; a resource is sent only when its
 * version there differs (test/controlplane/subscription.test.ts).
 */
export interface Subscription {
  readonly kind: XdsKind;
  wildcard: boolean;
  readonly names: Set<string>;
  /** Name to version; "" is: was told that there is none. */
  readonly held: Map<string, string>;
  /** Name to version that the client confirmed. */
  readonly acked: Map<string, string>;
  readonly inFlight: Map<string, Sent>;
  /** Name to the version that the client refused: it is not sent again. */
  readonly refused: Map<string, Refused>;
  /** A first answer is due even when it is empty, or Envoy waits for ever. */
  owesAnswer: boolean;
  everSent: boolean;
  ackedAt: number | undefined;
  /** The table that was last compared in full: the same one needs no second look. */
  settledFor: ResourceTable | undefined;
}

/** What a client said no to. */
export interface Refused {
  readonly version: string;
  readonly error: string;
  /** Epoch milliseconds. */
  readonly at: number;
}

export interface Sent {
  readonly set: readonly EncodedResource[];
  readonly removed: readonly string[];
}

/** A request, either protocol, in one shape. */
export interface SubscriptionRequest {
  readonly subscribe: readonly string[];
  readonly unsubscribe: readonly string[];
  readonly initialVersions: Readonly<Record<string, string>>;
  readonly nonce: string;
  /** Words of error_detail: the response of `nonce` was refused. */
  readonly error: string | undefined;
}

/** The types whose first empty subscription means everything. */
const WILDCARD_KINDS: readonly XdsKind[] = ["cluster", "listener", "extension", "nametable"];
const NONE = "";
const MAX_IN_FLIGHT = 4;

/** Nothing wanted yet. */
export function createSubscription(kind: XdsKind): Subscription {
  return {
    kind,
    wildcard: false,
    names: new Set(),
    held: new Map(),
    acked: new Map(),
    inFlight: new Map(),
    refused: new Map(),
    owesAnswer: false,
    everSent: false,
    ackedAt: undefined,
    settledFor: undefined,
  };
}

/** The first request of a type on a stream: what is wanted, and what the client has from an earlier stream. */
export function openSubscription(sub: Subscription, request: SubscriptionRequest): void {
  sub.wildcard = request.subscribe.length === 0 && WILDCARD_KINDS.includes(sub.kind);
  subscribe(sub, request.subscribe);
  for (const [name, version] of Object.entries(request.initialVersions)) {
    sub.held.set(name, version);
    // A version is a hash of the bytes: who names it has them.
    sub.acked.set(name, version);
  }
  // After a reconnect too, though nothing may have changed: only a response makes Envoy forget how often it had to reconnect,
  // and what Envoy waits for it goes on without.
  sub.owesAnswer = true;
}

/** A later request: changes of what is wanted, and ACK or NACK. Returns how many resources a NACK refused. */
export function updateSubscription(sub: Subscription, request: SubscriptionRequest, now: number): number {
  for (const name of request.unsubscribe) {
    if (name === "*") sub.wildcard = false;
    sub.names.delete(name);
    if (sub.wildcard) continue;
    for (const map of [sub.held, sub.acked, sub.refused]) map.delete(name);
  }
  // Asked for again, a resource is sent again: the client says that it has lost it.
  for (const name of request.subscribe) sub.held.delete(name);
  subscribe(sub, request.subscribe);
  return settle(sub, request, now);
}

function subscribe(sub: Subscription, names: readonly string[]): void {
  for (const name of names) {
    if (name === "*") sub.wildcard = true;
    else sub.names.add(name);
  }
  if (names.length > 0) sub.settledFor = undefined;
}

function settle(sub: Subscription, request: SubscriptionRequest, now: number): number {
  const sent = sub.inFlight.get(request.nonce);
  if (sent === undefined) return 0;
  sub.inFlight.delete(request.nonce);
  if (request.error !== undefined) {
    for (const { name, version } of sent.set) sub.refused.set(name, { version, error: request.error, at: now });
    return Math.max(1, sent.set.length);
  }
  sub.ackedAt = now;
  for (const { name, version } of sent.set) {
    sub.acked.set(name, version);
    // Answers come in the order of the responses: this one is newer than any refusal of the name.
    sub.refused.delete(name);
  }
  for (const name of sent.removed) {
    sub.acked.delete(name);
    sub.refused.delete(name);
  }
  return 0;
}

/** What is not in the table any more and the client needs still, with what it was at last where that is known. */
interface Leaving {
  readonly has: (name: string) => boolean;
  readonly last: ResourceTable;
}

const NOTHING_LEAVES: Leaving = { has: () => false, last: NO_RESOURCES };

/** What is to be sent so that the client has `table`; undefined when nothing is. */
export function planPush(
  sub: Subscription,
  table: ResourceTable,
  { removals, leaving = NOTHING_LEAVES }: { readonly removals: boolean; readonly leaving?: Leaving },
): Sent | undefined {
  if (sub.settledFor === table && !sub.owesAnswer) return undefined;
  const set = due(sub, table, leaving.last);
  const removed = removals ? missing(sub, table).filter((name) => !leaving.has(name)) : [];
  if (set.length > 0 || removed.length > 0 || sub.owesAnswer) return { set, removed };
  if (removals) sub.settledFor = table;
  return undefined;
}

/** What the client wants and has not, or has in another version that it did not refuse. */
function due(sub: Subscription, table: ResourceTable, leaving: ResourceTable): readonly EncodedResource[] {
  const set: EncodedResource[] = [];
  const consider = (resource: EncodedResource | undefined): void => {
    if (resource === undefined || sub.held.get(resource.name) === resource.version) return;
    if (sub.refused.get(resource.name)?.version !== resource.version) set.push(resource);
  };
  if (sub.wildcard) for (const resource of table.values()) consider(resource);
  else for (const name of sub.names) consider(table.get(name) ?? leaving.get(name));
  return set;
}

/** What the client has or asked for by name, and is not there (any more). */
function missing(sub: Subscription, table: ResourceTable): string[] {
  const out: string[] = [];
  for (const [name, version] of sub.held) if (version !== NONE && !table.has(name)) out.push(name);
  for (const name of sub.names) if (!sub.held.has(name) && !table.has(name)) out.push(name);
  return out;
}

/** Notes that a plan was sent under a nonce. */
export function markSent(sub: Subscription, nonce: string, sent: Sent): void {
  // A client that never answers is sent on; what it was sent long ago is not kept for an answer that may not come.
  for (const old of sub.inFlight.keys()) if (sub.inFlight.size >= MAX_IN_FLIGHT) sub.inFlight.delete(old);
  sub.inFlight.set(nonce, sent);
  sub.owesAnswer = false;
  sub.everSent = true;
  for (const { name, version } of sent.set) sub.held.set(name, version);
  for (const name of sent.removed) {
    if (sub.names.has(name)) sub.held.set(name, NONE);
    else sub.held.delete(name);
  }
}

/** Makes the client get these resources again: Envoy forgets the endpoints of a cluster that it was sent anew. */
export function forget(sub: Subscription, names: Iterable<string>): void {
  for (const name of names) if (sub.names.has(name) && sub.held.delete(name)) sub.settledFor = undefined;
}

/** Whether something that is current now was refused: the client runs something else. */
export function hasRefusal(sub: Subscription, table: ResourceTable): boolean {
  for (const [name, { version }] of sub.refused) if (table.get(name)?.version === version) return true;
  return false;
}

/** The part of a table that a client asked for; all of it for a wildcard. */
export function wantedOf(sub: Subscription | undefined, table: ResourceTable): ResourceTable {
  if (sub === undefined) return NO_RESOURCES;
  // almost every Envoy asks by name for all there is
  if (sub.wildcard || isAllNamed(sub, table)) return table;
  const wanted = new Map<string, EncodedResource>();
  for (const name of sub.names) {
    const resource = table.get(name);
    if (resource !== undefined) wanted.set(name, resource);
  }
  return wanted;
}

function isAllNamed({ names }: Subscription, table: ResourceTable): boolean {
  if (names.size < table.size) return false;
  for (const name of table.keys()) if (!names.has(name)) return false;
  return true;
}

/** One resource that a client does not have as it is now. */
export interface Pending {
  readonly name: string;
  /** Absent: it was not refused, its answer is still to come. */
  readonly refused?: Refused;
}

/** What a client asked for and has not confirmed as it is now: changed, new, or gone and not yet taken away. */
export function* pendingOf(sub: Subscription, table: ResourceTable): Generator<Pending> {
  for (const { name, version } of wantedOf(sub, table).values()) {
    if (sub.acked.get(name) === version) continue;
    const refused = sub.refused.get(name);
    yield refused?.version === version ? { name, refused } : { name };
  }
  for (const [name, version] of sub.acked) if (version !== NONE && !table.has(name)) yield { name };
}
