import { compact } from "../base/compact.ts";
import { durationMs } from "../base/duration.ts";
import type { ConnectionPool } from "../ir/cluster.ts";
import type { PortPolicy } from "./traffic-policy.ts";

/** A policy's limits; the connect timeout in milliseconds where it says none. */
export function poolOf({ connectionPool: pool, retryBudget }: PortPolicy, connectTimeoutMs: number): ConnectionPool {
  const { tcp = {}, http = {} } = pool ?? {};
  return compact({
    maxConnections: tcp.maxConnections,
    connectTimeoutMs: milliseconds(tcp.connectTimeout) ?? connectTimeoutMs,
    idleTimeoutMs: milliseconds(http.idleTimeout) ?? milliseconds(tcp.idleTimeout),
    maxConnectionDurationMs: milliseconds(tcp.maxConnectionDuration),
    tcpKeepalive: keepalive(tcp.tcpKeepalive),
    maxPendingRequests: http.http1MaxPendingRequests,
    maxRequests: http.http2MaxRequests,
    maxRetries: http.maxRetries,
    maxRequestsPerConnection: http.maxRequestsPerConnection,
    maxConcurrentStreams: http.maxConcurrentStreams,
    http2KeepAlive: pings(http.http2KeepAlive),
    retryBudget:
      retryBudget &&
      compact({
        percent: retryBudget.percent ?? 20,
        minConcurrency: retryBudget.minRetryConcurrency ?? 3,
        intervalMs: milliseconds(retryBudget.budgetInterval),
      }),
  });
}

type Http = NonNullable<NonNullable<PortPolicy["connectionPool"]>["http"]>;

/** Envoy will not be without a timeout, and has none of its own. */
const PING_TIMEOUT_MS = 10_000;

/** Without an interval no PING is sent. */
function pings(spec: Http["http2KeepAlive"]): ConnectionPool["http2KeepAlive"] {
  const intervalMs = milliseconds(spec?.interval);
  return intervalMs === undefined
    ? undefined
    : { intervalMs, timeoutMs: milliseconds(spec?.timeout) ?? PING_TIMEOUT_MS };
}

type Tcp = NonNullable<NonNullable<PortPolicy["connectionPool"]>["tcp"]>;

function keepalive(spec: Tcp["tcpKeepalive"]): ConnectionPool["tcpKeepalive"] {
  if (spec === undefined) return undefined;
  return compact({ probes: spec.probes, timeS: wholeSeconds(spec.time), intervalS: wholeSeconds(spec.interval) });
}

function wholeSeconds(text: string | undefined): number | undefined {
  const ms = milliseconds(text);
  return ms === undefined ? undefined : Math.max(1, Math.round(ms / 1000));
}

function milliseconds(text: string | undefined): number | undefined {
  return text === undefined ? undefined : durationMs(text);
}
