import type { EnvoyPatch, RoutesMatch } from "../../ir/envoy-patch.ts";
import { type ListPlan, patchedList, type ReadyPatch } from "./list.ts";
import { mergedMessage } from "./merge.ts";
import { holds, type Loose } from "./message.ts";

/** A route table after the patches to it, its virtual hosts and their routes. */
export function patchedTable(table: Loose, patches: readonly ReadyPatch[]): Loose {
  let made = table;
  for (const ready of patches) {
    const { patch, value } = ready;
    if (!matchesTable(String(table["name"]), patch.routes)) continue;
    if (patch.applyTo === "ROUTE_CONFIGURATION" && patch.operation.startsWith("MERGE")) {
      const lists = patch.operation === "MERGE" ? "join" : "replace";
      made = { ...mergedMessage("envoy.config.route.v3.RouteConfiguration", made, value, lists), name: made["name"] };
    } else if (patch.applyTo === "VIRTUAL_HOST") {
      made = { ...made, virtual_hosts: patchedList(hostsOf(made), ready, VIRTUAL_HOSTS) };
    } else if (patch.applyTo === "HTTP_ROUTE") {
      const hosts = hostsOf(made).map((host) =>
        matchesHost(host, patch) ? { ...host, routes: patchedList(routesOf(host), ready, ROUTES) } : host,
      );
      made = { ...made, virtual_hosts: hosts };
    }
  }
  return made;
}

const VIRTUAL_HOSTS: ListPlan = {
  type: "envoy.config.route.v3.VirtualHost",
  matches: matchesHost,
  isNamed: ({ routes }) => (routes?.vhost?.name ?? "") !== "",
  addAt: (items) => items.length,
};

const ROUTES: ListPlan = {
  type: "envoy.config.route.v3.Route",
  matches: matchesRoute,
  isNamed: ({ routes }) => (routes?.vhost?.route?.name ?? "") !== "",
  addAt: (items) => items.length,
};

/** `80`, `host:80`, `http.8080`, `https.443.NAME.GATEWAY.NAMESPACE`, `inbound|8080||` */
const PORTS = /^(?:https?\.(\d+)|inbound\|(\d+)\||(?:.*:)?(\d+)$)/;
const SERVER = /^https\.\d+\.([^.]*)\.(.+)\.([^.]+)$/;

function matchesTable(table: string, match: RoutesMatch | undefined): boolean {
  if (match === undefined) return true;
  const { name, portNumber = 0, portName, gateway } = match;
  if (!holds(name, table)) return false;
  const [, ...ports] = PORTS.exec(table) ?? [];
  if (portNumber !== 0 && !ports.includes(String(portNumber))) return false;
  const [, server, owner, namespace] = SERVER.exec(table) ?? [];
  return holds(portName, server) && holds(gateway, `${namespace}/${owner}`);
}

function matchesHost(host: Loose, { routes }: EnvoyPatch): boolean {
  const { name = "", domainName = "" } = routes?.vhost ?? {};
  const domains = host["domains"];
  return (
    (name === "" || name === host["name"]) &&
    (domainName === "" || (Array.isArray(domains) && domains.includes(domainName)))
  );
}

const ACTIONS: Readonly<Record<string, string>> = {
  ROUTE: "route",
  REDIRECT: "redirect",
  DIRECT_RESPONSE: "direct_response",
};

function matchesRoute(route: Loose, { routes }: EnvoyPatch): boolean {
  const { name = "", action = "ANY" } = routes?.vhost?.route ?? {};
  const field = ACTIONS[action];
  return (name === "" || name === route["name"]) && (field === undefined || route[field] !== undefined);
}

function hostsOf(table: Loose): readonly Loose[] {
  return (table["virtual_hosts"] ?? []) as readonly Loose[];
}

function routesOf(host: Loose): readonly Loose[] {
  return (host["routes"] ?? []) as readonly Loose[];
}
