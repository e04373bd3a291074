import { type Data, isWanted, list, record, sections, sorted, sourceObject, text, type View } from "./view.ts";

/** `proxy-config routes`: by route table and virtual host, what each route matches and which VirtualService it is from. */
export const routes: View = {
  path: "/config_dump",
  columns: ["NAME", "VHOST NAME", "DOMAINS", "MATCH", "VIRTUAL SERVICE"],
  items: tablesOf,
  rows: (tables) =>
    sorted(
      tables.flatMap((table) =>
        list(table, "virtual_hosts").flatMap((host) => {
          const start = [text(table, "name"), text(host, "name"), domains(list(host, "domains").map(String))];
          const found = list(host, "routes");
          if (found.length === 0) return [[...start, "/*", "404"]];
          return found.map((route) => [...start, matchText(record(route, "match")), sourceObject(route)]);
        }),
      ),
      // within a virtual host the first match wins: Envoy's order says something
      3,
    ),
  narrow: (table, wanted) => (isWanted(wanted, { name: text(table, "name") }) ? table : undefined),
  brief: {
    columns: ["NAME", "VIRTUAL HOSTS"],
    rows: (tables) => sorted(tables.map((table) => [text(table, "name"), String(list(table, "virtual_hosts").length)])),
  },
  counted: (table) => [text(table, "name").startsWith("inbound|") ? "inbound" : "outbound"],
};

/** Every table of routes in a dump. */
export function tablesOf(dump: unknown): Data[] {
  return sections(dump, "RoutesConfigDump").flatMap((section) =>
    [...list(section, "static_route_configs"), ...list(section, "dynamic_route_configs")].map((entry) =>
      record(entry, "route_config"),
    ),
  );
}

/** Two of the spellings of a host, without port where there are such, and how many more there are. */
function domains(all: readonly string[]): string {
  const plain = all.filter((domain) => !domain.includes(":"));
  const shown = shortest(plain.length > 0 ? plain : all);
  const more = shown.length > 2 ? ` + ${shown.length - 2} more...` : "";
  return `${shown.slice(0, 2).join(", ")}${more}`;
}

/** Without those that only spell another one of them out, as web.shop.svc and web.shop.svc.cluster.local do web.shop. */
function shortest(all: readonly string[]): readonly string[] {
  return all.filter(
    (domain) =>
      ![".svc.cluster.local", ".svc"].some((end) => domain.includes(end) && all.includes(domain.replace(end, ""))),
  );
}

/** Path, then what else must hold: istioctl leaves header and query matches out, and people missed them. */
export function matchText(match: unknown): string {
  const forms: readonly (readonly [string, string])[] = [
    [text(match, "path"), text(match, "path")],
    [text(match, "prefix"), `${text(match, "prefix")}*`],
    [text(match, "path_separated_prefix"), `PathPrefix:${text(match, "path_separated_prefix")}`],
    [text(match, "safe_regex", "regex"), `regex ${text(match, "safe_regex", "regex")}`],
  ];
  const path = forms.find(([value]) => value !== "")?.[1] ?? "/*";
  const more = [...list(match, "headers"), ...list(match, "query_parameters")].map((entry) => text(entry, "name"));
  return more.length === 0 ? path : `${path} if ${more.join(", ")}`;
}
