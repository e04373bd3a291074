import { typed } from "../../wire/codec.ts";
import type { MeshListenerFilter } from "./types.ts";

/** Restores the address that the client wanted before iptables redirected it. */
export const originalDst: MeshListenerFilter = {
  name: "envoy.filters.listener.original_dst",
  appliesTo: (needs) => needs.originalDestination,
  filter: () => ({
    name: "envoy.filters.listener.original_dst",
    typed_config: typed("envoy.extensions.filters.listener.original_dst.v3.OriginalDst", {}),
  }),
};
