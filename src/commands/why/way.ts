import { walkRoutes } from "../../simulate/outcome.ts";
import type { SimulatedConnection, SimulatedRequest } from "../../simulate/request.ts";
import { enter } from "../../simulate/walk.ts";
import type { ProxyFacts, Symptom, Way } from "../../why/types.ts";
import { placeOf } from "../../why/words.ts";

/**
 * The way that a request of the access log takes through the routes which the proxy has now. Headers are not in the log: of routes
 * that ask for some, the one with the name that the log has is taken.
 */
export function wayOf(symptom: Symptom, { config }: ProxyFacts): Way | undefined {
  const connection = connectionOf(symptom);
  const request = requestOf(symptom);
  if (connection === undefined || request === undefined) return undefined;
  const { leads } = enter(config.listeners(), (listener) => listener.use_original_dst === true, connection);
  if (leads.kind !== "http") return undefined;
  const { route_config: inline, rds } = leads.manager;
  const table = inline ?? config.routes(rds?.route_config_name ?? "");
  return table === undefined ? undefined : through(table, request, symptom.routeName);
}

function through(table: RouteConfiguration, request: SimulatedRequest, routeName: string | undefined): Way {
  const { chosen, outcome } = walkRoutes(table, request);
  const { name = "" } = table;
  const named = chosen.host?.routes?.find((route) => route.name !== undefined && route.name === routeName);
  if (named === undefined || named === chosen.route) return { table: name, chosen, outcome };
  // the same walk, as if its routes before that one were not there
  const only = { ...table, virtual_hosts: [{ ...chosen.host, routes: [{ ...named, match: { prefix: "/" } }] }] };
  return { table: name, chosen: { ...chosen, route: named }, outcome: walkRoutes(only, request).outcome };
}

function connectionOf({ localAddress, remoteAddress, serverName, protocol }: Symptom): SimulatedConnection | undefined {
  const destination = placeOf(localAddress);
  if (destination === undefined) return undefined;
  const source = placeOf(remoteAddress) ?? { address: "127.0.0.1", port: 40_000 };
  if (serverName !== undefined)
    return { destination, source, transport: "tls", serverName, applicationProtocols: ["h2", "http/1.1"] };
  const applicationProtocols = [protocol === "HTTP/2" ? "h2c" : "http/1.1"];
  return { destination, source, transport: "raw_buffer", serverName, applicationProtocols };
}

function requestOf({ method, path = "/", authority = "", serverName }: Symptom): SimulatedRequest | undefined {
  if (method === undefined) return undefined;
  return { method, scheme: serverName === undefined ? "http" : "https", authority, path, headers: [] };
}

type RouteConfiguration = NonNullable<ReturnType<ProxyFacts["config"]["routes"]>>;
