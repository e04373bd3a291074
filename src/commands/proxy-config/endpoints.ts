import { list, record, sorted, text, type View } from "./view.ts";

/** `proxy-config endpoints`: where each cluster's requests can go, and whether Envoy thinks it may. */
export const endpoints: View = {
  path: "/clusters?format=json",
  columns: ["ENDPOINT", "STATUS", "OUTLIER CHECK", "CLUSTER"],
  rows: (answer) =>
    sorted(
      list(answer, "cluster_statuses").flatMap((cluster) =>
        list(cluster, "host_statuses").map((host) => [
          addressText(record(host, "address")),
          text(host, "health_status", "eds_health_status") || "HEALTHY",
          text(host, "health_status", "failed_outlier_check") === "true" ? "FAILED" : "OK",
          text(cluster, "name"),
        ]),
      ),
    ),
  data: (answer) => list(answer, "cluster_statuses"),
};

/** An Envoy address as people write it: `10.0.0.1:80`, `unix:///path`, `envoy://listener/endpoint`. */
export function addressText(address: unknown): string {
  const socket = record(address, "socket_address");
  if (text(socket, "address") !== "") return `${text(socket, "address")}:${text(socket, "port_value")}`;
  const pipe = text(address, "pipe", "path");
  if (pipe !== "") return `unix://${pipe}`;
  const internal = record(address, "envoy_internal_address");
  return `envoy://${text(internal, "server_listener_name")}/${text(internal, "endpoint_id")}`;
}
