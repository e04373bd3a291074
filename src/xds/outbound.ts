import { compact } from "../base/compact.ts";
import type { OutboundListener, SniChain, TcpFeatures } from "../ir/listener.ts";
import { cidrRange } from "./cidr.ts";
import { seconds } from "./duration.ts";
import { httpChainFilters } from "./hcm.ts";
import { listenerFilters } from "./listener-filters/order.ts";
import type { ListenerNeeds } from "./listener-filters/types.ts";
import { blackHole, type TcpTarget, tcpFilters } from "./tcp-proxy.ts";
import type { ChainContext, EnvoyListener, FilterChain, NetworkFilter, XdsOptions } from "./types.ts";
import { whyField } from "./why.ts";

/**
 * One listener of traffic that leaves the workload. Reads every field of ir.OutboundListener and nothing of the workload,
 * so all proxies of a scope share its bytes. What matches no chain falls to the default chain, which must be Envoy's
 * `default_filter_chain`: once a transport protocol has selected chains, Envoy does not look further.
 */
export function buildOutboundListener(listener: OutboundListener, options: XdsOptions): EnvoyListener {
  const { needs, extensions, telemetry } = listener;
  const chain: ChainContext = compact({
    direction: "outbound" as const,
    mutualTls: false,
    service: undefined,
    needs,
    extensions,
    telemetry,
    options,
  });
  const inspectHttp = listener.kind === "http" || listener.kind === "auto";
  const inspectTls = listener.sniChains.some((chain) => chain.serverNames.length > 0);
  return compact({
    name: listener.name,
    address: addressOf(listener),
    traffic_direction: "OUTBOUND" as const,
    use_original_dst: listener.kind === "capture" ? true : undefined,
    // only what iptables redirects to is bound; the others are found by the original destination
    bind_to_port: listener.bindToPort ? undefined : false,
    ...whyField(listener.provenance),
    ...inspection({ inspectTls, inspectHttp, proxyProtocol: false }, options),
    ...chains(listener, chain),
  });
}

const SOCKET = "unix://";

function addressOf({ address, port }: OutboundListener): NonNullable<EnvoyListener["address"]> {
  if (address.startsWith(SOCKET)) return { pipe: { path: address.slice(SOCKET.length) } };
  return { socket_address: { address, port_value: port } };
}

/** Listener filters that look into a connection; none when there is nothing to learn. */
export function inspection(
  needs: Pick<ListenerNeeds, "inspectTls" | "inspectHttp" | "proxyProtocol">,
  options: XdsOptions,
): Partial<EnvoyListener> {
  const none = { originalDestination: false, originalSource: false, noTlsInspection: [], noHttpInspection: [] };
  const filters = listenerFilters({ ...none, ...needs });
  return filters.length === 0 ? {} : { listener_filters: filters, ...detection(options) };
}

/** A client that never speaks must not hang for ever when a timeout is set. */
export function detection(options: XdsOptions): Partial<EnvoyListener> {
  return {
    listener_filters_timeout: seconds(options.protocolDetectionTimeoutMs),
    continue_on_listener_filters_timeout: true,
  };
}

function chains(
  listener: OutboundListener,
  chain: ChainContext,
): Pick<EnvoyListener, "filter_chains" | "default_filter_chain"> {
  const sni = listener.sniChains.map((part) => sniChain(listener, part, chain));
  const http = (): readonly NetworkFilter[] =>
    httpChainFilters(chain, `outbound_${listener.name};`, { table: listener.routeTable ?? listener.name });
  switch (listener.kind) {
    case "http":
      return {
        filter_chains: [...sni, { filter_chain_match: httpBytes(chain.options), filters: http() }],
        default_filter_chain: passOn("PassthroughFilterChain", listener.fallback, chain),
      };
    case "auto":
      return {
        filter_chains: [...sni, { filter_chain_match: httpBytes(chain.options), filters: http() }],
        default_filter_chain: passOn(listener.name, tcpTarget(listener), chain, listener.tcp),
      };
    case "tcp":
      if (sni.length === 0) return { filter_chains: [passOn(undefined, tcpTarget(listener), chain, listener.tcp)] };
      return {
        filter_chains: sni,
        default_filter_chain: passOn(listener.name, tcpTarget(listener), chain, listener.tcp),
      };
    case "capture":
      return {
        filter_chains: [
          {
            name: `${listener.name}-blackhole`,
            filter_chain_match: { destination_port: listener.port },
            filters: blackHole("BlackHoleCluster", "BlackHoleCluster;"),
          },
        ],
        default_filter_chain: passOn(`${listener.name}-catchall-tcp`, listener.fallback, chain),
      };
    case "http-proxy":
      return { filter_chains: [{ filters: http() }] };
  }
}

/** What the HTTP inspector recognised; HTTP/1.0 only where it is answered. */
function httpBytes({ proxy }: XdsOptions): NonNullable<FilterChain["filter_chain_match"]> {
  const old = proxy?.connections?.http10 === true ? ["http/1.0"] : [];
  return { transport_protocol: "raw_buffer", application_protocols: [...old, "http/1.1", "h2c"] };
}

function tcpTarget(listener: OutboundListener): TcpTarget {
  return listener.clusters.length === 0 ? listener.fallback : listener.clusters;
}

function passOn(name: string | undefined, target: TcpTarget, chain: ChainContext, features?: TcpFeatures): FilterChain {
  return compact({ name, filters: tcpFilters(chain, `${targetName(target)};`, target, features) });
}

function targetName(target: TcpTarget): string {
  return typeof target === "string" ? target : (target[0]?.cluster ?? "BlackHoleCluster");
}

function sniChain(listener: OutboundListener, part: SniChain, chain: ChainContext): FilterChain {
  return {
    name: [listener.name, ...part.serverNames.slice(0, 1), ...(part.destinations ?? [])].join("_"),
    filter_chain_match: compact({
      ...(part.serverNames.length === 0 ? {} : { transport_protocol: "tls", server_names: part.serverNames }),
      prefix_ranges: part.destinations?.map(cidrRange),
    }),
    filters: tcpFilters(chain, `${targetName(part.clusters)};`, part.clusters, part.tcp),
    ...whyField(part.provenance),
  };
}
