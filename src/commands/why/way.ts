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
  const { method, path, authority, serverName, protocol, routeName } = symptom;
  const destination = placeOf(symptom.localAddress);
  if (destination === undefined || method === undefined) return undefined;
  const isTls = serverName !== undefined;
  const isHttp2 = protocol === "HTTP/2";
  const connection: SimulatedConnection = {
    destination,
    source: placeOf(symptom.remoteAddress) ?? { address: "127.0.0.1", port: 40_000 },
    transport: isTls ? "tls" : "raw_buffer",
    serverName,
    applicationProtocols: isTls ? ["h2", "http/1.1"] : [isHttp2 ? "h2c" : "http/1.1"],
  };
  const { leads } = enter(config.listeners(), (listener) => listener.use_original_dst === true, connection);
  if (leads.kind !== "http") return undefined;
  const { route_config: inline, rds } = leads.manager;
  const table = inline ?? config.routes(rds?.route_config_name ?? "");
  if (table === undefined) return undefined;
  const request: SimulatedRequest = {
    method,
    scheme: isTls ? "https" : "http",
    authority: authority ?? "",
    path: path ?? "/",
    headers: [],
  };
  const { chosen, outcome } = walkRoutes(table, request);
  const named = chosen.host?.routes?.find(({ name }) => name !== undefined && name === routeName);
  if (named === undefined || named === chosen.route) return { table: table.name ?? "", chosen, outcome };
  // the same walk, as if its routes before that one were not there
  const only = { ...table, virtual_hosts: [{ ...chosen.host, routes: [{ ...named, match: { prefix: "/" } }] }] };
  return { table: table.name ?? "", chosen: { ...chosen, route: named }, outcome: walkRoutes(only, request).outcome };
}
