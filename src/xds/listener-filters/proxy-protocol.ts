import { typed } from "../../wire/codec.ts";
import type { MeshListenerFilter } from "./types.ts";

/** Takes the client's address from the PROXY protocol, versions 1 and 2. A connection that does not begin with it is closed. */
export const proxyProtocol: MeshListenerFilter = {
  name: "envoy.filters.listener.proxy_protocol",
  appliesTo: (needs) => needs.proxyProtocol,
  filter: () => ({
    name: "envoy.filters.listener.proxy_protocol",
    typed_config: typed("envoy.extensions.filters.listener.proxy_protocol.v3.ProxyProtocol", {}),
  }),
};
