/**
 * Key of the entry of a rate limit's descriptor that says the limit (`10 MINUTE`) where Envoy does not: its filter of connections hands
 * on entries alone. Read by our own rate limit service.
 */
export const LIMIT_ENTRY = "meshctl.limit";
