import { serviceLogs } from "../access-log-service.ts";
import type { AccessLogger } from "./types.ts";

/**
 * Envoy's access log service: a record per request or connection, streamed to a server. As in Istio both kinds that a provider
 * may be take the records of HTTP and of TCP.
 */
export const grpcAls: AccessLogger = {
  name: "envoy.access_loggers.http_grpc",
  protocol: "both",
  appliesTo: (chain) => serviceLogs(chain, "http").length > 0,
  loggers: serviceLogs,
};
