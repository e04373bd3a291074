import { addressText } from "./endpoints.ts";
import { ENDPOINTS_DUMP, list, record, sections, sorted, text, type View } from "./view.ts";

/** `proxy-config eds`: endpoints as the control plane sent them, with their localities. */
export const eds: View = {
  path: ENDPOINTS_DUMP,
  columns: ["NAME", "STATUS", "LOCALITY", "CLUSTER"],
  items: (dump) =>
    sections(dump, "EndpointsConfigDump").flatMap((section) =>
      [...list(section, "static_endpoint_configs"), ...list(section, "dynamic_endpoint_configs")].map((entry) =>
        record(entry, "endpoint_config"),
      ),
    ),
  rows: (items) =>
    sorted(
      items.flatMap((assignment) =>
        list(assignment, "endpoints").flatMap((group) => {
          const locality = ["region", "zone", "sub_zone"].map((part) => text(group, "locality", part)).filter(Boolean);
          return list(group, "lb_endpoints").map((host) => [
            text(host, "endpoint", "address", "pipe", "path") || addressText(record(host, "endpoint", "address")),
            text(host, "health_status") || "UNKNOWN",
            locality.join("/"),
            text(assignment, "cluster_name"),
          ]);
        }),
      ),
    ),
};

/** What `/clusters?format=json` would say, as far as a dump with endpoints has it: no outlier checks, no counters. */
export function statusesOf(dump: unknown): unknown {
  const cluster_statuses = eds.items(dump).map((assignment) => ({
    name: text(assignment, "cluster_name"),
    host_statuses: list(assignment, "endpoints").flatMap((group) =>
      list(group, "lb_endpoints").map((host) => ({
        address: record(host, "endpoint", "address"),
        health_status: { eds_health_status: text(host, "health_status") || "HEALTHY" },
      })),
    ),
  }));
  return { cluster_statuses };
}
