import type { ListenerFilter } from "../types.ts";
import { httpInspector } from "./http-inspector.ts";
import { originalDst } from "./original-dst.ts";
import { originalSrc } from "./original-src.ts";
import { proxyProtocol } from "./proxy-protocol.ts";
import { tlsInspector } from "./tls-inspector.ts";
import type { ListenerNeeds, MeshListenerFilter } from "./types.ts";

/** The listener filters in the order in which a new connection passes them, each with the reason for its place. */
export const LISTENER_FILTERS: readonly MeshListenerFilter[] = [
  proxyProtocol, // before all: what it takes off stands in front of the client's bytes
  originalDst, // then: the inspectors are switched by the original destination port
  originalSrc, // notes the client's address; nothing after it needs to know
  tlsInspector, // before http: what is TLS needs no look for HTTP
  httpInspector, // last: it looks at what was found to be no TLS
];

/** The filters of a listener with these needs. */
export function listenerFilters(needs: ListenerNeeds): readonly ListenerFilter[] {
  return LISTENER_FILTERS.filter((filter) => filter.appliesTo(needs)).map((filter) => filter.filter(needs));
}
