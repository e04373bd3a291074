import { isIP } from "node:net";
import type { Cluster } from "../../ir/cluster.ts";
import type { InboundPort } from "../../ir/listener.ts";
import type { Security } from "../../ir/security.ts";

/**
 * A port whose connections authorization may refuse before the application is dialled: that is done by sending refused ones
 * nowhere, which only a cluster of original destinations can. Where the cluster has a fixed endpoint instead, the port takes
 * that over. HTTP needs none of it: no byte of the application comes before the request.
 */
export function gatedPort(port: InboundPort, cluster: Cluster, security: Security | undefined): InboundPort {
  const { allow, deny } = security?.authorization ?? {};
  const [endpoint] = cluster.endpoints;
  if ((allow ?? deny) === undefined || endpoint === undefined || isIP(endpoint.address) === 0) return port;
  if (port.protocol === "http" || port.protocol === "http2" || port.protocol === "grpc") return port;
  return { ...port, application: { address: endpoint.address, port: endpoint.port } };
}

/** The cluster of such a port. */
export function gatedCluster({ application }: InboundPort, cluster: Cluster): Cluster {
  return application === undefined ? cluster : { ...cluster, discovery: "original-dst", endpoints: [] };
}
