/** Envoy's response flags of access logs and of `response_flags` in metrics, in words (docs of Envoy 1.40, access log usage). */
export const RESPONSE_FLAGS: Readonly<Record<string, string>> = {
  DC: "the caller closed the connection",
  DF: "the upstream's name could not be resolved",
  DI: "delayed by an injected fault",
  DO: "dropped: a share of its endpoints' traffic is to be",
  DPE: "the caller broke the HTTP protocol",
  DR: "the caller reset the stream",
  DT: "the connection lived longer than allowed",
  FI: "aborted by an injected fault",
  IH: "a header of Envoy's own had a value that is not allowed",
  LH: "the proxy's own health check failed",
  LR: "the proxy reset the connection to the upstream",
  NC: "the route's cluster does not exist in the proxy",
  NFCF: "the configuration of a filter did not arrive in time",
  NR: "no route, or no filter chain, matched",
  OM: "ended by the proxy's overload manager",
  RFCF: "answered from a cache",
  RL: "rate limited",
  RLSE: "the rate limit service failed",
  SI: "nothing was sent for longer than the idle timeout",
  UAEX: "denied by the external authorizer",
  UC: "the upstream closed the connection",
  UDO: "dropped: all its endpoints' traffic is to be",
  UF: "no connection to the upstream",
  UH: "no healthy upstream",
  UMSDR: "the longest time of a stream was reached",
  UO: "a circuit breaker was open",
  UPE: "the upstream broke the HTTP protocol",
  UR: "the upstream reset the stream",
  URX: "no attempt was left: retries, or connection attempts",
  UT: "the upstream did not answer in time",
};

/** What a flag means; undefined for one that Envoy 1.40 does not have. */
export function responseFlagText(flag: string): string | undefined {
  return Object.hasOwn(RESPONSE_FLAGS, flag) ? RESPONSE_FLAGS[flag] : undefined;
}
