import type { ChainContext, NetworkFilter } from "../types.ts";

/** The chain, and what is spoken on it. */
export type NetworkChain = ChainContext & { readonly speaks: "http" | "tcp" };

/** A network filter that stands before the chain's terminal filter: one file, one line in order.ts. */
export interface MeshNetworkFilter {
  /** Its name in Envoy's configuration. */
  readonly name: string;
  /** Stands only where this is spoken; absent: everywhere. */
  readonly speaks?: "http" | "tcp";
  appliesTo(chain: NetworkChain): boolean;
  /** One, or several in their order. */
  filter(chain: NetworkChain): NetworkFilter | readonly NetworkFilter[];
}
