import { PEER_KEYS, type PeerKey, peerLabel } from "../../base/peer.ts";
import { type Messages, typed } from "../../wire/codec.ts";
import { peerStateKey } from "../metric-tags.ts";
import type { MeshNetworkFilter } from "./types.ts";

type StateValue = Messages["envoy.extensions.filters.common.set_filter_state.v3.FilterStateValue"];

/**
 * Takes the peer's labels out of its certificate's subject, once per connection, into filter state that metrics and access
 * logs read: for HTTP and TCP alike, and no client can forge it. A certificate of another issuer has no such subject: the
 * values stay `unknown`. The URI SAN alone decides identity.
 */
export const metadataExchange: MeshNetworkFilter = {
  name: "istio.metadata_exchange",
  appliesTo: (chain) => chain.direction === "inbound" && chain.mutualTls,
  filter: () => ({
    name: "istio.metadata_exchange",
    typed_config: typed("envoy.extensions.filters.network.set_filter_state.v3.Config", {
      on_new_connection: PEER_KEYS.map(beforehand),
      on_downstream_tls_handshake: PEER_KEYS.map((key, index) => fromSubject(peerStateKey(key), index)),
    }),
  }),
};

function beforehand(key: PeerKey): StateValue {
  return {
    object_key: peerStateKey(key),
    factory_key: "envoy.string",
    format_string: { text_format_source: { inline_string: peerLabel(key, undefined) } },
  };
}

/** Envoy prints subjects as RFC 2253 does: comma separated, the last part first. */
function fromSubject(object_key: string, index: number): StateValue {
  const part = PEER_KEYS.length - 1 - index;
  return {
    object_key,
    factory_key: "envoy.string",
    skip_if_empty: true,
    format_string: {
      text_format_source: {
        inline_string: `%CEL(${SUBJECT}.contains(',O=mesh') ? ${SUBJECT}.split(',')[${part}].split('=')[1] : '')%`,
      },
      omit_empty_values: true,
      formatters: [CEL_WITH_STRINGS],
    },
  };
}

const SUBJECT = "connection.subject_peer_certificate";

/** split() is off by default in Envoy's CEL. */
const CEL_WITH_STRINGS = {
  name: "envoy.formatter.cel",
  typed_config: typed("envoy.extensions.formatter.cel.v3.Cel", { cel_config: { enable_string_functions: true } }),
};
