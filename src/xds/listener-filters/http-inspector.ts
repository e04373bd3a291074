import { compact } from "../../base/compact.ts";
import { typed } from "../../wire/codec.ts";
import { onPorts } from "../port-predicate.ts";
import type { MeshListenerFilter } from "./types.ts";

/** Tells HTTP/1 and HTTP/2 from other bytes. It waits for the client's first bytes, so server-first protocols must be declared. */
export const httpInspector: MeshListenerFilter = {
  name: "envoy.filters.listener.http_inspector",
  appliesTo: (needs) => needs.inspectHttp,
  filter: (needs) =>
    compact({
      name: "envoy.filters.listener.http_inspector",
      typed_config: typed("envoy.extensions.filters.listener.http_inspector.v3.HttpInspector", {}),
      filter_disabled: onPorts(needs.noHttpInspection),
    }),
};
