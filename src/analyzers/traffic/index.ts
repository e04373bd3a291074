import type { Analyzer } from "../analyzer.ts";
import { clientTls } from "./client-tls.ts";
import { destinationruleConflicts } from "./destinationrule-conflicts.ts";
import { destinationruleSubsets } from "./destinationrule-subsets.ts";
import { envoyfilterFilterName } from "./envoyfilter-filter-name.ts";
import { exportTo } from "./export-to.ts";
import { gatewayCertificates } from "./gateway-certificates.ts";
import { gatewayServers } from "./gateway-servers.ts";
import { gatewayVirtualservices } from "./gateway-virtualservices.ts";
import { serviceentryOverlap } from "./serviceentry-overlap.ts";
import { sidecarEgress } from "./sidecar-egress.ts";
import { telemetryUse } from "./telemetry-use.ts";
import { virtualserviceProtocol } from "./virtualservice-protocol.ts";
import { virtualserviceRoutes } from "./virtualservice-routes.ts";

/** Analyzers of routing: hosts, routes, DestinationRules, gateways, Sidecars, ServiceEntries, and of what is told of the traffic. */
export const trafficAnalyzers: readonly Analyzer[] = [
  clientTls,
  destinationruleConflicts,
  destinationruleSubsets,
  envoyfilterFilterName,
  exportTo,
  gatewayCertificates,
  gatewayServers,
  gatewayVirtualservices,
  serviceentryOverlap,
  sidecarEgress,
  telemetryUse,
  virtualserviceProtocol,
  virtualserviceRoutes,
];
