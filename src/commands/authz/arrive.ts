import type { ProxyConfig } from "../../ir/config.ts";
import type { Proxy } from "../../ir/proxy.ts";
import { normalizePath } from "../../simulate/normalize-path.ts";
import type { Address, SimulatedConnection, SimulatedRequest } from "../../simulate/request.ts";
import { type Entered, enter, type Leads } from "../../simulate/walk.ts";
import type { Messages } from "../../wire/codec.ts";
import { ALPN } from "../../xds/tls.ts";
import type { OfflineMesh } from "../offline/mesh.ts";
import { viewOf } from "../trace/view.ts";
import type { AskedCall } from "./asked.ts";

type Manager = Messages["envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"];
type Listener = Messages["envoy.config.listener.v3.Listener"];
type FilterChain = Messages["envoy.config.listener.v3.FilterChain"];

/** A call at the door of a server's proxy, and what stands behind the door. */
export interface Arrival {
  readonly config: ProxyConfig;
  readonly destination: Address;
  /** `nothing`: the connection is refused. */
  readonly leads: Leads["kind"];
  /** Mutual TLS of this connection showed who calls. */
  readonly identified: boolean;
  /** HTTP's when HTTP is spoken. */
  readonly filters: NonNullable<Manager["http_filters"]> | NonNullable<FilterChain["filters"]>;
  /** The request as the filters see it; `refused` because of its path; undefined: bytes. */
  readonly request: SimulatedRequest | "refused" | undefined;
}

/** How calls get into a proxy; what it holds is read once. */
export function doorOf({ mesh }: OfflineMesh, server: Proxy, views = viewOf): (call: AskedCall) => Arrival {
  const view = views(mesh, server);
  const all = view.listeners();
  return (call) => {
    const { address, listeners } = listenersAt(all, server, call.port);
    const destination = { address, port: call.port };
    const attempts = connections(server, call, destination).map((connection) => ({
      connection,
      entered: enter(listeners, isCapturing, connection),
    }));
    const { leads, chosen } = best(attempts)?.entered ?? NOWHERE;
    const manager = leads.kind === "http" ? leads.manager : undefined;
    return {
      config: view.config,
      destination,
      leads: leads.kind,
      identified: call.principal !== undefined && asksForCertificate(chosen.chain),
      filters: manager?.http_filters ?? chosen.chain?.filters ?? [],
      request: manager && requestAt(manager, call),
    };
  };
}

interface Attempt {
  readonly connection: SimulatedConnection;
  readonly entered: Entered;
}

const NOWHERE: Pick<Entered, "leads" | "chosen"> = {
  leads: { kind: "nothing" },
  chosen: { chain: undefined, isDefault: false, rejected: [] },
};

const isCapturing = ({ name }: Listener): boolean => name === "virtualInbound";

/** A sidecar's connections are captured; a gateway, and a sidecar that nothing redirects to, listens itself. */
function listenersAt(all: readonly Listener[], server: Proxy, port: number) {
  const inbound = all.filter((listener) => listener.traffic_direction === "INBOUND");
  const listeners = server.type === "router" ? all : inbound;
  const own = listeners.find(({ address }) => address?.socket_address?.port_value === port);
  const bound = own?.address?.socket_address?.address;
  return { listeners, address: bound === undefined || bound === "0.0.0.0" ? (server.addresses[0] ?? "") : bound };
}

/**
 * What the caller would try: with an identity mutual TLS of the mesh, and plain text where the server takes none (auto mutual TLS
 * knows that). From outside of a gateway plain text, then TLS to the host's name.
 */
function connections(
  server: Proxy,
  { principal, sourceIp, request }: AskedCall,
  destination: Address,
): readonly SimulatedConnection[] {
  const ends = { destination, source: { address: sourceIp, port: 40_000 } };
  const raw: SimulatedConnection = {
    ...ends,
    transport: "raw_buffer",
    serverName: undefined,
    applicationProtocols: ["http/1.1"],
  };
  const host = request.authority.replace(/:\d+$/, "");
  const secure: SimulatedConnection = {
    ...ends,
    transport: "tls",
    serverName: host === "" ? undefined : host,
    applicationProtocols: ["h2", "http/1.1"],
  };
  if (server.type === "router") return principal === undefined ? [raw, secure] : [secure, raw];
  return principal === undefined ? [raw] : [{ ...raw, transport: "tls", applicationProtocols: ALPN.h1 }, raw];
}

/** TLS that the proxy does not end is nothing that a caller of the mesh would send. */
function best(attempts: readonly Attempt[]): Attempt | undefined {
  const led = attempts.filter(({ entered }) => entered.leads.kind !== "nothing");
  const ended = ({ connection, entered }: Attempt): boolean =>
    connection.transport === "raw_buffer" || entered.chosen.chain?.transport_socket !== undefined;
  return led.find(ended) ?? led[0];
}

function asksForCertificate(chain: FilterChain | undefined): boolean {
  const { require_client_certificate: required } = (chain?.transport_socket?.typed_config ?? {}) as {
    readonly require_client_certificate?: boolean;
  };
  return required === true;
}

/** A path that is refused before any filter sees it gives `refused`. */
function requestAt(manager: Manager, { request }: AskedCall): SimulatedRequest | "refused" {
  const path = normalizePath(request.path, manager);
  return path === undefined ? "refused" : { ...request, path };
}
