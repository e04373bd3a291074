import type { AlsSink } from "../ir/telemetry.ts";
import { sinkFilter, sinksOf } from "./log-sinks.ts";
import { alsLog } from "./log-writers.ts";
import type { AccessLog, ChainContext } from "./types.ts";

/**
 * Loggers of Envoy's access log service, as Telemetry asks for; without any as `enableEnvoyAccessLogService` of the mesh does.
 * A listener's own log has a name of its own.
 */
export function serviceLogs(chain: Chain, of: LoggedOf): readonly AccessLog[] {
  return servicesOf(chain, of).map((sink) => ({
    name: sink.kind === "http-als" ? "envoy.access_loggers.http_grpc" : "envoy.access_loggers.tcp_grpc",
    ...sinkFilter(sink),
    typed_config: alsLog(sink),
  }));
}

type Chain = Pick<ChainContext, "telemetry" | "options">;
type LoggedOf = "http" | "tcp" | "listener";
type Service = AlsSink & { readonly filter?: string };

function servicesOf({ telemetry, options }: Chain, of: LoggedOf): readonly Service[] {
  if (telemetry?.logs !== undefined) return sinksOf(telemetry, "http-als", "tcp-als");
  return options.accessLogService === true ? [OF_BOOTSTRAP[of]] : [];
}

/** The cluster that the agent writes for `envoyAccessLogService` of a proxy's configuration (src/agent/bootstrap-sinks.ts). */
const CLUSTER = "envoy_accesslog_service";

const OF_BOOTSTRAP: Readonly<Record<LoggedOf, Service>> = {
  http: ofBootstrap("http-als", "http_envoy_accesslog"),
  tcp: ofBootstrap("tcp-als", "tcp_envoy_accesslog"),
  listener: ofBootstrap("tcp-als", "listener_envoy_accesslog"),
};

function ofBootstrap(kind: AlsSink["kind"], logName: string): Service {
  const none = { filterStates: [], requestHeaders: [], responseHeaders: [], responseTrailers: [] };
  return { kind, logName, cluster: CLUSTER, host: CLUSTER, ...none };
}
