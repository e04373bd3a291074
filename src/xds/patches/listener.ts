import { explicitPort } from "../../base/explicit-port.ts";
import type { EnvoyPatch, ListenerMatch } from "../../ir/envoy-patch.ts";
import type { EnvoyListener } from "../types.ts";
import { HTTP_FILTERS, LISTENER_FILTERS, NETWORK_FILTERS } from "./filters.ts";
import { type ListPlan, patchedList, type ReadyPatch } from "./list.ts";
import { mergedMessage } from "./merge.ts";
import { holds, isObject, type Loose } from "./message.ts";
import { patchedTable } from "./routes.ts";

const HCM = "envoy.filters.network.http_connection_manager";
const VIRTUAL_INBOUND = "virtualInbound";

/** A listener after all patches; undefined when one removes it. */
export function patchedListener(
  listener: EnvoyListener,
  patches: readonly ReadyPatch[],
  isRouter: boolean,
): EnvoyListener | undefined {
  const own = patches.filter(({ patch }) => isOf(listener, patch, isRouter));
  if (own.length === 0) return listener;
  let made = listener as Loose;
  for (const ready of of(own, "LISTENER")) {
    const { patch, value } = ready;
    if (patch.operation === "ADD" || !matchesListener(made, patch.listener)) continue;
    if (patch.operation === "REMOVE") return undefined;
    const lists = patch.operation === "MERGE" ? "join" : "replace";
    made = { ...mergedMessage("envoy.config.listener.v3.Listener", made, value, lists), name: made["name"] };
  }
  for (const ready of of(own, "LISTENER_FILTER"))
    if (matchesListener(made, ready.patch.listener))
      made = withList(made, "listener_filters", (items) => patchedList(items, ready, LISTENER_FILTERS));
  made = patchedChains(made, of(own, "FILTER_CHAIN"));
  return eachChain(made, (chain) => patchedFilters(made, chain, own));
}

function of(patches: readonly ReadyPatch[], target: EnvoyPatch["applyTo"]): readonly ReadyPatch[] {
  return patches.filter(({ patch }) => patch.applyTo === target);
}

/** Whether a patch is for listeners of this one's role. */
function isOf({ traffic_direction: direction }: EnvoyListener, { context }: EnvoyPatch, isRouter: boolean): boolean {
  if (context === "ANY") return true;
  if (isRouter) return context === "GATEWAY";
  return context === (direction === "INBOUND" ? "SIDECAR_INBOUND" : "SIDECAR_OUTBOUND");
}

/** Ports of virtualInbound are its chains'. */
function matchesListener(listener: Loose, match: ListenerMatch | undefined): boolean {
  if (match === undefined) return true;
  const { name = "", portNumber = 0 } = match;
  if (name !== "" && name !== listener["name"]) return false;
  return portNumber === 0 || listener["name"] === VIRTUAL_INBOUND || isPort(portOf(listener), portNumber);
}

function portOf(listener: Loose): unknown {
  const { socket_address: socket } = (listener["address"] ?? {}) as { readonly socket_address?: Loose };
  return socket?.["port_value"];
}

/** Where nothing redirects, other numbers stand for low ports. */
function isPort(port: unknown, wanted: number): boolean {
  return port === wanted || port === explicitPort(wanted);
}

const CHAINS: ListPlan = {
  type: "envoy.config.listener.v3.FilterChain",
  matches: () => false,
  isNamed: () => true,
  addAt: (items) => items.length,
};

function patchedChains(listener: Loose, patches: readonly ReadyPatch[]): Loose {
  let made = listener;
  for (const ready of patches) {
    if (!matchesListener(made, ready.patch.listener)) continue;
    const matches: ListPlan["matches"] = (chain, { listener: match }) => matchesChain(made, chain, match);
    const plan = { ...CHAINS, matches };
    made = withList(made, "filter_chains", (items) => patchedList(items, ready, plan));
    const last = made["default_filter_chain"];
    if (isObject(last) && ready.patch.operation !== "ADD") {
      const [left] = patchedList([last], ready, plan);
      const { default_filter_chain: _, ...rest } = made;
      made = left === undefined ? rest : { ...rest, default_filter_chain: left };
    }
  }
  return made;
}

function matchesChain(listener: Loose, chain: Loose, match: ListenerMatch | undefined): boolean {
  const found = (chain["filter_chain_match"] ?? {}) as Loose;
  const { portNumber, filterChain = {} } = match ?? {};
  if (listener["name"] === VIRTUAL_INBOUND && !holds(portNumber, found["destination_port"])) return false;
  return (
    holds(filterChain.name, chain["name"]) &&
    holds(filterChain.transportProtocol, found["transport_protocol"]) &&
    holds(filterChain.destinationPort, found["destination_port"]) &&
    holdsAll(filterChain.sni, found["server_names"]) &&
    holdsAll(filterChain.applicationProtocols, found["application_protocols"]) &&
    hasFilter(chain, filterChain.filter)
  );
}

/** Names separated by commas, all of which a list has. */
function holdsAll(wanted: string | undefined, found: unknown): boolean {
  const known = texts(found);
  return (wanted ?? "").split(",").every((name) => name === "" || known.includes(name.trim()));
}

type FilterMatch = NonNullable<ListenerMatch["filterChain"]>["filter"];

function hasFilter(chain: Loose, filter: FilterMatch): boolean {
  const { name, subFilter } = filter ?? {};
  return (
    lists(chain["filters"]).some((one) => holds(name, one["name"])) &&
    (subFilter?.name === undefined ||
      subFilter.name === "" ||
      httpFiltersOf(chain).some((one) => one === subFilter.name))
  );
}

function httpFiltersOf(chain: Loose): readonly unknown[] {
  return lists(chain["filters"]).flatMap(({ name, typed_config: config }) =>
    name === HCM && isObject(config) ? lists(config["http_filters"]).map((filter) => filter["name"]) : [],
  );
}

/** The neighbour of what is inserted must be there; for an HTTP filter it is looked for where it stands. */
function patchedFilters(listener: Loose, chain: Loose, patches: readonly ReadyPatch[]): Loose {
  let made = chain;
  for (const ready of patches) {
    const { patch } = ready;
    const here = matchesListener(listener, patch.listener) && matchesChain(listener, made, patch.listener);
    if (patch.applyTo === "NETWORK_FILTER" && here)
      made = withList(made, "filters", (items) => patchedList(items, ready, NETWORK_FILTERS));
    if (patch.applyTo === "HTTP_FILTER" && here)
      made = eachManager(made, (hcm) =>
        withList(hcm, "http_filters", (items) => patchedList(items, ready, HTTP_FILTERS)),
      );
  }
  const routes = patches.filter(({ patch }) => patch.routes !== undefined || ROUTE_TARGETS.has(patch.applyTo));
  if (routes.length === 0) return made;
  return eachManager(made, (hcm) => {
    const table = hcm["route_config"];
    return isObject(table) ? { ...hcm, route_config: patchedTable(table, routes) } : hcm;
  });
}

const ROUTE_TARGETS: ReadonlySet<EnvoyPatch["applyTo"]> = new Set([
  "ROUTE_CONFIGURATION",
  "VIRTUAL_HOST",
  "HTTP_ROUTE",
]);

function eachManager(chain: Loose, change: (hcm: Loose) => Loose): Loose {
  return withList(chain, "filters", (filters) =>
    filters.map((filter) => {
      const config = filter["typed_config"];
      return filter["name"] === HCM && isObject(config) ? { ...filter, typed_config: change(config) } : filter;
    }),
  );
}

function eachChain(listener: Loose, change: (chain: Loose) => Loose): Loose {
  const made = withList(listener, "filter_chains", (chains) => chains.map(change));
  const last = made["default_filter_chain"];
  return isObject(last) ? { ...made, default_filter_chain: change(last) } : made;
}

/** The object with a changed list; untouched when the list is as before. */
function withList(object: Loose, key: string, change: (items: readonly Loose[]) => readonly Loose[]): Loose {
  const before = lists(object[key]);
  const after = change(before);
  return after === before ? object : { ...object, [key]: after };
}

function lists(value: unknown): readonly Loose[] {
  return Array.isArray(value) ? (value as readonly Loose[]) : NONE;
}

const NONE: readonly Loose[] = [];

function texts(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
