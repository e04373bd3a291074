import { sinkFilter, sinksOf } from "../log-sinks.ts";
import { otelLog } from "../log-writers.ts";
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
