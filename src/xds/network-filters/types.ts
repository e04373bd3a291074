import type { ChainContext, NetworkFilter } from "../types.ts";

/** A network filter that stands before the chain's terminal filter: one file, one line in order.ts. */
export interface MeshNetworkFilter {
  /** Its name in Envoy's configuration. */
  readonly name: string;
  /** Stands only where this is spoken; absent: everywhere. */
  readonly speaks?: "http" | "tcp";
  appliesTo(chain: ChainContext): boolean;
  filter(chain: ChainContext): NetworkFilter;
}
