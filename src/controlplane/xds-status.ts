import type { XdsKind } from "../xds/types.ts";
import type { ResourceTable } from "./resource-table.ts";
import { hasRefusal, type Pending, pendingOf, type Subscription, wantedOf } from "./subscription.ts";
import { hashOf } from "./xds-protocol.ts";

/** How one type of one proxy stands. Hashes are over names and content hashes of what was sent, confirmed, and is current. */
export interface TypeStatus {
  readonly status: "SYNCED" | "STALE" | "NOT SENT" | "NACK";
  readonly sentHash: string;
  readonly ackedHash: string;
  readonly currentHash: string;
  readonly lastError?: string;
  /** ISO time of the refusal that `lastError` is of. */
  readonly refusedAt?: string;
  /** ISO time of the last ACK; empty when there was none on this connection. */
  readonly ackedAt: string;
  /** Names of what is not confirmed as it is now, the first of `pendingCount`; absent when nothing is. */
  readonly pending?: readonly string[];
  readonly pendingCount?: number;
}

/** One connected proxy, as `/debug/syncz` lists it and `proxy-status` reads it. */
export interface ProxyStatus {
  /** `pod.namespace` */
  readonly proxy: string;
  readonly proxy_type: string;
  readonly cluster_id: string;
  readonly istio_version: string;
  readonly control_plane: string;
  /** ISO time when its stream began. */
  readonly connected_at: string;
  /** ISO time when the certificate that it came with ends; absent for one that came with a token. */
  readonly certificate_expires?: string;
  readonly types: Partial<Readonly<Record<XdsKind, TypeStatus>>>;
}

/** Names that are told of what is pending: enough to look into, few enough for a fleet that is all behind. */
const MOST_PENDING = 10;

/** Invariant: SYNCED only when the bytes that the client confirmed equal the bytes that are current now. */
export function typeStatus(sub: Subscription | undefined, table: ResourceTable): TypeStatus {
  const want = wantedOf(sub, table);
  const current = tableHash(want);
  // Almost every proxy has exactly what is current: comparing is cheaper than a hash over thousands of names.
  const hashed = (has: ReadonlyMap<string, string>): string => (isSame(has, want) ? current : hashOf(told(has)));
  if (sub === undefined || (!sub.everSent && sub.held.size === 0))
    return { status: "NOT SENT", sentHash: "", ackedHash: "", currentHash: current, ackedAt: "" };
  const sent = hashed(sub.held);
  const acked = hashed(sub.acked);
  const status = hasRefusal(sub, table) ? "NACK" : acked === current ? "SYNCED" : "STALE";
  const last = [...sub.refused.values()].at(-1);
  return {
    status,
    sentHash: sent,
    ackedHash: acked,
    currentHash: current,
    ...(last === undefined ? {} : { lastError: last.error, refusedAt: new Date(last.at).toISOString() }),
    ackedAt: sub.ackedAt === undefined ? "" : new Date(sub.ackedAt).toISOString(),
    ...(status === "SYNCED" ? {} : pendingPart([...pendingOf(sub, table)])),
  };
}

/** Refused ones first: what was sent along with them may be fine. */
function pendingPart(pending: readonly Pending[]): Pick<TypeStatus, "pending" | "pendingCount"> {
  const names = [
    ...pending.filter(({ refused }) => refused !== undefined),
    ...pending.filter(({ refused }) => refused === undefined),
  ].map(({ name }) => name);
  return names.length === 0 ? {} : { pending: names.slice(0, MOST_PENDING), pendingCount: names.length };
}

type Versions = ReadonlyMap<string, { readonly version: string }>;

/** Proxies of one scope share their tables. */
const HASHES = new WeakMap<Versions, string>();

function tableHash(table: Versions): string {
  const known = HASHES.get(table);
  if (known !== undefined) return known;
  const hash = hashOf([...table].map(([name, { version }]) => [name, version]));
  HASHES.set(table, hash);
  return hash;
}

function isSame(has: ReadonlyMap<string, string>, want: Versions): boolean {
  let count = 0;
  for (const [name, version] of has) {
    if (version === "") continue;
    if (want.get(name)?.version !== version) return false;
    count += 1;
  }
  return count === want.size;
}

/** Without the names of which the client was told that there is none. */
function* told(has: ReadonlyMap<string, string>): Generator<readonly [string, string]> {
  for (const entry of has) if (entry[1] !== "") yield entry;
}
