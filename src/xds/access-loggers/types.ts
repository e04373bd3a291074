import type { AccessLog, ChainContext } from "../types.ts";

/** A writer of access records for one kind of chain: one file, one line in order.ts. */
export interface AccessLogger {
  /** The name of its entries in Envoy's configuration. */
  readonly name: string;
  /** The kind of records it takes. */
  readonly protocol: "http" | "tcp" | "both";
  appliesTo(chain: ChainContext): boolean;
  /** Its entries; more than one where Envoy needs one per record type. */
  loggers(chain: ChainContext, protocol: "http" | "tcp"): readonly AccessLog[];
}
