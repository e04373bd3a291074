import { PEER_KEYS } from "../base/peer.ts";
import type { AlsSink, FileSink, OtelSink } from "../ir/telemetry.ts";
import { type Messages, type TypedAny, typed } from "../wire/codec.ts";
import { formattersOf, lineFormat } from "./log-format.ts";
import { peerStateKey } from "./metric-tags.ts";
import { grpcService } from "./tracing.ts";

/** The proxy's own output is written to as such: opening `/dev/stdout` fails where it is a socket. */
export function fileLog({ path, format }: Pick<FileSink, "path" | "format">): TypedAny {
  const log_format = lineFormat(format);
  switch (path) {
    case "/dev/stdout":
      return typed("envoy.extensions.access_loggers.stream.v3.StdoutAccessLog", { log_format });
    case "/dev/stderr":
      return typed("envoy.extensions.access_loggers.stream.v3.StderrAccessLog", { log_format });
    default:
      return typed("envoy.extensions.access_loggers.file.v3.FileAccessLog", { path, log_format });
  }
}

/** The logger that sends records there. */
export function otelLog(sink: OtelSink): TypedAny {
  const attributes = Object.entries(sink.attributes);
  const formatters = formattersOf([sink.body, ...Object.values(sink.attributes)].join(""));
  return typed("envoy.extensions.access_loggers.open_telemetry.v3.OpenTelemetryAccessLogConfig", {
    log_name: sink.logName,
    grpc_service: grpcService(sink),
    disable_builtin_labels: true,
    body: { string_value: sink.body },
    ...(attributes.length === 0
      ? {}
      : { attributes: { values: attributes.map(([key, text]) => ({ key, value: { string_value: text } })) } }),
    ...(formatters.length === 0 ? {} : { formatters }),
  });
}

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
