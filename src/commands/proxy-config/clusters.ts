import { list, record, sections, sorted, sourceObject, text, type View } from "./view.ts";

/** `proxy-config clusters`: the services a proxy can send to, by Istio's cluster names. */
export const clusters: View = {
  path: "/config_dump",
  columns: ["SERVICE FQDN", "PORT", "SUBSET", "DIRECTION", "TYPE", "DESTINATION RULE"],
  rows: (dump) =>
    sorted(
      clustersOf(dump).map((cluster) => {
        const type = text(cluster, "type") || text(cluster, "cluster_type", "name") || "STATIC";
        const parts = text(cluster, "name").split("|");
        const [direction = "", port = "", subset = "", host = ""] =
          parts.length === 4 ? parts : ["-", "-", "-", parts.join("|")];
        return [host, port, subset === "" ? "-" : subset, direction, type, sourceObject(cluster)];
      }),
    ),
  data: clustersOf,
};

/** Every cluster in a dump. */
export function clustersOf(dump: unknown): unknown[] {
  return sections(dump, "ClustersConfigDump").flatMap((section) =>
    [...list(section, "static_clusters"), ...list(section, "dynamic_active_clusters")].map((entry) =>
      record(entry, "cluster"),
    ),
  );
}
