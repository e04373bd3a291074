/**
 * The stat namespace that Envoy strips from Prometheus names, adding no `envoy_` in its place. A do-nothing Wasm module
 * in the bootstrap registers it (agent/bootstrap-stats.ts); the standard metrics live under it.
 */
export const STAT_NAMESPACE = "wasmcustom";

/**
 * The scope of every standard-metrics access logger, in proto JSON. Invariant: the loggers in xDS and the one that the
 * bootstrap pins carry the identical message; then Envoy shares one scope and counters outlive a replaced listener.
 */
export const STATS_SCOPE = { prefix: STAT_NAMESPACE, sharing_name: "istio", enable_eviction: true } as const;
