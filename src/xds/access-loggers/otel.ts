import type { OtelSink } from "../../ir/telemetry.ts";
import { type TypedAny, typed } from "../../wire/codec.ts";
import { formattersOf } from "../log-format.ts";
import { sinkFilter, sinksOf } from "../log-sinks.ts";
import { grpcService } from "../tracing.ts";
import type { AccessLogger } from "./types.ts";

const NAME = "envoy.access_loggers.open_telemetry";

/** A record of OpenTelemetry's logs per request or connection, sent to a collector. */
export const otel: AccessLogger = {
  name: NAME,
  protocol: "both",
  appliesTo: ({ telemetry }) => sinksOf(telemetry, "otel").length > 0,
  loggers: ({ telemetry }) =>
    sinksOf(telemetry, "otel").map((sink) => ({ name: NAME, ...sinkFilter(sink), typed_config: otelLog(sink) })),
};

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
