import ipaddr from "ipaddr.js";
import type { Messages } from "../wire/codec.ts";
import type { SimulatedConnection } from "./request.ts";
import type { Rejected } from "./verdict.ts";

type Listener = Messages["envoy.config.listener.v3.Listener"];
type FilterChain = Messages["envoy.config.listener.v3.FilterChain"];
type ChainMatch = Messages["envoy.config.listener.v3.FilterChainMatch"];
type CidrRange = Messages["envoy.config.core.v3.CidrRange"];

export interface ChosenChain {
  /** undefined: Envoy closes the connection. */
  readonly chain: FilterChain | undefined;
  readonly isDefault: boolean;
  readonly rejected: readonly Rejected[];
}

/**
 * The chain of a listener that takes a connection. Envoy (FilterChainManagerImpl::findFilterChain) asks one criterion after the
 * other, keeps the chains that say it most exactly, and never goes back to a less exact one when a later criterion fails.
 */
export function chooseChain(listener: Listener, connection: SimulatedConnection): ChosenChain {
  const rejected: Rejected[] = [];
  let left = listener.filter_chains ?? [];
  for (const criterion of CRITERIA) {
    const ranked = left.map((chain) => ({ chain, rank: criterion.rank(chain.filter_chain_match ?? {}, connection) }));
    const best = Math.max(...ranked.map(({ rank }) => rank ?? Number.NEGATIVE_INFINITY));
    for (const { chain, rank } of ranked)
      if (rank === undefined || rank < best)
        rejected.push({
          name: chain.name ?? "",
          miss: {
            condition: criterion.name,
            wanted: criterion.wanted(chain.filter_chain_match ?? {}) || "any, and another chain is more exact",
            got: criterion.got(connection),
          },
        });
    left = ranked.filter(({ rank }) => rank !== undefined && rank === best).map(({ chain }) => chain);
  }
  const chain = left[0];
  if (chain !== undefined) return { chain, isDefault: false, rejected };
  return { chain: listener.default_filter_chain, isDefault: listener.default_filter_chain !== undefined, rejected };
}

interface Criterion {
  readonly name: string;
  /** How exactly a chain's match fits, more is better; 0: it asks for nothing; undefined: it does not fit. */
  rank(match: ChainMatch, connection: SimulatedConnection): number | undefined;
  /** What a chain asks for, for people; empty: nothing. */
  wanted(match: ChainMatch): string;
  got(connection: SimulatedConnection): string;
}

const CRITERIA: readonly Criterion[] = [
  {
    name: "destination port",
    rank: (match, { destination }) => equalOrAny(match.destination_port, destination.port),
    wanted: (match) => String(match.destination_port ?? ""),
    got: ({ destination }) => String(destination.port),
  },
  {
    name: "destination address",
    rank: (match, { destination }) => longestPrefix(match.prefix_ranges, destination.address),
    wanted: (match) => rangesText(match.prefix_ranges),
    got: ({ destination }) => destination.address,
  },
  {
    name: "server name",
    rank: (match, { serverName }) => serverNameRank(match.server_names ?? [], serverName ?? ""),
    wanted: (match) => (match.server_names ?? []).join(" or "),
    got: ({ serverName }) => serverName ?? "none",
  },
  {
    name: "transport protocol",
    rank: (match, { transport }) => equalOrAny(match.transport_protocol, transport),
    wanted: (match) => match.transport_protocol ?? "",
    got: ({ transport }) => transport,
  },
  {
    name: "application protocol",
    rank: (match, { applicationProtocols }) => protocolRank(match.application_protocols ?? [], applicationProtocols),
    wanted: (match) => (match.application_protocols ?? []).join(" or "),
    got: ({ applicationProtocols }) => applicationProtocols.join(", ") || "none",
  },
  {
    name: "direct source address",
    rank: (match, { source }) => longestPrefix(match.direct_source_prefix_ranges, source.address),
    wanted: (match) => rangesText(match.direct_source_prefix_ranges),
    got: ({ source }) => source.address,
  },
  {
    name: "source type",
    rank: (match, connection) => sourceTypeRank(match.source_type, connection),
    wanted: (match) => match.source_type ?? "",
    got: (connection) => (isLocal(connection) ? "same address or loopback" : "external"),
  },
  {
    name: "source address",
    rank: (match, { source }) => longestPrefix(match.source_prefix_ranges, source.address),
    wanted: (match) => rangesText(match.source_prefix_ranges),
    got: ({ source }) => source.address,
  },
  {
    name: "source port",
    rank: ({ source_ports = [] }, { source }) =>
      source_ports.length === 0 ? 0 : source_ports.includes(source.port) ? 1 : undefined,
    wanted: (match) => (match.source_ports ?? []).join(" or "),
    got: ({ source }) => String(source.port),
  },
];

function equalOrAny<T>(wanted: T | undefined, got: T): number | undefined {
  if (wanted === undefined || wanted === 0 || wanted === "") return 0;
  return wanted === got ? 1 : undefined;
}

function longestPrefix(ranges: readonly CidrRange[] | undefined, address: string): number | undefined {
  if (ranges === undefined || ranges.length === 0) return 0;
  const lengths = ranges.filter((range) => inRange(range, address)).map(({ prefix_len = 0 }) => prefix_len + 1);
  return lengths.length === 0 ? undefined : Math.max(...lengths);
}

/** Whether an address is in an Envoy CidrRange; families that differ never match. */
export function inRange({ address_prefix = "", prefix_len = 0 }: CidrRange, address: string): boolean {
  const [range, given] = [ipaddr.process(address_prefix), ipaddr.process(address)];
  return range.kind() === given.kind() && given.match(range, prefix_len);
}

function rangesText(ranges: readonly CidrRange[] | undefined): string {
  return (ranges ?? []).map(({ address_prefix, prefix_len = 0 }) => `${address_prefix}/${prefix_len}`).join(" or ");
}

/** Exact names beat wildcards, longer wildcards beat shorter ones. */
function serverNameRank(names: readonly string[], got: string): number | undefined {
  if (names.length === 0) return 0;
  const ranks = names.flatMap((name) => {
    if (name === got) return [Number.MAX_SAFE_INTEGER];
    return name.startsWith("*.") && got.endsWith(name.slice(1)) && got.length > name.length - 1 ? [name.length] : [];
  });
  return ranks.length === 0 ? undefined : Math.max(...ranks);
}

/** The client's first protocol that any chain names wins. */
function protocolRank(wanted: readonly string[], offered: readonly string[]): number | undefined {
  if (wanted.length === 0) return 0;
  const index = offered.findIndex((protocol) => wanted.includes(protocol));
  return index < 0 ? undefined : offered.length - index;
}

function sourceTypeRank(wanted: ChainMatch["source_type"], connection: SimulatedConnection): number | undefined {
  if (wanted === undefined || wanted === "ANY") return 0;
  return (wanted === "SAME_IP_OR_LOOPBACK") === isLocal(connection) ? 1 : undefined;
}

function isLocal({ source, destination }: SimulatedConnection): boolean {
  return source.address === destination.address || ipaddr.process(source.address).range() === "loopback";
}
