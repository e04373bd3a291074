import { isWanted, list, record, sorted, text, type View } from "./view.ts";

/** `proxy-config endpoints`: where each cluster's requests can go, and whether Envoy thinks it may. */
export const endpoints: View = {
  path: "/clusters?format=json",
  columns: ["ENDPOINT", "STATUS", "OUTLIER CHECK", "CLUSTER"],
  items: (answer) => list(answer, "cluster_statuses").map((cluster) => record(cluster)),
  rows: (items) =>
    sorted(
      items.flatMap((cluster) =>
        list(cluster, "host_statuses").map((host) => [
          addressText(record(host, "address")),
          healthOf(host),
          text(host, "health_status", "failed_outlier_check") === "true" ? "FAILED" : "OK",
          text(cluster, "name"),
        ]),
      ),
    ),
  narrow: (cluster, wanted) => {
    if (!isWanted(wanted, { cluster: text(cluster, "name") })) return undefined;
    if (["address", "port", "status"].every((name) => wanted[name] === undefined)) return cluster;
    const hosts = list(cluster, "host_statuses").filter((host) => {
      const socket = record(host, "address", "socket_address");
      const values = { address: text(socket, "address"), port: text(socket, "port_value"), status: healthOf(host) };
      return isWanted(wanted, values);
    });
    return hosts.length === 0 ? undefined : { ...cluster, host_statuses: hosts };
  },
  counted: (cluster) => [`with ${list(cluster, "host_statuses").length} endpoints`],
};

function healthOf(host: unknown): string {
  return text(host, "health_status", "eds_health_status") || "HEALTHY";
}

/** An Envoy address as people write it: `10.0.0.1:80`, `unix:///path`, `envoy://listener/endpoint`. */
export function addressText(address: unknown): string {
  const socket = record(address, "socket_address");
  if (text(socket, "address") !== "") return `${text(socket, "address")}:${text(socket, "port_value")}`;
  const pipe = text(address, "pipe", "path");
  if (pipe !== "") return `unix://${pipe}`;
  const internal = record(address, "envoy_internal_address");
  return `envoy://${text(internal, "server_listener_name")}/${text(internal, "endpoint_id")}`;
}
