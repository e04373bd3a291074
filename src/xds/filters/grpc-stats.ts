import { typed } from "../../wire/codec.ts";
import { isGrpcCounted } from "../agent-counts.ts";
import type { HttpFilter } from "./types.ts";

/** Counts the messages of a gRPC call, for the record of the call (access-loggers/agent-counts.ts); keeps no counters of its own. */
export const grpcStats: HttpFilter = {
  name: "envoy.filters.http.grpc_stats",
  appliesTo: isGrpcCounted,
  filter: () => ({
    name: "envoy.filters.http.grpc_stats",
    typed_config: typed("envoy.extensions.filters.http.grpc_stats.v3.FilterConfig", {
      emit_filter_state: true,
      stats_for_all_methods: false,
    }),
  }),
};
