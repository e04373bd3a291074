import { type Data, isWanted, list, record, sections, sorted, sourceObject, text, type View } from "./view.ts";

/** `proxy-config clusters`: the services a proxy can send to, by Istio's cluster names. */
export const clusters: View = {
  path: "/config_dump",
  needs: "ClustersConfigDump",
  nameOf: (cluster) => text(cluster, "name"),
  columns: ["SERVICE FQDN", "PORT", "SUBSET", "DIRECTION", "TYPE", "DESTINATION RULE"],
  items: clustersOf,
  rows: (items) =>
    sorted(
      items.map((cluster) => {
        const { direction, port, subset, host } = partsOf(cluster);
        return [host, port, subset === "" ? "-" : subset, direction, typeOf(cluster), sourceObject(cluster)];
      }),
    ),
  narrow: (cluster, wanted) => {
    const { host, ...others } = partsOf(cluster);
    const part = (wanted["fqdn"] ?? "").toLowerCase();
    return host.toLowerCase().includes(part) && isWanted(wanted, others) ? cluster : undefined;
  },
  counted: (cluster) => [partsOf(cluster).direction === "-" ? "special" : partsOf(cluster).direction, typeOf(cluster)],
};

/** Direction, port, subset and host of a cluster, by its name; one that has no such name is its own host. */
function partsOf(cluster: Data): Readonly<Record<"direction" | "port" | "subset" | "host", string>> {
  const parts = text(cluster, "name").split("|");
  const [direction = "", port = "", subset = "", host = ""] =
    parts.length === 4 ? parts : ["-", "-", "-", parts.join("|")];
  return { direction, port, subset, host };
}

/** As people know it: what Envoy has in place of the two DNS types is shown by their names. */
function typeOf(cluster: Data): string {
  const custom = text(cluster, "cluster_type", "name");
  if (custom !== "envoy.cluster.dns") return text(cluster, "type") || custom || "STATIC";
  const isOne = text(cluster, "cluster_type", "typed_config", "all_addresses_in_single_endpoint") === "true";
  return isOne ? "LOGICAL_DNS" : "STRICT_DNS";
}

/** Every cluster in a dump. */
export function clustersOf(dump: unknown): Data[] {
  return sections(dump, "ClustersConfigDump").flatMap((section) =>
    [...list(section, "static_clusters"), ...list(section, "dynamic_active_clusters")].map((entry) =>
      record(entry, "cluster"),
    ),
  );
}
