import type { ChainContext, NetworkFilter } from "../types.ts";
import { metadataExchange } from "./metadata-exchange.ts";
import type { MeshNetworkFilter } from "./types.ts";

/** The network filters in the order in which bytes pass them, each with the reason for its place; the terminal filter follows. */
export const NETWORK_FILTERS: readonly MeshNetworkFilter[] = [
  metadataExchange, // first: who the peer is must be known to all that follows
];

/** The filters of a chain before its terminal one. */
export function networkFilters(chain: ChainContext): readonly NetworkFilter[] {
  return NETWORK_FILTERS.filter((filter) => filter.appliesTo(chain)).map((filter) => filter.filter(chain));
}
