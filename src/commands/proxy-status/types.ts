import { type Data, list, record, sections, text } from "../proxy-config/view.ts";

/** One type of configuration, and where a dump has it. */
export interface ResourceType {
  /** `CDS` */
  readonly column: string;
  /** The control plane's name of it: `cluster`. */
  readonly key: string;
  /** istioctl's word for it: `Clusters`. */
  readonly title: string;
  readonly held: (dump: unknown) => readonly Held[];
}

/** One resource of a dump. */
export interface Held {
  readonly name: string;
  readonly version: string;
  /** Undefined: only its version is known. */
  readonly content?: Data;
  /** What Envoy has taken and does not use yet, because it waits for something or failed on the way: it stands for what is in use. */
  readonly warming?: Data;
  /** Envoy's words for why it did not take a newer one. */
  readonly refused?: string;
}

interface Spec {
  readonly section: string;
  readonly list: string;
  readonly item: string;
  /** Field of the item that names it. */
  readonly name?: string;
  readonly isWarming?: boolean;
}

/** Every type, in the order in which the control plane sends them. */
export const RESOURCE_TYPES: readonly ResourceType[] = [
  {
    column: "CDS",
    key: "cluster",
    title: "Clusters",
    held: heldBy(
      { section: "ClustersConfigDump", list: "dynamic_active_clusters", item: "cluster" },
      { section: "ClustersConfigDump", list: "dynamic_warming_clusters", item: "cluster", isWarming: true },
    ),
  },
  { column: "LDS", key: "listener", title: "Listeners", held: heldListeners },
  { column: "EDS", key: "endpoint", title: "Endpoints", held: heldEndpoints },
  {
    column: "RDS",
    key: "route",
    title: "Routes",
    held: heldBy({ section: "RoutesConfigDump", list: "dynamic_route_configs", item: "route_config" }),
  },
  {
    column: "ECDS",
    key: "extension",
    title: "Extensions",
    held: heldBy({ section: "EcdsConfigDump", list: "ecds_filters", item: "ecds_filter" }),
  },
  { column: "SDS", key: "secret", title: "Secrets", held: heldSecrets },
];

/** What agents answer DNS queries from: Envoy has none of it. */
export const NAMES = { column: "NDS", key: "nametable" } as const;

function heldBy(...specs: readonly Spec[]): ResourceType["held"] {
  return (dump) => merged(specs.flatMap((spec) => entriesOf(dump, spec)));
}

function entriesOf(dump: unknown, { section, list: member, item, name = "name", isWarming }: Spec): readonly Held[] {
  return sections(dump, section).flatMap((part) =>
    list(part, member).map((entry) => {
      const content = record(entry, item);
      return {
        name: text(content, name),
        version: text(entry, "version_info"),
        ...(isWarming === true ? { warming: content } : { content }),
        ...refusalOf(entry),
      };
    }),
  );
}

function refusalOf(entry: unknown): Pick<Held, "refused"> {
  const refused = text(entry, "error_state", "details");
  return refused === "" ? {} : { refused };
}

/** One entry for each name: what is in use, and what is to follow it. */
function merged(held: readonly Held[]): readonly Held[] {
  const byName = new Map<string, Held>();
  for (const each of held) byName.set(each.name, { ...byName.get(each.name), ...each });
  return [...byName.values()];
}

function heldListeners(dump: unknown): readonly Held[] {
  const entries = sections(dump, "ListenersConfigDump").flatMap((part) => list(part, "dynamic_listeners"));
  return entries.flatMap((entry) => {
    const [active, warming] = ["active_state", "warming_state"].map((state) => record(entry, state, "listener"));
    const has = (listener: Data | undefined): boolean => text(listener, "name") !== "";
    // one that only drains, or was never taken, is not there
    if (!has(active) && !has(warming)) return [];
    return [
      {
        name: text(entry, "name"),
        version: text(entry, has(active) ? "active_state" : "warming_state", "version_info"),
        ...(active !== undefined && has(active) ? { content: active } : {}),
        ...(warming !== undefined && has(warming) ? { warming } : {}),
        ...refusalOf(entry),
      },
    ];
  });
}

/** Names of the tables of routes that listeners of a dump lead to, but for those that drain; undefined when it has no listeners to tell it by. */
export function tablesInUse(dump: unknown): ReadonlySet<string> | undefined {
  const parts = sections(dump, "ListenersConfigDump");
  if (parts.length === 0) return undefined;
  const names = new Set<string>();
  for (const part of parts)
    for (const entry of [...list(part, "static_listeners"), ...list(part, "dynamic_listeners")])
      for (const state of ["listener", "active_state", "warming_state"]) collectTables(record(entry, state), names);
  return names;
}

function collectTables(value: unknown, names: Set<string>): void {
  if (typeof value !== "object" || value === null) return;
  for (const [key, member] of Object.entries(value))
    if (key === "route_config_name") names.add(String(member));
    else collectTables(member, names);
}

/** Without values: they are in no dump. */
function heldSecrets(dump: unknown): readonly Held[] {
  return sections(dump, "SecretsConfigDump").flatMap((part) =>
    list(part, "dynamic_active_secrets").map((entry) => ({
      name: text(entry, "name"),
      version: text(entry, "version_info"),
    })),
  );
}

/** Endpoints as both sides can say them: Envoy tells what it made of an assignment, with values in place of what was left out. */
function heldEndpoints(dump: unknown): readonly Held[] {
  const byEds = new Set(
    sections(dump, "ClustersConfigDump").flatMap((part) =>
      [...list(part, "dynamic_active_clusters"), ...list(part, "dynamic_warming_clusters")]
        .map((entry) => record(entry, "cluster"))
        .filter((cluster) => text(cluster, "type") === "EDS")
        .map((cluster) => text(cluster, "eds_cluster_config", "service_name") || text(cluster, "name")),
    ),
  );
  const held = entriesOf(dump, {
    section: "EndpointsConfigDump",
    list: "dynamic_endpoint_configs",
    item: "endpoint_config",
    name: "cluster_name",
  });
  return held
    .filter(({ name }) => byEds.has(name))
    .map(({ name, version, content = {} }) => ({ name, version, content: { endpoints: hostsOf(content) } }));
}

/** Every host by its address, so that the order and the grouping of equal ones do not count. */
function hostsOf(assignment: Data): readonly Data[] {
  return list(assignment, "endpoints")
    .flatMap((group) =>
      list(group, "lb_endpoints").map((host) => ({
        name: addressKey(record(host, "endpoint", "address")),
        weight: text(host, "load_balancing_weight") || "1",
        priority: text(group, "priority") || "0",
        locality: ["region", "zone", "sub_zone"].map((part) => text(group, "locality", part)).join("/"),
        metadata: record(host, "metadata"),
        health: healthOf(text(host, "health_status")),
      })),
    )
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** What Envoy finds out itself (ejected, unreachable) is not what it was sent. */
function healthOf(status: string): string {
  return ["", "UNKNOWN", "UNHEALTHY", "TIMEOUT"].includes(status) ? "HEALTHY" : status;
}

function addressKey(address: Data): string {
  const host = text(address, "socket_address", "address");
  return host === "" ? JSON.stringify(address) : `${host}:${text(address, "socket_address", "port_value")}`;
}
