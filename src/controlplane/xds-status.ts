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
  const current = hashOf(wanted(sub, table));
  if (sub === undefined || (!sub.everSent && sub.held.size === 0))
    return { status: "NOT SENT", sentHash: "", ackedHash: "", currentHash: current, ackedAt: "" };
  const sent = hashOf([...sub.held].filter(([, version]) => version !== ""));
  const acked = hashOf(sub.acked);
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

function* wanted(sub: Subscription | undefined, table: ResourceTable): Generator<readonly [string, string]> {
  if (sub === undefined) return;
  if (sub.wildcard) for (const { name, version } of table.values()) yield [name, version];
  else
    for (const name of sub.names) {
      const resource = table.get(name);
      if (resource !== undefined) yield [name, resource.version];
    }
}
