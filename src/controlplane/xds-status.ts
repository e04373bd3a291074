import type { XdsKind } from "../xds/types.ts";
import type { ResourceTable } from "./resource-table.ts";
import { hasRefusal, type Subscription } from "./subscription.ts";
import { hashOf } from "./xds-protocol.ts";

/** How one type of one proxy stands. Hashes are over names and content hashes of what was sent, confirmed, and is current. */
export interface TypeStatus {
  readonly status: "SYNCED" | "STALE" | "NOT SENT" | "NACK";
  readonly sentHash: string;
  readonly ackedHash: string;
  readonly currentHash: string;
  readonly lastError?: string;
  /** ISO time of the last ACK; empty when there was none on this connection. */
  readonly ackedAt: string;
}

/** One connected proxy, as `/debug/syncz` lists it and `proxy-status` reads it. */
export interface ProxyStatus {
  /** `pod.namespace` */
  readonly proxy: string;
  readonly proxy_type: string;
  readonly cluster_id: string;
  readonly istio_version: string;
  readonly control_plane: string;
  readonly types: Partial<Readonly<Record<XdsKind, TypeStatus>>>;
}

/** Invariant: SYNCED only when the bytes that the client confirmed equal the bytes that are current now. */
export function typeStatus(sub: Subscription | undefined, table: ResourceTable): TypeStatus {
  const want = isWhole(sub, table) ? table : new Map(wanted(sub, table));
  const current = tableHash(want);
  // Almost every proxy has exactly what is current: comparing is cheaper than a hash over thousands of names.
  const hashed = (has: ReadonlyMap<string, string>): string => (isSame(has, want) ? current : hashOf(told(has)));
  if (sub === undefined || (!sub.everSent && sub.held.size === 0))
    return { status: "NOT SENT", sentHash: "", ackedHash: "", currentHash: current, ackedAt: "" };
  const sent = hashed(sub.held);
  const acked = hashed(sub.acked);
  const status = hasRefusal(sub, table) ? "NACK" : acked === current ? "SYNCED" : "STALE";
  const lastError = [...sub.refused.values()].at(-1)?.error;
  return {
    status,
    sentHash: sent,
    ackedHash: acked,
    currentHash: current,
    ...(lastError === undefined ? {} : { lastError }),
    ackedAt: sub.ackedAt === undefined ? "" : new Date(sub.ackedAt).toISOString(),
  };
}

type Versions = ReadonlyMap<string, { readonly version: string }>;

/** Whether a client wants all there is: every wildcard, and almost every Envoy of the names it asks for. */
function isWhole(sub: Subscription | undefined, table: ResourceTable): boolean {
  if (sub === undefined || sub.wildcard) return sub !== undefined;
  if (sub.names.size < table.size) return false;
  for (const name of table.keys()) if (!sub.names.has(name)) return false;
  return true;
}

function* wanted(
  sub: Subscription | undefined,
  table: ResourceTable,
): Generator<readonly [string, { readonly version: string }]> {
  for (const name of sub?.names ?? []) {
    const resource = table.get(name);
    if (resource !== undefined) yield [name, resource];
  }
}

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
