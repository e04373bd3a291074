import { typed } from "../../wire/codec.ts";
import type { HttpFilter } from "./types.ts";

/** Makes gRPC of what browsers can send of it, on gateway ports of protocol GRPC-WEB; other requests pass untouched. */
export const grpcWeb: HttpFilter = {
  name: "envoy.filters.http.grpc_web",
  appliesTo: (chain) => chain.grpcWeb === true,
  filter: () => ({
    name: "envoy.filters.http.grpc_web",
    typed_config: typed("envoy.extensions.filters.http.grpc_web.v3.GrpcWeb", {}),
  }),
};
