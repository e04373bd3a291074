import type { MeshKindName } from "../gen/mesh-kinds.ts";
import type { SpecTypes } from "../gen/schema-types.ts";
import { authorizationPolicyRules } from "./authorization-policy/index.ts";
import { destinationRuleRules } from "./destination-rule/index.ts";
import { envoyFilterRules } from "./envoy-filter/index.ts";
import { trafficExtensionRules, wasmPluginRules } from "./extensions.ts";
import { gatewayRules } from "./gateway/index.ts";
import { peerAuthenticationRules } from "./peer-authentication.ts";
import { proxyConfigRules } from "./proxy-config.ts";
import { rateLimitPolicyRules } from "./rate-limit-policy.ts";
import { requestAuthenticationRules } from "./request-authentication.ts";
import type { Rules } from "./rule.ts";
import { serviceEntryRules } from "./service-entry/index.ts";
import { sidecarRules } from "./sidecar/index.ts";
import { telemetryRules } from "./telemetry.ts";
import { virtualServiceRules } from "./virtual-service/index.ts";
import { workloadEntryRules, workloadGroupRules } from "./workloads.ts";

/** The rules of every kind of the mesh; those of metadata.ts hold for all of them. */
export const rulesByKind: { readonly [K in MeshKindName]: Rules<SpecTypes[K]> } = {
  AuthorizationPolicy: authorizationPolicyRules,
  DestinationRule: destinationRuleRules,
  EnvoyFilter: envoyFilterRules,
  Gateway: gatewayRules,
  PeerAuthentication: peerAuthenticationRules,
  ProxyConfig: proxyConfigRules,
  RateLimitPolicy: rateLimitPolicyRules,
  RequestAuthentication: requestAuthenticationRules,
  ServiceEntry: serviceEntryRules,
  Sidecar: sidecarRules,
  Telemetry: telemetryRules,
  TrafficExtension: trafficExtensionRules,
  VirtualService: virtualServiceRules,
  WasmPlugin: wasmPluginRules,
  WorkloadEntry: workloadEntryRules,
  WorkloadGroup: workloadGroupRules,
};
