import { isIP } from "node:net";
import type { Proxy } from "../../ir/proxy.ts";
import type { Model } from "../../model/model.ts";
import type { Address, SimulatedConnection, SimulatedRequest } from "../../simulate/request.ts";
import { explicitPort } from "../../base/explicit-port.ts";
import { explicitServiceAddress } from "../../model/explicit-bind.ts";
import { isGrpc } from "../../simulate/route-match.ts";
import { type Entered, enter } from "../../simulate/walk.ts";
import { type Asked, isBytes, portOf, type Walk } from "./types.ts";

/** Any public client of a gateway (RFC 5737). */
export const OUTSIDE = "192.0.2.10";
/** What a name that the mesh does not know leads to (RFC 5737). */
const ELSEWHERE = "203.0.113.1";

/** The client's connection into its own proxy, or from outside into a gateway. */
export function enterClient({ view, asked, meant }: Walk): Entered {
  const { proxy } = view;
  const tls = asked.url.protocol === "https:";
  const connection: SimulatedConnection = {
    destination: meant,
    source: { address: proxy.type === "router" ? OUTSIDE : (proxy.addresses[0] ?? ""), port: 40_000 },
    transport: tls ? "tls" : "raw_buffer",
    serverName: tls ? asked.url.hostname : undefined,
    applicationProtocols: tls ? ["h2", "http/1.1"] : plainProtocols(asked),
  };
  return enter(view.listeners(), (listener) => listener.use_original_dst === true, connection);
}

/** What the first bytes of a plain connection look like to a proxy. */
export function plainProtocols(asked: Asked): readonly string[] {
  if (isBytes(asked)) return [];
  return [isGrpc(requestOf(asked)) ? "h2c" : "http/1.1"];
}

/** The address that the client dials: a gateway's own port, else what the name stands for; where nothing is redirected, what stands for that. */
export function dialled(model: Model, from: Proxy, url: URL): Address {
  const { bind } = from;
  const { address, port } = meantBy(model, from, url);
  if (bind === undefined) return { address, port };
  return { address: explicitServiceAddress(bind, address) ?? address, port: explicitPort(port) };
}

function meantBy(model: Model, from: Proxy, url: URL): Address {
  const port = portOf(url);
  if (from.type === "router") return { address: from.addresses[0] ?? "", port: model.gateways.listenPort(from, port) };
  const host = url.hostname.replace(/^\[|\]$/g, "");
  return { address: isIP(host) === 0 ? lookedUp(model, { host, namespace: from.namespace, port }) : host, port };
}

/** What DNS says: Kubernetes answers for every Service, seen or not. */
function lookedUp(
  model: Model,
  { host, namespace, port }: { readonly host: string; readonly namespace: string; readonly port: number },
): string {
  const { domain, services, endpoints } = model;
  const names = [`${host}.${namespace}.svc.${domain}`, `${host}.svc.${domain}`, `${host}.${domain}`, host];
  const service =
    names.flatMap((name) => services.visible(namespace, name) ?? [])[0] ??
    services.all().find(({ hostname }) => names.includes(hostname));
  if (service === undefined) return ELSEWHERE;
  const address = service.addresses[0] ?? endpoints.of(service, port)[0]?.address ?? "";
  return isIP(address) === 0 ? ELSEWHERE : address;
}

/** The request as the filters of the first proxy see it. */
export function requestOf({ url, method, headers }: Asked): SimulatedRequest {
  const given = headers.find(([name]) => name === "host" || name === ":authority")?.[1];
  return {
    method,
    scheme: url.protocol === "https:" ? "https" : "http",
    authority: given ?? url.host,
    path: `${url.pathname}${url.search}`,
    headers: headers.filter(([name]) => name !== "host" && name !== ":authority"),
  };
}
