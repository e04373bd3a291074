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
  /** Envoy has taken it and does not use it yet: it waits for something that it names. */
  readonly isWarming?: boolean;
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
  return (dump) => newest(specs.flatMap((spec) => entriesOf(dump, spec)));
}

function entriesOf(dump: unknown, { section, list: member, item, name = "name", isWarming }: Spec): readonly Held[] {
  return sections(dump, section).flatMap((part) =>
    list(part, member).map((entry) => ({
      name: text(entry, item, name),
      version: text(entry, "version_info"),
      content: record(entry, item),
      ...(isWarming === true ? { isWarming } : {}),
      ...refusalOf(entry),
    })),
  );
}

function refusalOf(entry: unknown): Pick<Held, "refused"> {
  const refused = text(entry, "error_state", "details");
  return refused === "" ? {} : { refused };
}

/** What warms is what the proxy was sent last: it stands for the one that serves until then. */
function newest(held: readonly Held[]): readonly Held[] {
  return [...new Map(held.map((each) => [each.name, each])).values()];
}

function heldListeners(dump: unknown): readonly Held[] {
  const entries = sections(dump, "ListenersConfigDump").flatMap((part) => list(part, "dynamic_listeners"));
  return entries.flatMap((entry) => {
    const states = (["warming_state", "active_state"] as const).filter(
      (state) => text(record(entry, state, "listener"), "name") !== "",
    );
    const [state] = states;
    // one that only drains, or was never taken, is not there
    if (state === undefined) return [];
    return [
      {
        name: text(entry, "name"),
        version: text(entry, state, "version_info"),
        content: record(entry, state, "listener"),
        ...(state === "warming_state" ? { isWarming: true } : {}),
        ...refusalOf(entry),
      },
    ];
  });
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
  const { address: host, port_value: port } = record(address, "socket_address");
  return host === undefined ? JSON.stringify(address) : `${String(host)}:${String(port)}`;
}
