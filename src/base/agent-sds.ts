/** Secret with the roots that mesh peers are verified by; Istio's name. */
export const MESH_ROOTS = "ROOTCA";

/** Secret with the roots that the control plane is verified by: its certificate names a host, and no identity. */
export const CONTROL_PLANE_ROOTS = "ROOTCA-CONTROL-PLANE";

/** Cluster of every proxy's bootstrap that leads to its agent's socket. */
export const AGENT_SDS_CLUSTER = "sds-grpc";

/**
 * Where a proxy gets secrets that its agent holds: an Envoy ConfigSource in JSON form. It waits as long as it takes. The agent
 * writes it into the bootstrap, the control plane into listeners and clusters.
 */
export const AGENT_SDS = {
  resource_api_version: "V3",
  initial_fetch_timeout: "0s",
  api_config_source: {
    api_type: "GRPC",
    transport_api_version: "V3",
    set_node_on_first_message_only: true,
    grpc_services: [{ envoy_grpc: { cluster_name: AGENT_SDS_CLUSTER } }],
  },
} as const;

/**
 * Secret by which the control plane tells agents outside of clusters what their files would say in a cluster: a JSON object, names
 * of files to texts. Agents alone ask for it.
 */
export const TOLD_TRUST = "mesh-trust";
