import { PEER_KEYS } from "../../base/peer.ts";
import type { AlsSink } from "../../ir/telemetry.ts";
import { type Messages, type TypedAny, typed } from "../../wire/codec.ts";
import { sinkFilter, sinksOf } from "../log-sinks.ts";
import { peerStateKey } from "../metric-tags.ts";
import { grpcService } from "../tracing.ts";
import type { AccessLogger } from "./types.ts";

/**
 * Envoy's access log service: a record per request or connection, streamed to a server. As in Istio both kinds take the records
 * of HTTP and of TCP.
 */
export const grpcAls: AccessLogger = {
  name: "envoy.access_loggers.http_grpc",
  protocol: "both",
  appliesTo: ({ telemetry }) => sinksOf(telemetry, "http-als", "tcp-als").length > 0,
  loggers: ({ telemetry }) =>
    sinksOf(telemetry, "http-als", "tcp-als").map((sink) => ({
      name: sink.kind === "http-als" ? "envoy.access_loggers.http_grpc" : "envoy.access_loggers.tcp_grpc",
      ...sinkFilter(sink),
      typed_config: alsLog(sink),
    })),
};

/** The logger that streams records there. */
export function alsLog(sink: AlsSink): TypedAny {
  return sink.kind === "http-als" ? httpLog(sink) : tcpLog(sink);
}

function httpLog(sink: AlsSink): TypedAny {
  return typed("envoy.extensions.access_loggers.grpc.v3.HttpGrpcAccessLogConfig", {
    common_config: common(sink),
    additional_request_headers_to_log: sink.requestHeaders,
    additional_response_headers_to_log: sink.responseHeaders,
    additional_response_trailers_to_log: sink.responseTrailers,
  });
}

function tcpLog(sink: AlsSink): TypedAny {
  return typed("envoy.extensions.access_loggers.grpc.v3.TcpGrpcAccessLogConfig", { common_config: common(sink) });
}

/** What is known of the peer goes along, where nothing else is asked for. */
const PEER_STATES = PEER_KEYS.map(peerStateKey);

function common(sink: AlsSink): Messages["envoy.extensions.access_loggers.grpc.v3.CommonGrpcAccessLogConfig"] {
  return {
    log_name: sink.logName,
    grpc_service: grpcService(sink),
    transport_api_version: "V3",
    filter_state_objects_to_log: sink.filterStates.length > 0 ? sink.filterStates : PEER_STATES,
  };
}
