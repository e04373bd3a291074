import { sinkFilter, sinksOf } from "../log-sinks.ts";
import { alsLog } from "../log-writers.ts";
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
