import type { ChainContext, NetworkFilter } from "../types.ts";
import { connectionGate } from "./connection-gate.ts";
import { extAuthz } from "./ext-authz.ts";
import { extensionsAfter } from "./extensions-after.ts";
import { extensionsBefore } from "./extensions-before.ts";
import { localRateLimit } from "./local-rate-limit.ts";
import { metadataExchange } from "./metadata-exchange.ts";
import { metricValues } from "./metric-values.ts";
import { rbacAllow } from "./rbac-allow.ts";
import { rbacAudit } from "./rbac-audit.ts";
import { rbacCustom } from "./rbac-custom.ts";
import { rbacDeny } from "./rbac-deny.ts";
import { rateLimit } from "./rate-limit.ts";
import type { MeshNetworkFilter } from "./types.ts";

/** The network filters in the order in which bytes pass them, each with the reason for its place; the terminal filter follows. */
export const NETWORK_FILTERS: readonly MeshNetworkFilter[] = [
  metadataExchange, // first: who the peer is must be known to all that follows
  metricValues, // before all that may refuse: refused connections are counted too, with their labels
  connectionGate, // before all that waits for bytes
  rbacCustom, // before extAuthz, which asks only about what it marked
  extAuthz, // CUSTOM comes before DENY
  extensionsBefore, // they may refuse before rules are asked
  rbacAudit, // before what refuses: refused connections are noted too
  rbacDeny, // before rbacAllow: DENY wins
  rbacAllow,
  localRateLimit, // after the rules: refused connections take no token
  rateLimit, // after localRateLimit: what the proxy refuses itself need not be asked about
  extensionsAfter, // only what may pass
];

/** The filters of a chain before its terminal one; where HTTP is spoken, requests are judged by HTTP filters. */
export function networkFilters(of: ChainContext, speaks: "http" | "tcp"): readonly NetworkFilter[] {
  const chain = { ...of, speaks };
  return NETWORK_FILTERS.filter((filter) => (filter.speaks ?? speaks) === speaks && filter.appliesTo(chain)).flatMap(
    (filter) => filter.filter(chain),
  );
}
