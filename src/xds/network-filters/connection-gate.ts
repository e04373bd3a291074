import { type Messages, typed } from "../../wire/codec.ts";
import { isDialledAgain, refusedAtHandshake } from "../connection-limits.ts";
import type { MeshNetworkFilter, NetworkChain } from "./types.ts";

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
    const always = application === undefined ? [] : [destination(wanted(application))];
    const gate = cel === undefined ? [] : [destination(`%CEL(${cel} ? '${NOWHERE}' : '')%`)];
    const onHandshake = isDialledAgain(chain) ? [destination(wanted(application)), ...gate] : gate;
    const before = isDialledAgain(chain) ? [destination(NOWHERE)] : always;
    return {
      name: "istio.connection_gate",
      typed_config: typed("envoy.extensions.filters.network.set_filter_state.v3.Config", {
        on_new_connection: chain.mutualTls ? before : [...always, ...gate],
        ...(chain.mutualTls ? { on_downstream_tls_handshake: onHandshake } : {}),
      }),
    };
  },
};

const NOWHERE = "127.0.0.1:1";

/** Where the connection wanted to go: the application, or the address that was captured. */
function wanted(application: NetworkChain["application"]): string {
  return application === undefined ? "%DOWNSTREAM_LOCAL_ADDRESS%" : `${application.address}:${application.port}`;
}

/** Where a cluster of original destinations dials instead. */
function destination(inline_string: string): StateValue {
  return {
    object_key: "envoy.network.transport_socket.original_dst_address",
    skip_if_empty: true,
    format_string: { text_format_source: { inline_string }, omit_empty_values: true },
  };
}
