/**
 * What Envoy cannot count itself it tells its agent, which adds it to the metrics it hands out: records of OpenTelemetry's logs over the
 * socket of SDS. Attributes of a record are labels, but for those that begin with a colon.
 */
export const COUNTS = {
  /** Names of metrics, joined by commas; the value has as many numbers. */
  metrics: ":",
  /** Of what the numbers are totals so far; absent: the record is all there is. */
  id: ":id",
  /** Envoy's word for the kind of record: TcpConnectionEnd is a connection's last. */
  type: ":type",
} as const;

/** Milliseconds between two records of an open connection; one that was shorter Envoy counts itself, at its end. */
export const COUNTED_EVERY_MS = 5_000;

/** Node metadata of proxies whose agent takes such records. Istio's own agent does not. */
export const COUNTS_METADATA = "MESH_AGENT_COUNTS";
