import { type Messages, typed } from "../../wire/codec.ts";
import { refusedAtHandshake } from "../connection-limits.ts";
import type { MeshNetworkFilter } from "./types.ts";

type StateValue = Messages["envoy.extensions.filters.common.set_filter_state.v3.FilterStateValue"];

/**
 * Refuses connections before the application is dialled, as soon as the handshake says who calls: the RBAC filter judges at
 * the client's first byte, and a server that speaks first would have spoken. Inbound clusters go where the connection wanted
 * to; for refused ones that becomes a port where nobody listens. What the handshake cannot tell is left to the RBAC filter
 * (reference/envoy-recipes.md 5).
 */
export const connectionGate: MeshNetworkFilter = {
  name: "istio.connection_gate",
  appliesTo: (chain) =>
    chain.application !== undefined || (chain.speaks === "tcp" && refusedAtHandshake(chain) !== undefined),
  filter: (chain) => {
    const { application } = chain;
    const cel = chain.speaks === "tcp" ? refusedAtHandshake(chain) : undefined;
    const always = application === undefined ? [] : [destination(`${application.address}:${application.port}`)];
    const gate = cel === undefined ? [] : [destination(`%CEL(${cel} ? '${NOWHERE}' : '')%`)];
    return {
      name: "istio.connection_gate",
      typed_config: typed("envoy.extensions.filters.network.set_filter_state.v3.Config", {
        on_new_connection: chain.mutualTls ? always : [...always, ...gate],
        ...(chain.mutualTls ? { on_downstream_tls_handshake: gate } : {}),
      }),
    };
  },
};

const NOWHERE = "127.0.0.1:1";

/** Where a cluster of original destinations dials instead. */
function destination(inline_string: string): StateValue {
  return {
    object_key: "envoy.network.transport_socket.original_dst_address",
    skip_if_empty: true,
    format_string: { text_format_source: { inline_string }, omit_empty_values: true },
  };
}
