import { typed } from "../../wire/codec.ts";
import type { MeshListenerFilter } from "./types.ts";

/** The mark of packets that the capture rules hand to this pod's own sockets: `istio-iptables` writes rules for the same one. */
const MARK = 1337;

/**
 * The connection to the application is made from the client's own address, not from 127.0.0.6: Envoy binds to the address
 * before the cluster's own source counts, with IP_TRANSPARENT (CAP_NET_ADMIN), and marks the packets, by which the
 * application's answers find back. Connections to the application are shared only by requests of one client address.
 */
export const originalSrc: MeshListenerFilter = {
  name: "envoy.filters.listener.original_src",
  appliesTo: (needs) => needs.originalSource,
  filter: () => ({
    name: "envoy.filters.listener.original_src",
    typed_config: typed("envoy.extensions.filters.listener.original_src.v3.OriginalSrc", { mark: MARK }),
  }),
};
