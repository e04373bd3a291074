import type { GatewayListener } from "../ir/listener.ts";
import { explicitPort } from "../base/explicit-port.ts";
import type { Model } from "../model/model.ts";
import type { PlacedServer } from "./placed-server.ts";
import type { ScopeFacts } from "./scope.ts";

/**
 * The UDP port at which a server's HTTP can be had by QUIC too; undefined: it cannot. It is there where a Service in front of
 * the gateway has the server's number as a UDP port, as in Istio, which wants a switch of the control plane (PILOT_ENABLE_QUIC_LISTENERS) besides.
 * Only for TLS mode SIMPLE: Envoy asks no certificate of a QUIC client, so other modes would let in who has none.
 */
export function quicPort(
  { gateways }: Pick<Model, "gateways">,
  facts: ScopeFacts,
  { server, table, kind }: Pick<PlacedServer, "server" | "table" | "kind">,
): number | undefined {
  if (kind !== "tls" || table === undefined || server.tls?.mode !== "SIMPLE") return undefined;
  const { maxProtocolVersion } = server.tls;
  // QUIC is TLS 1.3
  if (maxProtocolVersion !== undefined && !["TLS_AUTO", "TLSV1_3"].includes(maxProtocolVersion)) return undefined;
  const port = gateways.udpPort(facts, server.port.number);
  return port === undefined || facts.bind === null ? port : explicitPort(port);
}

/** The same chains by QUIC, as a listener beside that of TCP; undefined when no server can be had so. */
export function quicListener(
  model: Pick<Model, "gateways">,
  facts: ScopeFacts,
  { servers, listener }: { readonly servers: readonly PlacedServer[]; readonly listener: GatewayListener },
): GatewayListener | undefined {
  const eligible = servers.filter((server) => quicPort(model, facts, server) !== undefined);
  const [first] = eligible;
  const port = first && quicPort(model, facts, first);
  if (port === undefined) return undefined;
  const tables = new Set(eligible.map(({ table }) => table));
  const chains = listener.chains.filter(({ routeTable, tls }) => tables.has(routeTable) && tls?.mode === "SIMPLE");
  if (chains.length === 0) return undefined;
  return { ...listener, name: `udp_${listener.address}_${port}`, port, quic: true, chains };
}
