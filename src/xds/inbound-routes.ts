import type { InboundPort } from "../ir/listener.ts";
import type { EnvoyRoutes } from "./types.ts";

/**
 * The routes of an inbound HTTP chain: everything to the application. No timeout: the client's side has one. A connection
 * that the application closed just when the request went out is tried again (not for gRPC, which does so itself).
 */
export function inboundRoutes(port: InboundPort): EnvoyRoutes {
  const host = port.service === undefined ? "" : `${port.service.host}:${port.service.port}/*`;
  const name = port.targetPort === 0 ? port.cluster : `inbound|${port.targetPort}||`;
  const retries =
    port.protocol === "grpc" ? {} : { retry_policy: { retry_on: "reset-before-request", num_retries: 2 } };
  return {
    name,
    virtual_hosts: [
      {
        name: `inbound|http|${port.service?.port ?? port.targetPort}`,
        domains: ["*"],
        routes: [
          {
            name: "default",
            match: { prefix: "/" },
            route: {
              cluster: port.cluster,
              timeout: "0s",
              max_stream_duration: { max_stream_duration: "0s", grpc_timeout_header_max: "0s" },
              ...retries,
            },
            ...(host === "" ? {} : { decorator: { operation: host } }),
          },
        ],
      },
    ],
    validate_clusters: false,
  };
}
