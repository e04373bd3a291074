import { compact } from "../base/compact.ts";
import { type Messages, type TypedAny, typed } from "../wire/codec.ts";
import { TYPE_URLS, type XdsKind } from "../xds/types.ts";
import { configDump } from "./config-dump.ts";
import { statusesOf } from "./debug.ts";
import type { ProxyStatus, TypeStatus } from "./xds-status.ts";
import type { XdsStream } from "./xds-stream.ts";

/** Types by which Istio's tools ask over xDS how proxies stand, and what one of them is to run (`istioctl proxy-status`). */
export const CLIENT_STATUS_TYPES = {
  syncz: "istio.io/debug/syncz",
  configDump: "istio.io/debug/config_dump",
} as const;

/**
 * The resources of an answer to one of these types, from the streams that the caller may see; undefined for another type. What is
 * not known has none: whoever asks goes on to the next instance.
 */
export function clientStatusResources(
  typeUrl: string,
  names: readonly string[],
  visible: readonly XdsStream[],
): readonly TypedAny[] | undefined {
  if (typeUrl === CLIENT_STATUS_TYPES.syncz) return statusesOf(visible).map(clientConfig);
  if (typeUrl !== CLIENT_STATUS_TYPES.configDump) return undefined;
  const [name, ...more] = names;
  const stream = more.length > 0 ? undefined : visible.find(({ proxy }) => proxy === name);
  return stream === undefined ? [] : (configDump(stream) as { readonly configs: readonly TypedAny[] }).configs;
}

function clientConfig(status: ProxyStatus): TypedAny {
  const metadata = {
    CLUSTER_ID: status.cluster_id,
    ISTIO_VERSION: status.istio_version,
    NAMESPACE: status.proxy.slice(status.proxy.lastIndexOf(".") + 1),
  };
  return typed("envoy.service.status.v3.ClientConfig", {
    node: { id: status.proxy, metadata },
    generic_xds_configs: Object.entries(status.types)
      .map(([kind, type]) => genericConfig(kind as XdsKind, type))
      .toSorted((a, b) => ((a.type_url ?? "") < (b.type_url ?? "") ? -1 : 1)),
  });
}

const STATES = {
  SYNCED: "SYNCED",
  STALE: "STALE",
  "NOT SENT": "NOT_SENT",
  NACK: "ERROR",
} as const satisfies Readonly<Record<TypeStatus["status"], string>>;

function genericConfig(
  kind: XdsKind,
  { status, ackedAt, lastError, refusedAt }: TypeStatus,
): Messages["envoy.service.status.v3.ClientConfig.GenericXdsConfig"] {
  const failed = compact({ details: lastError, last_update_attempt: refusedAt });
  return compact({
    type_url: TYPE_URLS[kind],
    config_status: STATES[status],
    // when it was confirmed: the time of sending is not kept
    last_updated: ackedAt === "" ? undefined : ackedAt,
    error_state: lastError === undefined ? undefined : failed,
  });
}
