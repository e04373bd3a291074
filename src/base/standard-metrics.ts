/** The standard metrics by Telemetry's names, and what Prometheus calls them, without `istio_`. */
export const STANDARD_METRICS = {
  REQUEST_COUNT: "requests_total",
  REQUEST_DURATION: "request_duration_milliseconds",
  REQUEST_SIZE: "request_bytes",
  RESPONSE_SIZE: "response_bytes",
  TCP_OPENED_CONNECTIONS: "tcp_connections_opened_total",
  TCP_CLOSED_CONNECTIONS: "tcp_connections_closed_total",
  TCP_SENT_BYTES: "tcp_sent_bytes_total",
  TCP_RECEIVED_BYTES: "tcp_received_bytes_total",
  GRPC_REQUEST_MESSAGES: "request_messages_total",
  GRPC_RESPONSE_MESSAGES: "response_messages_total",
} as const;

/** Whether a name, as Prometheus has it with or without `istio_`, is one of theirs. */
export function isStandardMetric(name: string): boolean {
  return Object.values(STANDARD_METRICS).some((known) => name === known || name === `istio_${known}`);
}
