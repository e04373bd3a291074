import { type Data, isWanted, list, record, sections, sorted, text, type View } from "./view.ts";

/** `proxy-config listeners`: what a proxy accepts, by filter chain, and where each leads. */
export const listeners: View = {
  path: "/config_dump",
  needs: "ListenersConfigDump",
  nameOf: (listener) => text(listener, "name"),
  columns: ["ADDRESSES", "PORT", "MATCH", "DESTINATION"],
  items: listenersOf,
  rows: (items) => sorted(items.flatMap(listenerRows)),
  narrow: (listener, wanted) => {
    const values = { type: typeOf(listener), port: portOf(listener) };
    const addresses = addressesOf(listener);
    const isThere = wanted["address"] === undefined || addresses.includes(wanted["address"]);
    return isThere && isWanted(wanted, values) ? listener : undefined;
  },
  brief: {
    columns: ["ADDRESSES", "PORT", "TYPE"],
    rows: (items) =>
      sorted(items.map((listener) => [addressesOf(listener).join(","), portOf(listener), typeOf(listener)])),
  },
  counted: (listener) => [typeOf(listener)],
};

/** Every listener in a dump that is in use; one that only drains or warms is not. */
export function listenersOf(dump: unknown): Data[] {
  return sections(dump, "ListenersConfigDump").flatMap((section) => [
    ...list(section, "static_listeners").map((entry) => record(entry, "listener")),
    ...list(section, "dynamic_listeners")
      .map((entry) => record(entry, "active_state", "listener"))
      .filter((listener) => Object.keys(listener).length > 0),
  ]);
}

function addressesOf(listener: Data): readonly string[] {
  const more = list(listener, "additional_addresses").map((entry) => record(entry, "address", "socket_address"));
  return [record(listener, "address", "socket_address"), ...more].map((socket) => text(socket, "address"));
}

function portOf(listener: Data): string {
  return text(listener, "address", "socket_address", "port_value");
}

function chainsOf(listener: Data): readonly unknown[] {
  return [...list(listener, "filter_chains"), ...fallback(listener)];
}

/** What istioctl calls a listener by its network filters: HTTP, TCP, HTTP+TCP, or UNKNOWN. What only ends connections is none of them. */
function typeOf(listener: Data): string {
  const filters = chainsOf(listener).flatMap((chain) => list(chain, "filters"));
  const types = filters
    .filter((filter) => text(filter, "typed_config", "cluster") !== "BlackHoleCluster")
    .map((filter) => text(filter, "typed_config", "@type").split(".").at(-1));
  const words = [
    ...(types.includes("HttpConnectionManager") ? ["HTTP"] : []),
    ...(types.includes("TcpProxy") ? ["TCP"] : []),
  ];
  return words.join("+") || "UNKNOWN";
}

function listenerRows(listener: Data): string[][] {
  const addresses = addressesOf(listener).join(",");
  return chainsOf(listener).map((chain) => [addresses, portOf(listener), matchText(chain), destination(chain)]);
}

function fallback(listener: Data): readonly Data[] {
  const chain = record(listener, "default_filter_chain");
  return Object.keys(chain).length === 0 ? [] : [chain];
}

/** The conditions of a chain in istioctl's words; ALL when there is none. */
function matchText(chain: unknown): string {
  const match = record(chain, "filter_chain_match");
  const ranges = list(match, "prefix_ranges").map((range) => {
    const length = text(range, "prefix_len");
    return length === "32" || length === ""
      ? text(range, "address_prefix")
      : `${text(range, "address_prefix")}/${length}`;
  });
  const port = text(match, "destination_port");
  const address = ranges.join(",");
  const parts: readonly (readonly [string, string])[] = [
    ["SNI", list(match, "server_names").map(String).join(",")],
    ["Trans", text(match, "transport_protocol")],
    ["App", protocols(list(match, "application_protocols").map(String))],
    ["Addr", port === "" ? address : `${address === "" ? "*" : address}:${port}`],
  ];
  const words = parts.filter(([, value]) => value !== "").map(([name, value]) => `${name}: ${value}`);
  return words.length === 0 ? "ALL" : words.join("; ");
}

/** The lists of protocols that stand for "HTTP" and "TCP over mesh TLS" by the names people know. */
function protocols(names: readonly string[]): string {
  if (names.length === 0) return "";
  const words = new Set(
    names.map((name) => {
      if (["http/1.0", "http/1.1", "h2c"].includes(name)) return "HTTP";
      if (name.startsWith("istio-http/") || name === "istio-h2") return "HTTP TLS";
      return name === "istio" || name === "istio-peer-exchange" ? "TCP TLS" : name;
    }),
  );
  return [...words].join(",");
}

function destination(chain: unknown): string {
  for (const filter of list(chain, "filters")) {
    const config = record(filter, "typed_config");
    const type = text(config, "@type");
    if (type.endsWith(".HttpConnectionManager")) return routeText(config);
    if (type.endsWith(".TcpProxy")) return clusterText(config);
  }
  return "Non-HTTP/Non-TCP";
}

function routeText(manager: Data): string {
  const name = text(manager, "rds", "route_config_name");
  if (name !== "") return `Route: ${name}`;
  const hosts = list(manager, "route_config", "virtual_hosts");
  const routes = hosts.flatMap((host) => list(host, "routes"));
  const [first] = routes;
  const only = routes.length === 1 && text(first, "match", "prefix") === "/" ? text(first, "route", "cluster") : "";
  if (only !== "" && list(hosts[0], "domains").join() === "*") return named(only);
  const path = text(first, "match", "path") || `${text(first, "match", "prefix")}*`;
  return `Inline Route: ${first === undefined ? "none" : path}`;
}

function clusterText(proxy: Data): string {
  const cluster = text(proxy, "cluster");
  if (cluster !== "") return named(cluster);
  const weighted = list(proxy, "weighted_clusters", "clusters").map((entry) => text(entry, "name"));
  return `Cluster: ${weighted.join(", ")}`;
}

/** A cluster of a service by its kind too; the special ones say what they are. */
function named(cluster: string): string {
  return cluster.includes("|") ? `Cluster: ${cluster}` : cluster;
}
