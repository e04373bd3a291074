import type { AccessLog, ChainContext, EnvoyListener } from "./types.ts";
import { file } from "./access-loggers/file.ts";
import { serviceLogs } from "./access-log-service.ts";
import { otel } from "./access-loggers/otel.ts";

const NO_CHAIN: NonNullable<AccessLog["filter"]> = { response_flag_filter: { flags: ["NR"] } };

/**
 * What a listener itself logs: connections that none of its chains takes, as plaintext under STRICT, or a server name that no
 * gateway has. Nothing else would tell of them. They go where the access logs of its chains go.
 */
export function listenerLog(chain: Pick<ChainContext, "telemetry" | "options">): Pick<EnvoyListener, "access_log"> {
  if (chain.options.noListenerLog === true) return {};
  const of: ChainContext = { ...chain, direction: "inbound", mutualTls: false, service: undefined };
  const entries = [...otel.loggers(of, "tcp"), ...serviceLogs(of, "listener"), ...file.loggers(of, "tcp")];
  return entries.length === 0 ? {} : { access_log: entries.map(ofNoChain) };
}

function ofNoChain(entry: AccessLog): AccessLog {
  const filter = entry.filter === undefined ? NO_CHAIN : { and_filter: { filters: [NO_CHAIN, entry.filter] } };
  return { ...entry, filter };
}
