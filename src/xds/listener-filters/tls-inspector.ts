import { compact } from "../../base/compact.ts";
import { typed } from "../../wire/codec.ts";
import { onPorts } from "../port-predicate.ts";
import type { MeshListenerFilter } from "./types.ts";

/** Reads the ClientHello: server name and what the client offers. It waits for the client's first bytes. */
export const tlsInspector: MeshListenerFilter = {
  name: "envoy.filters.listener.tls_inspector",
  appliesTo: (needs) => needs.inspectTls,
  filter: (needs) =>
    compact({
      name: "envoy.filters.listener.tls_inspector",
      typed_config: typed("envoy.extensions.filters.listener.tls_inspector.v3.TlsInspector", {}),
      filter_disabled: onPorts(needs.noTlsInspection),
    }),
};
